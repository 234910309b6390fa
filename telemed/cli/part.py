"""One part of the service as a process of its own: `python -m telemed.cli.part web`.

Apart from the other commands, so that a part loads its own libraries alone: the DICOM door needs no models.
"""

import ctypes
import logging
import os
import signal
import sys
from enum import StrEnum

from telemed.cli.words import sentence
from telemed.domain.errors import DomainError
from telemed.group import IN_GROUP
from telemed.settings import Settings, SettingsError


class Part(StrEnum):
    WEB = "web"
    DICOM = "dicom"
    WORKER = "worker"
    INFERENCE = "inference"


def run_part(part: Part, settings: Settings) -> None:
    _follow_parent()
    log_to_stderr()
    _PARTS[part](settings)


def log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    # It speaks while it is imported; that a start found nothing to migrate is no news.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It tells of every attribute it copies.
    logging.getLogger("highdicom").setLevel(logging.WARNING)


def _follow_parent() -> None:
    """A part must not outlive its group: the kernel tells it when the parent is gone, however it went."""
    parent = os.environ.get(IN_GROUP)
    if not parent or sys.platform != "linux":
        return
    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != int(parent):
        # It was gone before the kernel could be asked.
        sys.exit(1)


def _web(settings: Settings) -> None:
    from telemed.application.install import ensure_administrator
    from telemed.bootstrap import build
    from telemed.web.app import create_app
    from telemed.web.server import run

    application = build(settings, jobs_here=False)
    if settings.admin_password:
        ensure_administrator(application.world, password=settings.admin_password, language=settings.language)
    run(create_app(application), settings.http_host, settings.http_port)
    application.close()


def _dicom(_settings: Settings) -> None:
    from dicom_node.__main__ import main

    sys.exit(main())


def _worker(settings: Settings) -> None:
    if not settings.embedded_jobs:
        from workers.__main__ import run

        sys.exit(run(settings))
    from workers.embedded import run as run_embedded

    sys.exit(run_embedded(settings))


def _inference(settings: Settings) -> None:
    from ai_models import memory

    memory.few_heaps()  # before anything big is loaded
    from ai_models.configured import make_models
    from ai_models.server import serve as serve_models

    engine = make_models(
        keys=settings.signers(), provider=settings.inference_provider, precision=settings.inference_precision
    )
    serve_models(engine, settings.inference_port)


_PARTS = {Part.WEB: _web, Part.DICOM: _dicom, Part.WORKER: _worker, Part.INFERENCE: _inference}


if __name__ == "__main__":
    try:
        run_part(Part(sys.argv[1]), Settings.from_environment())
    except (DomainError, SettingsError) as fault:
        sys.exit(f"telemed: {sentence(fault)}")
