"""Objects of all associations on their way into the database: who arrives while one commit runs shares the next.

A commit waits for the disk; waiting once for eight objects costs little more than waiting for one, and nobody waits
for company: whoever finds the way free goes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from threading import Event, Lock

from telemed.application.arrival import Incoming
from telemed.application.receive import Received, file_durable
from telemed.application.world import World

# What is committed together is also locked together.
_MOST = 64


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

    def receive(self, item: Incoming) -> Received:
        """As the use case `receive`, for one object. Raises what that raises."""
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

    def _leads(self, mine: _Waiting) -> bool:
        """Queues up; True if nobody commits, so that `mine` does."""
        with self._lock:
            self._waiting.append(mine)
            leads, self._busy = not self._busy, True
            return leads

    def _batch(self) -> Sequence[_Waiting]:
        """All who wait, the leader first."""
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
