"""`telemed serve`: everything in one process group, or one part of it."""

import ctypes
import logging
import os
import signal
import sys
import threading
from enum import StrEnum
from typing import Annotated

import typer

from telemed.group import IN_GROUP, ProcessGroup
from telemed.settings import Settings


class Part(StrEnum):
    WEB = "web"
    DICOM = "dicom"
    WORKER = "worker"
    INFERENCE = "inference"


def serve(
    only: Annotated[Part | None, typer.Option(help="Start this part alone.")] = None,
) -> None:
    """Start the service: pages and API, DICOM door, workers; with a broker also the inference process."""
    settings = Settings.from_environment()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    if only is not None:
        _follow_parent()
        _PARTS[only](settings)
        return
    group = ProcessGroup(settings, parts_of(settings))
    sys.exit(group.run())


def parts_of(settings: Settings) -> list[str]:
    parts = [Part.WEB.value, Part.DICOM.value, Part.WORKER.value]
    return parts if settings.embedded_jobs else [*parts, Part.INFERENCE.value]


def _follow_parent() -> None:
    """A part must not outlive its group: the kernel tells it when the parent is gone, however it went."""
    if os.environ.get(IN_GROUP) and sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _web(settings: Settings) -> None:
    import uvicorn

    from telemed.bootstrap import build
    from telemed.web.app import create_app

    application = build(settings)
    uvicorn.run(
        create_app(application),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    application.close()


def _dicom(_settings: Settings) -> None:
    from dicom_node.__main__ import main

    sys.exit(main())


def _worker(settings: Settings) -> None:
    if not settings.embedded_jobs:
        from workers.__main__ import run

        sys.exit(run(settings))
    from telemed.adapters.queue.inline import InlineRunner
    from telemed.bootstrap import build

    application = build(settings)
    runner = InlineRunner(application.world, threads=settings.workers)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    runner.start()
    stop.wait()
    runner.stop()
    application.close()


def _inference(settings: Settings) -> None:
    from ai_models.engine import Engine
    from ai_models.server import serve as serve_models

    engine = Engine()
    engine.warm()
    serve_models(engine, settings.inference_port)


_PARTS = {Part.WEB: _web, Part.DICOM: _dicom, Part.WORKER: _worker, Part.INFERENCE: _inference}
