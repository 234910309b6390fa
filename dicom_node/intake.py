"""Objects of all associations on their way into the database: who arrives while one commit runs shares the next.

A commit waits for the disk; waiting once for eight objects costs little more than waiting for one, and nobody waits
for company: whoever finds the way free goes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Condition

from telemed.application.arrival import Incoming
from telemed.application.receive import Received, file_durable
from telemed.application.world import World

# What is committed together is also locked together.
_MOST = 64


@dataclass
class _Waiting:
    item: Incoming
    outcome: Received | Exception | None = None


class Intake:
    def __init__(self, world: World) -> None:
        self.world = world
        self._changed = Condition()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def receive(self, item: Incoming) -> Received:
        """As the use case `receive`, for one object. Raises what that raises."""
        # In the caller's own thread: the disk works best with several requests before it.
        self.world.spool.make_durable([item.part])
        mine = _Waiting(item)
        with self._changed:
            self._waiting.append(mine)
        while mine.outcome is None:
            batch = self._wait_or_lead(mine)
            if batch:
                self._commit(batch)
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        return mine.outcome

    def _wait_or_lead(self, mine: _Waiting) -> Sequence[_Waiting]:
        """Returns once another has settled `mine`, or with a batch that is now the caller's to commit."""
        with self._changed:
            while self._busy and mine.outcome is None:
                self._changed.wait()
            if mine.outcome is not None:
                return []
            self._busy = True
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[Received | Exception] = []
        try:
            outcomes = file_durable(self.world, [one.item for one in batch])
        finally:
            with self._changed:
                for one, outcome in zip(batch, outcomes, strict=False):
                    one.outcome = outcome
                for one in batch:
                    one.outcome = one.outcome or RuntimeError(
                        "the commit of a batch ended without an outcome"
                    )
                self._busy = False
                self._changed.notify_all()
