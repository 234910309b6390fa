"""`telemed ai backfill`: an archive is read again with the models in service."""

import time
from typing import Annotated

import typer

from telemed.application.backfill import ask_again, still_to_do
from telemed.bootstrap import build
from telemed.cli.words import sentence_of
from telemed.settings import Settings

POLL_S = 2.0


def backfill(
    modality: Annotated[str, typer.Option(help="Modality of the cases.")] = "ECG",
    wait: Annotated[bool, typer.Option(help="Show the progress until all is read.")] = True,
) -> None:
    """Read every case again that lacks the answer of the newest approved model, after all other work.

    Stopping it stops only the display: the cases stay asked for, and the workers read on. Asked again, it goes on
    where it stood.
    """
    application = build(Settings.from_environment(), sessions_here=False)
    try:
        asked = ask_again(application.world, modality=modality)
        left = still_to_do(application.world)
        typer.echo(sentence_of("ai.backfill_asked", cases=asked, left=left))
        total = left
        while wait and left:
            time.sleep(POLL_S)
            left = still_to_do(application.world)
            typer.echo(sentence_of("ai.backfill_progress", done=total - left, total=total))
    finally:
        application.close()
