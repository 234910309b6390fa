"""Critical values: raised and checked by readers, received, acted upon and closed by those who were told."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from telemed.application import critical
from telemed.application import critical_receiving as receiving
from telemed.application.document import exam_name
from telemed.application.ports import CriticalRow
from telemed.domain.access import Action, Actor, may
from telemed.domain.critical import (
    ActionKind,
    Check,
    CriticalState,
    How,
    Tier,
)
from telemed.domain.people import Role, User
from telemed.web.api import convert
from telemed.web.api.critical_lists import CriticalRuleOut, rule_out
from telemed.web.api.shapes import Body, Instant, PatientOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(tags=["critical values"])

Step = Literal["confirm", "withdraw", "acknowledge", "call", "act", "close"]


class CardOut(BaseModel):
    """The six fields, and the words that were read back."""

    finding: str
    found_at: Instant
    found_by: str
    received_by: str
    received_at: Instant | None
    how: How | None
    read_back: str


class ActionOut(BaseModel):
    kind: ActionKind
    note: str
    by: str
    at: Instant


class ToldOut(BaseModel):
    """Whom it was told to: a person by name, a role, or the institution as such."""

    name: str
    role: Role | None
    institution: bool
    step: str
    at: Instant


class CriticalOut(BaseModel):
    id: str
    case_id: str
    tier: Tier
    state: CriticalState
    code: str
    note: str
    proposed_by_ai: bool
    patient: PatientOut
    modality: str
    exam: str
    applicant_institution: str
    reporting_institution: str
    raised_at: Instant
    due_at: Instant | None
    checked_by: str
    checked_at: Instant | None
    check: Check | None
    released_at: Instant | None
    card: CardOut
    acknowledged_by: str
    acknowledged_at: Instant | None
    actions: list[ActionOut]
    acted_at: Instant | None
    closed_by: str
    closed_at: Instant | None
    closing_note: str
    told: list[ToldOut]
    escalated: list[str]
    raised_by_me: bool
    # What this person may do next.
    can: list[Step]


class CriticalListOut(BaseModel):
    rows: list[CriticalOut]
    # The server's clock: a wrong one at the receiver's must not move the ten minutes.
    now: Instant


class CaseCriticalOut(BaseModel):
    rules: list[CriticalRuleOut]
    rows: list[CriticalOut]
    now: Instant


class RaiseIn(Body):
    code: str = Field(max_length=64)
    note: str = Field("", max_length=400)


class WithdrawIn(Body):
    reason: str = Field(max_length=400)


class AcknowledgeIn(Body):
    how: How
    read_back: str = Field("", max_length=400)
    received_by: str = Field("", max_length=100)
    received_at: AwareDatetime | None = None


class ActIn(Body):
    # Made by the caller, one for each doing: sent again, it is written down once.
    id: str = Field(pattern=r"^[A-Za-z0-9-]{8,64}$")
    kind: ActionKind
    note: str = Field("", max_length=400)


class CloseIn(Body):
    note: str = Field("", max_length=400)


# --- conversions -----------------------------------------------------------------------------------------------


def _name(row: CriticalRow, user_id: int | None) -> str:
    user: User | None = row.people.get(user_id) if user_id is not None else None
    return user.display_name if user else ""


def critical_out(row: CriticalRow, actor: Actor) -> CriticalOut:
    value, language = row.value, actor.language
    finding = value.finding_en if language == "en" and value.finding_en else value.finding_zh
    place = row.applicant_institution
    reading = row.reporting_institution
    return CriticalOut(
        id=value.uid,
        case_id=row.case.uid,
        tier=value.tier,
        state=value.state,
        code=value.code,
        note=value.note,
        proposed_by_ai=value.proposed_by_ai,
        patient=convert.patient(row.patient, row.study, row.id_last4, place.time_zone),
        modality=row.case.modality,
        exam=exam_name(row.study, row.exam or row.study.description, language),
        applicant_institution=convert.site_name(place, language),
        reporting_institution=convert.site_name(reading, language) if reading else "",
        raised_at=value.raised_at,
        due_at=value.due_at,
        checked_by=_name(row, value.checked_by),
        checked_at=value.checked_at,
        check=value.check_kind,
        released_at=value.released_at,
        card=CardOut(
            finding=finding,
            found_at=value.raised_at,
            found_by=_name(row, value.raised_by),
            received_by=value.received_by,
            received_at=value.received_at,
            how=value.how,
            read_back=value.read_back,
        ),
        acknowledged_by=_name(row, value.acknowledged_by),
        acknowledged_at=value.acknowledged_at,
        actions=[
            ActionOut(kind=one.kind, note=one.note, by=_name(row, one.taken_by), at=one.taken_at)
            for one in row.actions
        ],
        acted_at=value.acted_at,
        closed_by=_name(row, value.closed_by),
        closed_at=value.closed_at,
        closing_note=value.closing_note,
        told=[
            ToldOut(
                name=_name(row, one.user_id),
                role=one.role,
                institution=one.user_id is None and one.role is None,
                step=one.step,
                at=one.created_at,
            )
            for one in row.alerts
        ],
        escalated=[one.step for one in row.alerts if one.step],
        raised_by_me=value.raised_by == actor.user_id,
        can=sorted(_can(row, actor)),
    )


def _can(
    row: CriticalRow, actor: Actor
) -> set[Literal["confirm", "withdraw", "acknowledge", "call", "act", "close"]]:
    value = row.value
    reads = may(actor.role, Action.WRITE_REPORT) and actor.reads_at(value.reporting_institution_id)
    match value.state:
        case CriticalState.AWAITING_CHECK if reads:
            return {"confirm", "withdraw"} if actor.license_number else {"withdraw"}
        case CriticalState.RELEASED if reads:
            return {"call"}
        case CriticalState.RELEASED if may(actor.role, Action.ANSWER_CRITICAL):
            return {"acknowledge"}
        case CriticalState.ACKNOWLEDGED if may(actor.role, Action.ANSWER_CRITICAL):
            return {"act"}
        case CriticalState.ACTED if may(actor.role, Action.ANSWER_CRITICAL):
            return {"act", "close"}
        case _:
            return set()


# --- readers ---------------------------------------------------------------------------------------------------


@router.get("/cases/{case_id}/critical", **guard(Action.WRITE_REPORT))
def of_case(world: TheWorld, actor: CurrentActor, case_id: str) -> CaseCriticalOut:
    found = critical.of_case(world, actor=actor, case_uid=case_id)
    return CaseCriticalOut(
        rules=[rule_out(r, actor.language, proposed=r.code in found.proposed) for r in found.rules],
        rows=[critical_out(row, actor) for row in found.rows],
        now=world.clock.now(),
    )


@router.post("/cases/{case_id}/critical", **guard(Action.WRITE_REPORT))
def raise_value(world: TheWorld, actor: CurrentActor, case_id: str, body: RaiseIn) -> CriticalOut:
    row = critical.raise_value(world, actor=actor, case_uid=case_id, code=body.code, note=body.note)
    return critical_out(row, actor)


@router.post("/critical/{critical_id}/confirm", **guard(Action.WRITE_REPORT))
def confirm(world: TheWorld, actor: CurrentActor, critical_id: str) -> CriticalOut:
    return critical_out(critical.confirm(world, actor=actor, uid=critical_id), actor)


@router.post("/critical/{critical_id}/withdraw", **guard(Action.WRITE_REPORT))
def withdraw(world: TheWorld, actor: CurrentActor, critical_id: str, body: WithdrawIn) -> CriticalOut:
    return critical_out(critical.withdraw(world, actor=actor, uid=critical_id, reason=body.reason), actor)


# --- everyone who was told -------------------------------------------------------------------------------------


@router.get("/critical", **guard(Action.SEE_CRITICAL))
def read(
    world: TheWorld,
    actor: CurrentActor,
    open_only: Annotated[bool, Query(alias="open", description="only what is not closed")] = True,
) -> CriticalListOut:
    rows = critical.listed(world, actor=actor, open_only=open_only)
    now: datetime = world.clock.now()
    return CriticalListOut(rows=[critical_out(row, actor) for row in rows], now=now)


@router.get("/critical/{critical_id}", **guard(Action.SEE_CRITICAL))
def open_card(world: TheWorld, actor: CurrentActor, critical_id: str) -> CriticalOut:
    return critical_out(critical.opened(world, actor=actor, uid=critical_id), actor)


@router.post("/critical/{critical_id}/acknowledge", **guard(Action.ANSWER_CRITICAL))
def acknowledge(world: TheWorld, actor: CurrentActor, critical_id: str, body: AcknowledgeIn) -> CriticalOut:
    answer = receiving.Answer(**body.model_dump())
    return critical_out(receiving.acknowledge(world, actor=actor, uid=critical_id, answer=answer), actor)


@router.post("/critical/{critical_id}/act", **guard(Action.ANSWER_CRITICAL))
def act(world: TheWorld, actor: CurrentActor, critical_id: str, body: ActIn) -> CriticalOut:
    row = receiving.act(world, actor=actor, uid=critical_id, key=body.id, kind=body.kind, note=body.note)
    return critical_out(row, actor)


@router.post("/critical/{critical_id}/close", **guard(Action.ANSWER_CRITICAL))
def close(world: TheWorld, actor: CurrentActor, critical_id: str, body: CloseIn) -> CriticalOut:
    return critical_out(receiving.close(world, actor=actor, uid=critical_id, note=body.note), actor)
