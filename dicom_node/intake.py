"""Objects of all associations on their way into the database: who arrives while one commit runs shares the next.

A commit costs much the same for eight objects as for one, and so does its wait for the disk. Whoever finds the way
free goes at once, unless others are a moment behind: their bytes are here and just being made safe.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from threading import Lock

from telemed.application.arrival import Incoming
from telemed.application.receive import Received, file_durable
from telemed.application.world import World

# What is committed together is also locked together.
_MOST = 64
# Long enough for a header to be read and a file to reach the disk; short beside what a commit costs.
_PATIENCE_SECONDS = 0.004


class _Waiting:
    """A lock that is taken is all it waits for: an Event is four objects, made for every one that arrives."""

    __slots__ = ("_turn", "item", "outcome")

    def __init__(self, item: Incoming) -> None:
        self.item = item
        self.outcome: Received | Exception | None = None
        self._turn = Lock()
        self._turn.acquire()

    def call(self) -> None:
        """It is settled, or it is this one's turn to commit. Never twice before it has waited."""
        self._turn.release()

    def wait(self) -> None:
        self._turn.acquire()


class Intake:
    def __init__(self, world: World) -> None:
        self.world = world
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False
        # Objects whose bytes are all here and just being made safe: about to wait with the others.
        self._coming = 0
        # Taken while the one who leads waits for those; whoever is the last of them gives it back.
        self._gathering: Lock | None = None

    def receive(self, prepare: Callable[[], Incoming]) -> Received:
        """As the use case `receive`, for the one object that `prepare` gives. Raises what either raises."""
        with self._lock:
            self._coming += 1
        mine: _Waiting | None = None
        try:
            item = prepare()
            # In the caller's own thread: the disk works best with several requests before it.
            self.world.spool.make_durable([item.part])
            mine = _Waiting(item)
        finally:
            leads = self._arrived(mine)
        if not leads:
            mine.wait()
        if mine.outcome is None:
            self._commit(self._batch())
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        # The leader settles every one of its batch.
        assert mine.outcome is not None
        return mine.outcome

    def _arrived(self, mine: _Waiting | None) -> bool:
        """No longer on its way; `mine` queues up. True if nobody commits, so that it does."""
        with self._lock:
            self._coming -= 1
            if not self._coming and self._gathering is not None:
                self._gathering.release()
                self._gathering = None
            if mine is None:
                return False
            self._waiting.append(mine)
            leads, self._busy = not self._busy, True
            return leads

    def _batch(self) -> Sequence[_Waiting]:
        """All who wait, the leader first; those whose bytes are just being made safe are waited for."""
        gathering = Lock()
        with self._lock:
            if self._coming:
                gathering.acquire()
                self._gathering = gathering
        # Until nobody is on the way; at once where that is so already.
        gathering.acquire(timeout=_PATIENCE_SECONDS)
        with self._lock:
            self._gathering = None
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
                one.call()

    def _hand_over(self) -> None:
        """Before the answers of this batch go out: the next one's bytes have been waiting."""
        with self._lock:
            self._busy = bool(self._waiting)
            if self._busy:
                self._waiting[0].call()
