"""The readers' list, and the line on which it moves by itself."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from telemed.application.worklist import worklist
from telemed.domain.access import Action
from telemed.web.api import convert
from telemed.web.api.shapes import View, WorklistOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.live.hub import Hub
from telemed.web.live.stream import Line, stream
from telemed.web.security import CurrentActor, CurrentSession

router = APIRouter(prefix="/worklist", tags=["worklist"])


@router.get("", **guard(Action.SEE_WORKLIST))
def read(
    world: TheWorld,
    actor: CurrentActor,
    view: View = "waiting",
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> WorklistOut:
    found = worklist(world, actor=actor, view=view, cursor=cursor, limit=limit)
    return WorklistOut(
        rows=[convert.row(row, actor, actor.language) for row in found.page.rows],
        next_cursor=found.page.next_cursor,
        counts=found.counts,
        now=found.now,
        last_event_id=found.last_event_id,
    )


@router.get("/stream", response_class=StreamingResponse, **guard(Action.SEE_WORKLIST))
async def live(
    request: Request,
    world: TheWorld,
    signed: CurrentSession,
    last_event_id: Annotated[int | None, Query(ge=0)] = None,
    resumed: Annotated[str, Header(alias="Last-Event-ID")] = "",
) -> StreamingResponse:
    """Server-sent events: `hello`, then `cases` with the rows that changed, as this person may see them."""
    hub: Hub = request.app.state.hub
    # What the browser resumes with is newer than what the page was opened with.
    since = int(resumed) if resumed.isascii() and resumed.isdigit() else last_event_id
    line = Line(world, hub, signed, since)
    return StreamingResponse(
        stream(line), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
