"""Objects of all associations on their way into the database: who arrives while one commit runs shares the next.

A commit costs much the same for eight objects as for one, and so does its wait for the disk. Whoever finds the way
free goes at once, unless others are a moment behind: their bytes are here and just being made safe.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from threading import Event, Lock

from telemed.application.arrival import Incoming
from telemed.application.receive import Received, file_durable
from telemed.application.world import World

# What is committed together is also locked together.
_MOST = 64
# Long enough for a header to be read and a file to reach the disk; short beside what a commit costs.
_PATIENCE_SECONDS = 0.004


@dataclass
class _Waiting:
    item: Incoming
    outcome: Received | Exception | None = None
    # Set when it is settled, or when it is this one's turn to commit.
    called: Event = field(default_factory=Event)


class Intake:
    def __init__(self, world: World) -> None:
        self.world = world
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False
        # Objects whose bytes are all here and just being made safe: about to wait with the others.
        self._coming = 0
        self._looked = Event()

    def receive(self, prepare: Callable[[], Incoming]) -> Received:
        """As the use case `receive`, for the one object that `prepare` gives. Raises what either raises."""
        with self._on_its_way():
            item = prepare()
            # In the caller's own thread: the disk works best with several requests before it.
            self.world.spool.make_durable([item.part])
        mine = _Waiting(item)
        if not self._leads(mine):
            mine.called.wait()
        if mine.outcome is None:
            self._commit(self._batch())
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        # The leader settles every one of its batch.
        assert mine.outcome is not None
        return mine.outcome

    @contextmanager
    def _on_its_way(self) -> Iterator[None]:
        with self._lock:
            self._coming += 1
        try:
            yield
        finally:
            with self._lock:
                self._coming -= 1
                self._looked.set()

    def _leads(self, mine: _Waiting) -> bool:
        """Queues up; True if nobody commits, so that `mine` does."""
        with self._lock:
            self._waiting.append(mine)
            leads, self._busy = not self._busy, True
            return leads

    def _batch(self) -> Sequence[_Waiting]:
        """All who wait, the leader first; those whose bytes are just being made safe are waited for."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with self._lock:
                left = until - time.monotonic()
                if not self._coming or left <= 0:
                    break
                self._looked.clear()
            self._looked.wait(left)
        with self._lock:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[Received | Exception] = []
        try:
            outcomes = file_durable(self.world, [one.item for one in batch])
        finally:
            self._hand_over()
            for one, outcome in zip_longest(batch, outcomes):
                one.outcome = outcome or RuntimeError("the commit of a batch ended without an outcome")
                one.called.set()

    def _hand_over(self) -> None:
        """Before the answers of this batch go out: the next one's bytes have been waiting."""
        with self._lock:
            self._busy = bool(self._waiting)
            if self._busy:
                self._waiting[0].called.set()
