"""One look at the event table for all open lists of this process.

Events are written by other processes too (the DICOM door, the workers), so memory alone would not do: the table
is the bus. Ids are given before commits: with several writers a lower id may appear after a higher one. A gap in
the ids is therefore looked at again until it fills, or until no transaction can still be filling it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telemed.application.faults import trace_of
from telemed.application.worklist import events_after, last_event_id
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.events import Event, Kind
from telemed.web.live.telling import Audience, Told, tell, tell_counts

log = logging.getLogger(__name__)

PERIOD = 0.15
COUNTS_PERIOD = 20.0
# No transaction of ours lives longer; a gap older than this was a rollback.
GAP_SECONDS = 60.0
_PAGE = 500
# Looks that a list has not taken: it is closed then; its browser comes back and resumes.
_WAITING = 200


class Cursor:
    """Everything up to `position` is known; beyond it single ids are, because there are gaps."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._seen: set[int] = set()
        self._gap_since: float | None = None

    def fresh(self, events: Sequence[Event], now: float) -> list[Event]:
        """Those of `events` (all after `position`, in the order of their ids) that were not seen before."""
        new = [event for event in events if event.id not in self._seen]
        self._seen.update(event.id for event in new)
        self._advance()
        if not self._seen:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = now
        elif now - self._gap_since > GAP_SECONDS:
            self.position = min(self._seen) - 1
            self._gap_since = None
            self._advance()
        return new

    def _advance(self) -> None:
        while self.position + 1 in self._seen:
            self.position += 1
            self._seen.discard(self.position)


@dataclass(frozen=True)
class Batch:
    """What one look brought, for everybody: each line takes its audience's part."""

    last_event_id: int
    told: Mapping[Audience, Told]
    # These may have signed out: their lines ask.
    left: frozenset[int] = frozenset()


class Subscription:
    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._waiting: list[Batch] = []
        self._something = asyncio.Event()
        self.closed = False

    def offer(self, batch: Batch) -> None:
        self._waiting.append(batch)
        if len(self._waiting) > _WAITING:
            self.close()
        self._something.set()

    def close(self) -> None:
        self.closed = True
        self._something.set()

    async def take(self, timeout: float) -> list[Batch]:
        """What came since, at once; or nothing after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._something.wait()
        except TimeoutError:
            return []
        self._something.clear()
        taken, self._waiting = self._waiting, []
        return taken


class Hub:
    def __init__(self, world: World) -> None:
        self._world = world
        self._subscriptions: set[Subscription] = set()
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()
        self._closed = False

    @property
    def open_lines(self) -> int:
        return len(self._subscriptions)

    @asynccontextmanager
    async def subscribed(self, actor: Actor) -> AsyncIterator[Subscription]:
        """Entered once the table is followed: every event after this moment will be offered."""
        subscription = Subscription(actor)
        self._subscriptions.add(subscription)
        self._wanted.set()
        try:
            if self._closed:
                subscription.close()
            else:
                await self._following.wait()
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends every open line, so that the server can stop."""
        self._closed = True
        self._following.set()
        for subscription in self._subscriptions:
            subscription.close()

    async def run(self) -> None:
        """Looks at the table as long as somebody listens; a fault of one look ends no list and loses no event."""
        cursor: Cursor | None = None
        counted = time.monotonic()
        while not self._closed:
            if not self._subscriptions:
                cursor = None
                self._following.clear()
                self._wanted.clear()
                await self._wanted.wait()
            pause = PERIOD
            try:
                if time.monotonic() - counted >= COUNTS_PERIOD:
                    counted = time.monotonic()
                    await self._offer([])
                if cursor is None:
                    cursor = Cursor(await asyncio.to_thread(last_event_id, self._world))
                    self._following.set()
                await self._look(cursor)
            except Exception as fault:  # noqa: BLE001 the lists outlive a database that is away for a moment
                log.warning("the live lists wait: %s", trace_of(fault))
                pause = 1.0
            await asyncio.sleep(pause)

    async def _look(self, cursor: Cursor) -> None:
        after = cursor.position
        events: list[Event] = []
        while page := await asyncio.to_thread(events_after, self._world, event_id=after, limit=_PAGE):
            events += page
            after = page[-1].id
            if len(page) < _PAGE:
                break
        if new := cursor.fresh(events, time.monotonic()):
            await self._offer(new)

    async def _offer(self, events: Sequence[Event]) -> None:
        """Of no events: the counts alone, because some of them move by the clock."""
        subscriptions = tuple(self._subscriptions)
        readers: dict[Audience, dict[int, Actor]] = {}
        for one in subscriptions:
            readers.setdefault(Audience.of(one.actor), {})[one.actor.user_id] = one.actor
        told = await asyncio.to_thread(self._told, events, readers)
        left = frozenset(e.actor_user_id for e in events if e.kind is Kind.SIGNED_OUT and e.actor_user_id)
        last = max((event.id for event in events), default=0)
        if told or left:
            batch = Batch(last, told, left)
            for one in subscriptions:
                one.offer(batch)

    def _told(
        self, events: Sequence[Event], readers: Mapping[Audience, Mapping[int, Actor]]
    ) -> dict[Audience, Told]:
        told = {}
        for audience, people in readers.items():
            actor = next(iter(people.values()))
            found = (
                tell(self._world, actor, events, people)
                if events
                else tell_counts(self._world, actor, people)
            )
            if found is not None:
                told[audience] = found
        return told
