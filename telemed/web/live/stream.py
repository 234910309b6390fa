"""One reader's live list, as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from telemed.application.worklist import events_after, last_event_id
from telemed.application.world import World
from telemed.domain.errors import Unauthenticated
from telemed.domain.events import Event
from telemed.web.live.hub import Hub
from telemed.web.live.telling import Audience, Told, tell
from telemed.web.security import Signed, signed_in

HEARTBEAT_SECONDS = 15.0
# Whether the session still stands is asked so often, however much there is to tell.
CHECK_SECONDS = 3.0
# A resuming browser names an id; a transaction with a lower one may have committed after it was told.
LOOK_BACK = 200
# Whoever was away for longer loads the list anew.
_RESUMED = 2000
_PAGE = 500


@dataclass
class Line:
    world: World
    hub: Hub
    signed: Signed
    since: int | None
    # Cases this line has shown: only of these may it say that they are gone.
    shown: set[str] = field(default_factory=set)

    def still_signed_in(self) -> bool:
        try:
            self.signed = signed_in(self.world, self.signed.token, self.signed.kind)
        except Unauthenticated:
            return False
        return True

    def data(self, told: Told) -> str | None:
        data = told.to(self.signed.actor.user_id, self.shown)
        self.shown.difference_update(told.unseen)
        self.shown.update(row.uid for row in told.rows)
        return data

    def missed(self) -> tuple[list[Event], bool]:
        """The events since `since`, and whether these are all: who was away too long loads the list anew."""
        if self.since is None:
            return [], False
        events: list[Event] = []
        after = max(self.since - LOOK_BACK, 0)
        while len(events) < _RESUMED:
            page = events_after(self.world, event_id=after, limit=_PAGE)
            if not page:
                return events, True
            events += page
            after = page[-1].id
        return [], False

    def tell_missed(self, events: Sequence[Event]) -> Told | None:
        actor = self.signed.actor
        return tell(self.world, actor, events, (actor.user_id,))


async def stream(line: Line) -> AsyncIterator[str]:
    async with line.hub.subscribed(line.signed.actor) as subscription:
        # Subscribed first: what happens while the missed is read is told twice rather than never.
        if subscription.closed:
            return
        last = await asyncio.to_thread(last_event_id, line.world)
        missed, resumed = await asyncio.to_thread(line.missed)
        yield _event("hello", json.dumps({"last_event_id": last, "resumed": resumed}))
        told = await asyncio.to_thread(line.tell_missed, missed) if missed else None
        if told is not None and (data := line.data(told)):
            last = max(last, missed[-1].id)
            yield _event("cases", data, last)
        user_id, audience = line.signed.actor.user_id, Audience.of(line.signed.actor)
        checked = time.monotonic()
        while not subscription.closed:
            batches = await subscription.take(HEARTBEAT_SECONDS)
            # Nothing is told to someone who left: a sign-out is itself an event that wakes this line.
            left = any(user_id in batch.left for batch in batches)
            if left or time.monotonic() - checked >= min(CHECK_SECONDS, HEARTBEAT_SECONDS):
                if not await asyncio.to_thread(line.still_signed_in):
                    yield _event("signed_out", "{}")
                    return
                checked = time.monotonic()
            for batch in batches:
                last = max(last, batch.last_event_id)
                told = batch.told.get(audience)
                if told is not None and (data := line.data(told)):
                    yield _event("cases", data, last)
            if not batches:
                yield ": still here\n\n"


def _event(name: str, data: str, event_id: int | None = None) -> str:
    head = f"event: {name}\n" if event_id is None else f"event: {name}\nid: {event_id}\n"
    return f"{head}data: {data}\n\n"
