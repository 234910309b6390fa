"""`python -m workers`: the relay and a Celery worker; `python -m workers worker` or `relay` for one of them.

Without a broker it runs the jobs itself.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading

from telemed.adapters.queue.celery import JobPublisher, make_celery
from telemed.application.world import World
from telemed.bootstrap import build
from telemed.group.stop import Stop, stop_on_signals
from telemed.i18n import text
from telemed.settings import Settings, SettingsError
from workers import embedded
from workers.app import run_worker
from workers.relay import Relay

log = logging.getLogger("workers")
_STOP_SECONDS = 30


def run(settings: Settings) -> int:
    """The relay here, the worker as a process beside it; ends when a signal comes or the worker is gone."""
    stopping = stop_on_signals()
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers", "worker"], env={**os.environ, **settings.environment()}
    )
    threading.Thread(target=_stop_with, args=(worker, stopping), daemon=True).start()
    try:
        run_relay(settings, stopping)
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
        return 1
    return 0


def run_relay(settings: Settings, stopping: Stop) -> None:
    application = build(settings, sessions_here=False)
    world = application.world
    publisher = JobPublisher(make_celery(settings.broker_url), world.unit_of_work, world.clock)
    Relay(world, publisher).run(stopping)
    application.close()


def run_celery(settings: Settings) -> None:
    def make_world() -> World:
        return build(settings, sessions_here=False).world

    if os.getppid() != 1 and sys.platform == "linux":
        # Not longer than the process that started it, however that one ends.
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    run_worker(settings.broker_url, make_world, children=settings.workers)


def _stop_with(process: subprocess.Popen[bytes], stopping: Stop) -> None:
    process.wait()
    stopping.set()


def main(arguments: list[str]) -> int:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    try:
        settings = Settings.from_environment()
        if settings.embedded_jobs:
            return embedded.run(settings)
        if arguments == ["worker"]:
            run_celery(settings)
        elif arguments == ["relay"]:
            run_relay(settings, stop_on_signals())
        else:
            return run(settings)
    except SettingsError as fault:
        sys.stderr.write(text(fault.code, Settings.language, **fault.params) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
