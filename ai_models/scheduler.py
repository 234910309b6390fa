"""Who runs next: as many at once as there are slots, the urgent first, and nobody who would be too late."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Protocol, cast

from ai_models.errors import EngineBusy
from telemed.domain.inference import Urgency

log = logging.getLogger(__name__)

ORDER = (Urgency.STAT, Urgency.ROUTINE, Urgency.BACKFILL)
RANK = {urgency: rank for rank, urgency in enumerate(ORDER)}
LAST = len(ORDER) - 1


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
    """One place in the line. `work` None asks for a slot to be used by whoever waits for the ticket."""

    def __init__(self, work: Callable[[], Any] | None, rank: int, until: float) -> None:
        super().__init__()
        self.work, self.rank, self.until = work, rank, until


class Scheduler:
    """`slots` run at once, at most `slots - 1` (at least one) of them backfill, so that a slot is soon free for
    whoever is urgent; at most `bound` wait in each class, so that a flood of one class closes no other.

    A caller that finds a free slot works in its own thread: nothing is handed over and back. Once there is a line,
    runner threads take from it without a pause between two. Times are seconds on the monotonic clock.
    """

    def __init__(self, slots: int, *, bound: int = 128, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots = slots
        self.backfill_slots = max(slots - 1, 1)
        self._bound, self._clock = bound, clock
        self._lock = threading.Lock()
        self._lines: tuple[deque[Ticket], ...] = tuple(deque() for _ in ORDER)
        self._running = [0] * len(ORDER)
        self._handed: SimpleQueue[Ticket | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def waiting(self) -> dict[Urgency, int]:
        with self._lock:
            return {urgency: len(line) for urgency, line in zip(ORDER, self._lines, strict=True)}

    def running(self) -> int:
        return sum(self._running)

    def submit(self, work: Callable[[], Any], *, urgency: Urgency, within: float, cost: float) -> Future[Any]:
        """Have `work` done by a runner thread within `within` seconds; `cost` is how long one such work takes.

        The future may be cancelled, which frees its place at once. Raises EngineBusy("model.busy") where the line
        is full and EngineBusy("model.too_late") where the answer would come after `within`; both carry the whole
        `seconds` after which it is worth asking again. The future raises the latter when its time runs out in line.
        """
        return self._enter(Ticket(work, RANK[urgency], self._clock() + within), within, cost)

    def run(self, work: Callable[[], Any], *, urgency: Urgency, within: float, cost: float) -> Any:
        """`work`'s value: done in the caller's thread where a slot is free, else by a runner. Raises as `submit`."""
        rank = RANK[urgency]
        if self._try_enter(rank):
            try:
                return work()
            finally:
                self._leave(rank)
        future = self.submit(work, urgency=urgency, within=within, cost=cost)
        try:
            return future.result(within)
        except TimeoutError as error:
            if future.cancel():
                raise EngineBusy("model.too_late", seconds=1) from error
            return future.result()  # it has begun, and its answer is worth the rest of the wait
        except BaseException:
            future.cancel()
            raise

    @contextmanager
    def slot(self, *, urgency: Urgency, within: float, cost: float) -> Iterator[None]:
        """A slot for the caller's own thread, waited for in line. Raises as `submit` does."""
        rank = RANK[urgency]
        if not self._try_enter(rank):
            ticket = self._enter(Ticket(None, rank, self._clock() + within), within, cost)
            try:
                ticket.result(within + cost)
            except BaseException as error:
                if not ticket.cancel() and not ticket.exception():
                    self._leave(rank)  # it was granted in the moment in which the caller went away
                if isinstance(error, TimeoutError):
                    raise EngineBusy("model.too_late", seconds=1) from error
                raise
        try:
            yield
        finally:
            self._leave(rank)

    def take_all(self) -> bool:
        """Take every slot, if none is in use and nobody waits; given back by `give_all`."""
        with self._lock:
            if any(self._running) or any(self._lines):
                return False
            self._running[0] = self.slots
            return True

    def give_all(self) -> None:
        with self._lock:
            self._running[0] -= self.slots
            granted = self._grant()
        self._hand_out(granted)

    def close(self) -> None:
        """Refuse all that wait; what runs comes to its end."""
        with self._lock:
            self._closed = True
            left = [ticket for line in self._lines for ticket in line]
            for line in self._lines:
                line.clear()
        for ticket in left:
            _refuse(ticket, EngineBusy("model.busy", seconds=1))
        for _ in self._threads:
            self._handed.put(None)
        for thread in self._threads:
            thread.join(10)

    def _free(self, rank: int) -> bool:
        if sum(self._running) >= self.slots:
            return False
        return rank < LAST or self._running[LAST] < self.backfill_slots

    def _try_enter(self, rank: int) -> bool:
        with self._lock:
            if self._closed or not self._free(rank) or any(self._lines[: rank + 1]):
                return False
            self._running[rank] += 1
            return True

    def _enter(self, ticket: Ticket, within: float, cost: float) -> Ticket:
        rank = ticket.rank
        with self._lock:
            line = self._lines[rank]
            slots = self.slots if rank < LAST else self.backfill_slots
            ahead = sum(self._running) + sum(len(other) for other in self._lines[: rank + 1])
            wait = (ahead // slots) * cost if ahead >= slots else 0.0
            if self._closed or len(line) >= self._bound:
                raise EngineBusy("model.busy", seconds=max(math.ceil(wait), 1))
            if wait + cost > within:
                raise EngineBusy("model.too_late", seconds=max(math.ceil(wait + cost - within), 1))
            line.append(ticket)
            self._start_threads()
            granted = self._grant()
        self._hand_out(granted)
        ticket.add_done_callback(self._forget)
        return ticket

    def _forget(self, ticket: Future[Any]) -> None:
        if isinstance(ticket, Ticket) and ticket.cancelled():
            with self._lock:
                line = self._lines[ticket.rank]
                if ticket in line:
                    line.remove(ticket)

    def _leave(self, rank: int) -> None:
        self._hand_out(self._release(rank))

    def _release(self, rank: int) -> list[Ticket]:
        with self._lock:
            self._running[rank] -= 1
            return self._grant()

    def _grant(self) -> list[Ticket]:
        """Give free slots to the heads of the lines; called under the lock."""
        granted = []
        while (ticket := self._next()) is not None:
            self._running[ticket.rank] += 1
            granted.append(ticket)
        return granted

    def _next(self) -> Ticket | None:
        for rank, line in enumerate(self._lines):
            if line and self._free(rank):
                return line.popleft()
        return None

    def _hand_out(self, granted: list[Ticket]) -> None:
        """Start what was given a slot; the slot of one that is cancelled or too late goes on to the next."""
        todo = deque(granted)
        while todo:
            ticket = todo.popleft()
            if ticket.work is not None:
                self._handed.put(ticket)
            elif self._begin(ticket):
                ticket.set_result(None)
            else:
                todo.extend(self._release(ticket.rank))

    def _begin(self, ticket: Ticket) -> bool:
        if not ticket.set_running_or_notify_cancel():
            return False
        if self._clock() <= ticket.until:
            return True
        ticket.set_exception(EngineBusy("model.too_late", seconds=1))
        return False

    def _start_threads(self) -> None:
        while len(self._threads) < self.slots:
            name = f"inference-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (ticket := self._handed.get()) is not None:
            following: Ticket | None = ticket
            while following is not None:
                following = self._run(following)

    def _run(self, ticket: Ticket) -> Ticket | None:
        """Do a ticket's work, then take the next of the line into the same slot without waking another thread."""
        done: list[tuple[Ticket, Any, BaseException | None]] = []
        if self._begin(ticket):
            done = _done([ticket, *self._companions(ticket)])
        following, others = None, []
        for granted in self._release(ticket.rank):
            if following is None and granted.work is not None:
                following = granted
            else:
                others.append(granted)
        self._hand_out(others)
        for each, value, error in done:
            if error is None:
                each.set_result(value)
            else:
                each.set_exception(error)
        return following

    def _companions(self, ticket: Ticket) -> list[Ticket]:
        """Those in line, no less urgent, whose work can be done together with this one's; they have begun."""
        work = ticket.work
        kind = getattr(work, "kind", None)
        if kind is None:
            return []
        joint = cast(Joint, work)
        room, found = joint.most - joint.rows, []
        with self._lock:
            for line in self._lines[: ticket.rank + 1]:
                for other in [other for other in line if getattr(other.work, "kind", None) == kind]:
                    rows = cast(Joint, other.work).rows
                    if rows <= room:
                        line.remove(other)
                        found.append(other)
                        room -= rows
        return [other for other in found if self._begin(other)]


def _done(tickets: list[Ticket]) -> list[tuple[Ticket, Any, BaseException | None]]:
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


def _refuse(ticket: Ticket, error: EngineBusy) -> None:
    if ticket.set_running_or_notify_cancel():
        ticket.set_exception(error)
