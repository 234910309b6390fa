"""One reader's live list, as server-sent events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from telemed.application.worklist import changed_rows, events_after, last_event_id
from telemed.application.world import World
from telemed.domain.errors import Unauthenticated
from telemed.domain.events import Event
from telemed.web.api import convert
from telemed.web.api.shapes import Delta
from telemed.web.live.hub import Hub
from telemed.web.security import Signed, signed_in

HEARTBEAT_SECONDS = 15.0
# A resuming browser names an id; a transaction with a lower one may have committed after it was told.
LOOK_BACK = 200
# Whoever was away for longer loads the list anew.
_RESUMED = 5000
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

    def delta(self, events: Sequence[Event]) -> Delta | None:
        actor = self.signed.actor
        found = changed_rows(self.world, actor=actor, events=events, shown=self.shown)
        if found is None:
            return None
        rows = [convert.row(row, actor, actor.language) for row in found.rows]
        self.shown.difference_update(found.gone)
        self.shown.update(row.id for row in rows)
        return Delta(rows=rows, gone=sorted(found.gone), counts=found.counts)

    def missed(self) -> list[Event]:
        if self.since is None:
            return []
        events: list[Event] = []
        after = max(self.since - LOOK_BACK, 0)
        while len(events) < _RESUMED and (page := events_after(self.world, event_id=after, limit=_PAGE)):
            events += page
            after = page[-1].id
        return events


async def stream(line: Line) -> AsyncIterator[str]:
    async with line.hub.subscribed() as subscription:
        # Subscribed first: what happens while the missed is read is told twice rather than never.
        if subscription.closed:
            return
        last = await asyncio.to_thread(last_event_id, line.world)
        yield _event("hello", json.dumps({"last_event_id": last}))
        events = await asyncio.to_thread(line.missed)
        checked = time.monotonic()
        while True:
            # Nothing is told to someone who left: a sign-out is itself an event that wakes this line.
            if events or time.monotonic() - checked >= HEARTBEAT_SECONDS:
                if not await asyncio.to_thread(line.still_signed_in):
                    yield _event("signed_out", "{}")
                    return
                checked = time.monotonic()
            if events:
                last = max(last, events[-1].id)
                delta = await asyncio.to_thread(line.delta, events)
                if delta is not None:
                    yield _event("cases", delta.model_dump_json(), last)
            if subscription.closed:
                return
            events = await subscription.take(HEARTBEAT_SECONDS)
            if not events:
                yield ": still here\n\n"


def _event(name: str, data: str, event_id: int | None = None) -> str:
    head = f"event: {name}\n" if event_id is None else f"event: {name}\nid: {event_id}\n"
    return f"{head}data: {data}\n\n"
