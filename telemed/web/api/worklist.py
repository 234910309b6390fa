"""The readers' list, the search in all cases, and the line on which the list moves by itself."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from telemed.application.document import exam_name
from telemed.application.ports.worklist import Filter
from telemed.application.worklist import OtherExam, priors, search, sites, worklist
from telemed.domain.access import Action
from telemed.domain.case import CaseState
from telemed.domain.worklist import COUNT_LIMIT, View
from telemed.web.api import convert
from telemed.web.api.shapes import Body, Instant, Row, WorklistOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.live.hub import Hub
from telemed.web.live.stream import Line, stream
from telemed.web.security import CurrentActor, CurrentSession

router = APIRouter(tags=["worklist"])
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/worklist", **guard(Action.SEE_WORKLIST))
def read(
    world: TheWorld,
    actor: CurrentActor,
    view: View = View.WAITING,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Limit = 50,
    modality: Annotated[str, Query(max_length=16)] = "",
    site: Annotated[str, Query(max_length=36)] = "",
) -> WorklistOut:
    only = Filter(modality=modality, site=site)
    found = worklist(world, actor=actor, view=view, cursor=cursor, limit=limit, only=only)
    return WorklistOut(
        rows=[convert.row(row, actor, actor.language) for row in found.page.rows],
        next_cursor=found.page.next_cursor,
        counts=found.counts,
        count_limit=COUNT_LIMIT,
        now=found.now,
        last_event_id=found.last_event_id,
    )


class SiteOut(BaseModel):
    id: str
    name: str


@router.get("/worklist/sites", **guard(Action.SEE_WORKLIST))
def read_sites(world: TheWorld, actor: CurrentActor) -> list[SiteOut]:
    """The institutions by which the list can be cut."""
    found = sites(world, actor=actor)
    return [SiteOut(id=one.uid, name=convert.site_name(one, actor.language)) for one in found]


class SearchIn(Body):
    text: str = Field(min_length=1, max_length=120)
    cursor: str | None = Field(None, max_length=40)
    limit: int = Field(50, ge=1, le=200)


class SearchOut(BaseModel):
    rows: list[Row]
    next_cursor: str | None
    # The text fits too many names: not all of them were followed to their oldest case.
    partial: bool


# A name asked for in an address would stand in the log of every server on the way.
@router.post("/worklist/search", **guard(Action.SEE_WORKLIST))
def find(world: TheWorld, actor: CurrentActor, body: SearchIn) -> SearchOut:
    """By the beginning of a name in characters, pinyin or initials; by a patient's number, an accession number, a
    card number or its last four characters. The newest case first."""
    found = search(world, actor=actor, typed=body.text, cursor=body.cursor, limit=body.limit)
    return SearchOut(
        rows=[convert.row(row, actor, actor.language) for row in found.rows],
        next_cursor=found.next_cursor,
        partial=found.partial,
    )


class PriorOut(BaseModel):
    id: str
    modality: str
    exam: str
    body_part: str
    site: str
    arrived_at: Instant
    state: CaseState
    study_instance_uid: str
    # By the same modality as the case it was asked for.
    comparable: bool
    # It came before that case; what did not is a later exam, and no prior.
    earlier: bool
    # Of the same part of the body as that case: only such a one stands beside it unasked.
    same_part: bool
    # Of the report in force.
    findings: str
    impression: str
    recommendation: str
    abnormal: bool | None
    report_id: str | None
    released_at: Instant | None
    pdf_url: str | None


class PriorsOut(BaseModel):
    rows: list[PriorOut]


@router.get("/cases/{case_id}/priors", **guard(Action.SEE_WORKLIST))
def earlier(world: TheWorld, actor: CurrentActor, case_id: str) -> PriorsOut:
    """The same person's other exams, wherever they were made, as far as this reader may see them."""
    found = priors(world, actor=actor, case_uid=case_id)
    return PriorsOut(rows=[_prior(one, actor.language) for one in found])


def _prior(other: OtherExam, language: str) -> PriorOut:
    found = other.prior
    report = found.report
    return PriorOut(
        id=found.case.uid,
        modality=found.case.modality,
        exam=exam_name(found.study, found.exam or found.study.description, language),
        body_part=found.study.body_part,
        site=convert.site_name(found.institution, language),
        arrived_at=found.case.arrived_at,
        state=found.case.state,
        study_instance_uid=found.study.study_instance_uid,
        comparable=other.comparable,
        earlier=other.earlier,
        same_part=other.same_part,
        findings=report.findings if report else "",
        impression=report.impression if report else "",
        recommendation=report.recommendation if report else "",
        abnormal=report.abnormal if report else None,
        report_id=report.uid if report else None,
        released_at=report.released_at if report else None,
        pdf_url=convert.pdf_url(report) if report else None,
    )


@router.get("/worklist/stream", response_class=StreamingResponse, **guard(Action.SEE_WORKLIST))
async def live(
    request: Request,
    world: TheWorld,
    signed: CurrentSession,
    last_event_id: Annotated[int | None, Query(ge=0)] = None,
    resumed: Annotated[str, Header(alias="Last-Event-ID")] = "",
) -> StreamingResponse:
    """Server-sent events: `hello` (with `resumed`: whether what was missed will be told), then `cases` with the
    rows that changed, those that are gone and the counts, as this person may see them."""
    hub: Hub = request.app.state.hub
    # What the browser resumes with is newer than what the page was opened with.
    since = int(resumed) if resumed.isascii() and resumed.isdigit() else last_event_id
    line = Line(world, hub, signed, since)
    return StreamingResponse(
        stream(line), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
