"""`python -m workers`: the relay and a Celery worker; `python -m workers worker` or `relay` for one of them."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from telemed.adapters.queue.celery import JobPublisher, make_celery
from telemed.application.world import World
from telemed.bootstrap import build
from telemed.settings import Settings, SettingsError
from workers.app import run_worker
from workers.relay import Relay

log = logging.getLogger("workers")
_STOP_SECONDS = 30


def run(settings: Settings) -> None:
    """The relay here, the worker as a process beside it; ends when a signal comes or the worker is gone."""
    demand_broker(settings)
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers", "worker"], env={**os.environ, **settings.environment()}
    )
    stopping = _on_signals()
    threading.Thread(target=_stop_with, args=(worker, stopping), daemon=True).start()
    try:
        relay(settings, stopping)
    finally:
        fallen = worker.poll()
        worker.terminate()
        try:
            worker.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # What it was doing comes back: the message to the broker, the lease to the row.
            worker.kill()
            worker.wait()
    if fallen is not None:
        log.error("the worker stopped with status %s", fallen)
        sys.exit(1)


def _stop_with(process: subprocess.Popen[bytes], stopping: threading.Event) -> None:
    process.wait()
    stopping.set()


def relay(settings: Settings, stopping: threading.Event) -> None:
    application = build(settings, sessions_here=False)
    world = application.world
    try:
        Relay(world, JobPublisher(make_celery(settings.broker_url), world.unit_of_work, world.clock)).run(
            stopping
        )
    finally:
        application.close()


def worker(settings: Settings) -> None:
    def make_world() -> World:
        return build(settings, sessions_here=False).world

    if os.getppid() != 1 and sys.platform == "linux":
        # Not longer than the process that started it, however that one ends.
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    run_worker(settings.broker_url, make_world, children=settings.workers)


def demand_broker(settings: Settings) -> None:
    if settings.embedded_jobs:
        raise SettingsError("settings.no_broker", name="TELEMED_BROKER_URL")


def _on_signals() -> threading.Event:
    stopping = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stopping


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    settings = Settings.from_environment()
    demand_broker(settings)
    match sys.argv[1:]:
        case []:
            run(settings)
        case ["worker"]:
            worker(settings)
        case ["relay"]:
            relay(settings, _on_signals())
        case _:
            sys.exit("python -m workers [worker|relay]")


if __name__ == "__main__":
    main()
