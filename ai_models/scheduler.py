"""Who runs next: as many at once as there are slots, the urgent first, and nobody who would be too late."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, cast

from ai_models.errors import EngineBusy
from ai_models.line import Joint, Line, Ticket, done, refuse
from telemed.domain.inference import Urgency

ORDER = (Urgency.STAT, Urgency.ROUTINE, Urgency.BACKFILL)
RANK = {urgency: rank for rank, urgency in enumerate(ORDER)}
LAST = len(ORDER) - 1


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
        self._lines = tuple(Line() for _ in ORDER)
        self._running = [0] * len(ORDER)
        # What those that run cost together, and when the first of those that wait runs out of time.
        self._busy_s = 0.0
        self._first_end = math.inf
        self._sooner = threading.Condition(self._lock)
        self._handed: SimpleQueue[Ticket | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._watcher: threading.Thread | None = None
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
        return self._enter(Ticket(work, RANK[urgency], self._clock() + within, cost), within)

    def run(self, work: Callable[[], Any], *, urgency: Urgency, within: float, cost: float) -> Any:
        """`work`'s value: done in the caller's thread where a slot is free, else by a runner. Raises as `submit`."""
        rank = RANK[urgency]
        if self._try_enter(rank, cost):
            try:
                return work()
            finally:
                self._leave(rank, cost)
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
        if not self._try_enter(rank, cost):
            ticket = self._enter(Ticket(None, rank, self._clock() + within, cost), within)
            try:
                ticket.result(within + cost)
            except BaseException as error:
                if not ticket.cancel() and not ticket.exception():
                    self._leave(rank, cost)  # it was granted in the moment in which the caller went away
                if isinstance(error, TimeoutError):
                    raise EngineBusy("model.too_late", seconds=1) from error
                raise
        try:
            yield
        finally:
            self._leave(rank, cost)

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
            left = [ticket for line in self._lines for ticket in line.take_all()]
            self._sooner.notify()
        for ticket in left:
            refuse(ticket, EngineBusy("model.busy", seconds=1))
        for _ in self._threads:
            self._handed.put(None)
        for thread in (*self._threads, self._watcher):
            if thread is not None:
                thread.join(10)

    def _free(self, rank: int) -> bool:
        if sum(self._running) >= self.slots:
            return False
        return rank < LAST or self._running[LAST] < self.backfill_slots

    def _try_enter(self, rank: int, cost: float) -> bool:
        with self._lock:
            if self._closed or not self._free(rank) or any(self._lines[: rank + 1]):
                return False
            self._running[rank] += 1
            self._busy_s += cost
            return True

    def _enter(self, ticket: Ticket, within: float) -> Ticket:
        rank = ticket.rank
        with self._lock:
            line, wait = self._lines[rank], self._wait(rank)
            if self._closed or len(line) >= self._bound:
                raise EngineBusy("model.busy", seconds=max(math.ceil(wait), 1))
            end = wait + ticket.cost
            if end > within:
                raise EngineBusy("model.too_late", seconds=max(math.ceil(end - within), 1))
            line.append(ticket)
            self._start_threads()
            if ticket.until < self._first_end:
                self._first_end = ticket.until
                self._sooner.notify()
            granted = self._grant()
        self._hand_out(granted)
        ticket.add_done_callback(self._forget)
        return ticket

    def _wait(self, rank: int) -> float:
        """Until a slot is free for one that comes now: what is before it, each by its own cost, over the slots."""
        before = self._lines[: rank + 1]
        if self._free(rank) and not any(before):
            return 0.0
        slots = self.slots if rank < LAST else self.backfill_slots
        return (self._busy_s + sum(line.seconds for line in before)) / slots

    def _forget(self, ticket: Future[Any]) -> None:
        if isinstance(ticket, Ticket) and ticket.cancelled():
            with self._lock:
                self._lines[ticket.rank].discard(ticket)

    def _leave(self, rank: int, cost: float) -> None:
        self._hand_out(self._release(rank, cost))

    def _release(self, rank: int, cost: float) -> list[Ticket]:
        with self._lock:
            self._running[rank] -= 1
            self._busy_s = self._busy_s - cost if any(self._running) else 0.0
            return self._grant()

    def _grant(self) -> list[Ticket]:
        """Give free slots to the heads of the lines; called under the lock."""
        granted = []
        while (ticket := self._next()) is not None:
            self._running[ticket.rank] += 1
            self._busy_s += ticket.cost
            granted.append(ticket)
        return granted

    def _next(self) -> Ticket | None:
        for rank, line in enumerate(self._lines):
            if line and self._free(rank):
                return line.first()
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
                todo.extend(self._release(ticket.rank, ticket.cost))

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
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="inference-late", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        """Whoever runs out of time in line is told in that moment, not when a slot is free."""
        while True:
            with self._lock:
                if self._closed:
                    return
                now = self._clock()
                late = [ticket for line in self._lines for ticket in line.take_late(now)]
                if not late:
                    ends = (ticket.until for line in self._lines for ticket in line)
                    self._first_end = min(ends, default=math.inf)
                    rest = self._first_end - now
                    self._sooner.wait(None if math.isinf(rest) else max(rest, 0.001))
            for ticket in late:
                refuse(ticket, EngineBusy("model.too_late", seconds=1))

    def _work(self) -> None:
        while (ticket := self._handed.get()) is not None:
            following: Ticket | None = ticket
            while following is not None:
                following = self._run(following)

    def _run(self, ticket: Ticket) -> Ticket | None:
        """Do a ticket's work, then take the next of the line into the same slot without waking another thread."""
        finished: list[tuple[Ticket, Any, BaseException | None]] = []
        if self._begin(ticket):
            finished = done([ticket, *self._companions(ticket)])
        following, others = None, []
        for granted in self._release(ticket.rank, ticket.cost):
            if following is None and granted.work is not None:
                following = granted
            else:
                others.append(granted)
        self._hand_out(others)
        for each, value, error in finished:
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
                        line.discard(other)
                        found.append(other)
                        room -= rows
        return [other for other in found if self._begin(other)]
