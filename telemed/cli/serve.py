"""`telemed serve`: everything in one process group, or one part of it."""

import sys
from typing import Annotated

import typer

from telemed.cli.part import Part, log_to_stderr, run_part
from telemed.group import ProcessGroup
from telemed.settings import Settings


def serve(
    only: Annotated[Part | None, typer.Option(help="Start this part alone.")] = None,
) -> None:
    """Start the service: pages and API, DICOM door, workers; with a broker also the inference process."""
    settings = Settings.from_environment()
    if only is not None:
        run_part(only, settings)
        return
    log_to_stderr()
    group = ProcessGroup(settings, parts_of(settings))
    sys.exit(group.run())


def parts_of(settings: Settings) -> list[str]:
    parts = [Part.WEB.value, Part.DICOM.value, Part.WORKER.value]
    return parts if settings.embedded_jobs else [*parts, Part.INFERENCE.value]
