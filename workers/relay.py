"""From the table to the broker: announces what is due, also what became due by time alone, and sweeps."""

import logging
import time
from datetime import timedelta

from kombu.exceptions import OperationalError

from telemed.adapters.queue.celery import JobPublisher
from telemed.application.faults import trace_of
from telemed.application.sweep import SWEEP_EVERY, sweep
from telemed.application.world import World
from telemed.group.stop import Stop

log = logging.getLogger(__name__)

_EVERY = 0.5
# The process that made a job due announces it itself: the relay sees to those that were not claimed by then.
_GRACE = timedelta(seconds=1)


class Relay:
    def __init__(self, world: World, publisher: JobPublisher) -> None:
        self._world, self._publisher = world, publisher
        self._next_sweep = 0.0

    def run(self, stopping: Stop) -> None:
        while not stopping.wait(_EVERY):
            self.round()

    def round(self) -> None:
        """One look at the table. A broker or a database that is away is waited for."""
        try:
            self._publisher.publish_due(overdue=_GRACE)
        except OperationalError:
            log.warning("the broker does not answer: due jobs wait")
        except Exception as fault:  # noqa: BLE001 the next round may find the database again
            log.error("due jobs were not announced:\n%s", trace_of(fault))
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_EVERY.total_seconds()
            try:
                sweep(self._world)
            except Exception as fault:  # noqa: BLE001 as above
                log.error("sweep failed:\n%s", trace_of(fault))
