"""Runs the jobs in threads of one process: no broker, nothing to install. The rows stay the truth."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from telemed.application.faults import trace_of
from telemed.application.handlers import HANDLERS
from telemed.application.jobs import Job
from telemed.application.run_jobs import Handlers, run_one
from telemed.application.sweep import SWEEP_EVERY, sweep
from telemed.application.world import World

log = logging.getLogger(__name__)

_AFTER_A_FAULT = 1.0


class Bell:
    """The waker of a process whose runner lives beside it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wake(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()


class InlineRunner:
    """One thread at a time looks for work, by an indexed read; who finds some hands the looking on and runs it, and
    then what is due at its end, until nothing is.

    One job is claimed at a time, so that no thread holds back what another could start, and the most urgent of
    all that is due is always next.
    """

    def __init__(
        self,
        world: World,
        handlers: Handlers = HANDLERS,
        *,
        bell: Bell | None = None,
        threads: int = 2,
        poll: float = 0.1,
    ) -> None:
        self._world, self._handlers = world, handlers
        self._bell, self._poll = bell or Bell(), poll
        self._turn, self._stopping = threading.Lock(), threading.Event()
        self._next_sweep = 0.0
        self._threads = [
            threading.Thread(target=self._run, name=f"jobs-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30) -> bool:
        """Lets running jobs end. False if one still runs: its lease brings it back after the process is gone."""
        self._stopping.set()
        self._bell.wake()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._turn:
                    job = self._next()
                while job is not None:
                    onward = not self._stopping.is_set() and time.monotonic() < self._next_sweep
                    job = run_one(self._world, job, self._handlers, onward=onward)
            except Exception as fault:  # noqa: BLE001 a database that is away now is there again later
                log.error("the job runner goes on after:\n%s", trace_of(fault))
                self._stopping.wait(_AFTER_A_FAULT)

    def _next(self) -> Job | None:
        while not self._stopping.is_set():
            self._sweep()
            if (job := self._claim()) is not None:
                return job
            self._bell.wait(self._poll)
        return None

    def _claim(self) -> Job | None:
        world = self._world
        with world.unit_of_work(write=False) as uow:
            # A look takes no lock: the writer's place is asked for only where there is something to take.
            if not uow.jobs.due(world.clock.now(), 1):
                return None
        with world.unit_of_work() as uow:
            jobs = uow.jobs.claim(world.clock.now(), 1, world.identifiers.uid())
            uow.commit()
        return jobs[0] if jobs else None

    def _sweep(self) -> None:
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_EVERY.total_seconds()
            sweep(self._world)
