"""The places in the scheduler's lines: who waits, until when, and how long what they ask for takes."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, cast

from ai_models.errors import EngineBusy

log = logging.getLogger(__name__)


class Joint(Protocol):
    """Work that can be done together with others of its `kind`, up to `most` rows in one run."""

    kind: Hashable
    rows: int
    most: int

    def __call__(self) -> Any: ...

    def together(self, others: Sequence[Any]) -> list[Any]:
        """The value of this and of each of `others`, in this order; or raises, and then each is done by itself."""
        ...


class Ticket(Future[Any]):
    """One place in the line. `work` None asks for a slot to be used by whoever waits for the ticket.

    `cost` is how many seconds the work is expected to take, `until` when nobody wants it any more.
    """

    def __init__(self, work: Callable[[], Any] | None, rank: int, until: float, cost: float) -> None:
        super().__init__()
        self.work, self.rank, self.until, self.cost = work, rank, until, cost


class Line:
    """Tickets of one class, the first in front; `seconds` is what they cost together."""

    def __init__(self) -> None:
        self._tickets: deque[Ticket] = deque()
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._tickets)

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets)

    def append(self, ticket: Ticket) -> None:
        self._tickets.append(ticket)
        self.seconds += ticket.cost

    def first(self) -> Ticket:
        return self._left(self._tickets.popleft())

    def discard(self, ticket: Ticket) -> None:
        if ticket in self._tickets:
            self._tickets.remove(ticket)
            self._left(ticket)

    def take_late(self, now: float) -> list[Ticket]:
        late = [ticket for ticket in self._tickets if ticket.until < now]
        for ticket in late:
            self.discard(ticket)
        return late

    def take_all(self) -> list[Ticket]:
        left = list(self._tickets)
        self._tickets.clear()
        self.seconds = 0.0
        return left

    def _left(self, ticket: Ticket) -> Ticket:
        # Sums of fractions drift: an empty line costs nothing.
        self.seconds = self.seconds - ticket.cost if self._tickets else 0.0
        return ticket


def done(tickets: list[Ticket]) -> list[tuple[Ticket, Any, BaseException | None]]:
    """The value or the fault of each; several are done together, and one by one where that fails."""
    if len(tickets) > 1:
        first, *others = [cast(Joint, ticket.work) for ticket in tickets]
        try:
            return [(t, v, None) for t, v in zip(tickets, first.together(others), strict=True)]
        except Exception as fault:  # noqa: BLE001 one of them may be what spoils it for the others
            log.warning("%s requests run one by one after: %s", len(tickets), type(fault).__name__)
    results: list[tuple[Ticket, Any, BaseException | None]] = []
    for ticket in tickets:
        assert ticket.work is not None
        try:
            results.append((ticket, ticket.work(), None))
        except BaseException as fault:  # noqa: BLE001 it belongs to whoever waits for the answer
            results.append((ticket, None, fault))
    return results


def refuse(ticket: Ticket, error: EngineBusy) -> None:
    if ticket.set_running_or_notify_cancel():
        ticket.set_exception(error)
