"""One case: open, claim, write, sign, review, amend, ask for a repeat."""

from typing import Annotated

from fastapi import APIRouter, Query

from telemed.application import read as reading
from telemed.application import sign as signing
from telemed.application.heat_maps import heat_maps
from telemed.application.hold import undo_signature
from telemed.application.take_over import ask_for, take_over
from telemed.domain.access import Action
from telemed.domain.repeat import RepeatMark
from telemed.web.api import convert
from telemed.web.api.heat_map import HeatMapOut, convert_heat_map
from telemed.web.api.shapes import CaseOut, DraftIn, ReasonIn, RepeatIn, ReportOut, ReviewIn, SignIn
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/cases/{case_id}", tags=["cases"])


@router.get("", **guard(Action.SEE_CASE))
def open_case(
    world: TheWorld,
    actor: CurrentActor,
    case_id: str,
    ahead: Annotated[bool, Query(description="fetched before anybody opens it")] = False,
) -> CaseOut:
    opened = reading.open_case(world, actor=actor, uid=case_id, ahead=ahead)
    return convert.case(opened, actor, actor.language)


@router.get("/heat-maps", **guard(Action.SEE_CASE))
def read_heat_maps(world: TheWorld, actor: CurrentActor, case_id: str) -> list[HeatMapOut]:
    """Model attention, not an outline: asked for by the page when a reader switches it on."""
    return [convert_heat_map(one) for one in heat_maps(world, actor=actor, uid=case_id)]


@router.post("/claim", **guard(Action.WRITE_REPORT))
def claim(world: TheWorld, actor: CurrentActor, case_id: str) -> CaseOut:
    return convert.case(reading.claim(world, actor=actor, uid=case_id), actor, actor.language)


@router.post("/release", **guard(Action.WRITE_REPORT))
def release(world: TheWorld, actor: CurrentActor, case_id: str) -> CaseOut:
    return convert.case(reading.release(world, actor=actor, uid=case_id), actor, actor.language)


@router.post("/ask", **guard(Action.WRITE_REPORT))
def ask(world: TheWorld, actor: CurrentActor, case_id: str) -> CaseOut:
    """Asks whoever holds it for it."""
    return convert.case(ask_for(world, actor=actor, uid=case_id), actor, actor.language)


@router.post("/take", **guard(Action.WRITE_REPORT))
def take(world: TheWorld, actor: CurrentActor, case_id: str, body: ReasonIn) -> CaseOut:
    """Takes it out of another's hands, with a reason that stays on record."""
    opened = take_over(world, actor=actor, uid=case_id, reason=body.reason)
    return convert.case(opened, actor, actor.language)


@router.put("/draft", **guard(Action.WRITE_REPORT))
def save_draft(world: TheWorld, actor: CurrentActor, case_id: str, body: DraftIn) -> ReportOut:
    draft = reading.Draft(**body.model_dump())
    report, author = reading.save_draft(world, actor=actor, uid=case_id, draft=draft)
    return convert.report(report, {author.id: author})


@router.post("/sign", **guard(Action.WRITE_REPORT))
def sign(world: TheWorld, actor: CurrentActor, case_id: str, body: SignIn) -> CaseOut:
    opened = signing.sign(world, actor=actor, uid=case_id, revision=body.revision, words=body.written())
    return convert.case(opened, actor, actor.language)


@router.post("/preliminary", **guard(Action.WRITE_REPORT))
def release_preliminary(world: TheWorld, actor: CurrentActor, case_id: str, body: SignIn) -> CaseOut:
    """An emergency report, out at once; the case stays open for its final one."""
    opened = signing.release_preliminary(
        world, actor=actor, uid=case_id, revision=body.revision, words=body.written()
    )
    return convert.case(opened, actor, actor.language)


@router.post("/undo", **guard(Action.WRITE_REPORT))
def undo(world: TheWorld, actor: CurrentActor, case_id: str) -> CaseOut:
    """Takes the own signature back while it is on hold."""
    return convert.case(undo_signature(world, actor=actor, uid=case_id), actor, actor.language)


@router.post("/review", **guard(Action.REVIEW_REPORT))
def review(world: TheWorld, actor: CurrentActor, case_id: str, body: ReviewIn) -> CaseOut:
    opened = signing.review(
        world,
        actor=actor,
        uid=case_id,
        decision=body.decision,
        revision=body.revision,
        comment=body.comment,
        words=body.words.model_dump() if body.words else None,
    )
    return convert.case(opened, actor, actor.language)


@router.post("/amend", **guard(Action.WRITE_REPORT))
def amend(world: TheWorld, actor: CurrentActor, case_id: str, body: ReasonIn) -> CaseOut:
    opened = signing.amend(world, actor=actor, uid=case_id, reason=body.reason)
    return convert.case(opened, actor, actor.language)


@router.post("/repeat", **guard(Action.WRITE_REPORT))
def request_repeat(world: TheWorld, actor: CurrentActor, case_id: str, body: RepeatIn) -> CaseOut:
    mark = RepeatMark(**body.mark.model_dump()) if body.mark else None
    opened = reading.request_repeat(
        world, actor=actor, uid=case_id, reason=body.reason, code=body.code, mark=mark
    )
    return convert.case(opened, actor, actor.language)
