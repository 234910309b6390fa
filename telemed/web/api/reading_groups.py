"""Reading groups, the rules that lead to them, duty and triage: the administrator's."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from telemed.application import reading_groups as groups
from telemed.application import triage_rules as triage
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.order import Priority
from telemed.domain.triage import TriageRule
from telemed.web.api.admin import Uid, institution_ref, sites_of
from telemed.web.api.shapes import Body, EmptyIsNone, Instant, InstitutionRef, PriorityName
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])

_NAMES: dict[Priority, PriorityName] = {
    Priority.STAT: "stat",
    Priority.URGENT: "urgent",
    Priority.ROUTINE: "routine",
}


class GroupIn(Body):
    code: str = Field(max_length=32)
    name: str = Field(max_length=100)
    institution: str | None = None


class GroupOut(BaseModel):
    id: str
    code: str
    name: str
    institution: InstitutionRef


class RouteIn(Body):
    rank: int = Field(ge=1, le=9999)
    group: str = Field(max_length=64)
    fallback: EmptyIsNone[str] = None
    modality: str = Field("", max_length=16)
    institution: EmptyIsNone[str] = None
    priority: EmptyIsNone[PriorityName] = None
    limit_minutes: int


class RouteOut(BaseModel):
    id: str
    rank: int
    group: str
    fallback: str | None
    modality: str
    institution: InstitutionRef | None
    priority: PriorityName | None
    limit_minutes: int


class DutyIn(Body):
    group: str = Field(max_length=64)
    user: str = Field(max_length=64)
    # Without an offset: the clock on the wall of the group's institution.
    starts_at: EmptyIsNone[datetime] = None
    ends_at: EmptyIsNone[datetime] = None


class DutyOut(BaseModel):
    id: int
    group: str
    user: str
    starts_at: Instant
    ends_at: Instant | None


class ArrangementOut(BaseModel):
    groups: list[GroupOut]
    rules: list[RouteOut]
    duties: list[DutyOut]


class TriageIn(Body):
    modality: str = Field(max_length=16)
    finding: str = Field(max_length=64)
    priority: PriorityName


class TriageOut(BaseModel):
    id: str
    modality: str
    finding: str
    priority: PriorityName


def arrangement_out(world: World, actor: Actor) -> ArrangementOut:
    found, sites = groups.arrangement(world, actor=actor), sites_of(world, actor)
    uids = {one.id: one.uid for one in found.groups}
    people = {one.id: one.uid for one in groups.readers(world, actor=actor)}
    return ArrangementOut(
        groups=[
            GroupOut(
                id=one.uid,
                code=one.code,
                name=one.name,
                institution=institution_ref(sites, one.institution_id),
            )
            for one in found.groups
        ],
        rules=[
            RouteOut(
                id=one.uid,
                rank=one.rank,
                group=uids[one.reading_group_id],
                fallback=uids.get(one.fallback_group_id) if one.fallback_group_id else None,
                modality=one.modality,
                institution=institution_ref(sites, one.institution_id) if one.institution_id else None,
                priority=None if one.priority is None else _NAMES[one.priority],
                limit_minutes=one.limit_minutes,
            )
            for one in found.rules
        ],
        duties=[
            DutyOut(
                id=one.id,
                group=uids[one.reading_group_id],
                user=people[one.user_id],
                starts_at=one.starts_at,
                ends_at=one.ends_at,
            )
            for one in found.duties
            if one.user_id in people
        ],
    )


def triage_out(rule: TriageRule) -> TriageOut:
    return TriageOut(
        id=rule.uid, modality=rule.modality, finding=rule.finding, priority=_NAMES[rule.priority]
    )


@router.get("/reading-groups", **guard(Action.ADMINISTER))
def read_arrangement(world: TheWorld, actor: CurrentActor) -> ArrangementOut:
    """Groups, the rules in the order in which they are tried, and the duties that hold or will."""
    return arrangement_out(world, actor)


@router.post("/reading-groups", status_code=201, **guard(Action.ADMINISTER))
def keep_group(world: TheWorld, actor: CurrentActor, body: GroupIn) -> ArrangementOut:
    """Under its code; a code that is there gets the new name."""
    groups.keep_group(world, actor=actor, code=body.code, name=body.name, institution_uid=body.institution)
    return arrangement_out(world, actor)


@router.post("/routing-rules", status_code=201, **guard(Action.ADMINISTER))
def add_route(world: TheWorld, actor: CurrentActor, body: RouteIn) -> ArrangementOut:
    """The first rule that fits, by rank, gives group and limit. Cases that waited for a rule are routed at once."""
    new = groups.NewRoute(
        rank=body.rank,
        group_uid=body.group,
        fallback_uid=body.fallback,
        modality=body.modality,
        institution_uid=body.institution,
        priority=None if body.priority is None else Priority[body.priority.upper()],
        limit_minutes=body.limit_minutes,
    )
    groups.add_route(world, actor=actor, new=new)
    return arrangement_out(world, actor)


@router.delete("/routing-rules/{route_id}", status_code=204, **guard(Action.ADMINISTER))
def end_route(world: TheWorld, actor: CurrentActor, route_id: Uid) -> Response:
    groups.end_route(world, actor=actor, uid=route_id)
    return Response(status_code=204)


@router.post("/duties", status_code=201, **guard(Action.ADMINISTER))
def add_duty(world: TheWorld, actor: CurrentActor, body: DutyIn) -> ArrangementOut:
    """Somebody reads for a group: from now or a given time, until an end or until further notice."""
    groups.add_duty(
        world,
        actor=actor,
        group_uid=body.group,
        user_uid=body.user,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )
    return arrangement_out(world, actor)


@router.delete("/duties/{duty_id}", status_code=204, **guard(Action.ADMINISTER))
def end_duty(world: TheWorld, actor: CurrentActor, duty_id: int) -> Response:
    groups.end_duty(world, actor=actor, duty_id=duty_id)
    return Response(status_code=204)


@router.get("/triage-rules", **guard(Action.ADMINISTER))
def read_triage(world: TheWorld, actor: CurrentActor) -> list[TriageOut]:
    return [triage_out(one) for one in triage.triage_rules(world, actor=actor)]


@router.post("/triage-rules", status_code=201, **guard(Action.ADMINISTER))
def keep_triage(world: TheWorld, actor: CurrentActor, body: TriageIn) -> TriageOut:
    """A flagged finding brings a case forward to this priority, never back."""
    rule = triage.keep_triage(
        world,
        actor=actor,
        modality=body.modality,
        finding=body.finding,
        priority=Priority[body.priority.upper()],
    )
    return triage_out(rule)


@router.delete("/triage-rules/{triage_id}", status_code=204, **guard(Action.ADMINISTER))
def end_triage(world: TheWorld, actor: CurrentActor, triage_id: Uid) -> Response:
    triage.end_triage(world, actor=actor, uid=triage_id)
    return Response(status_code=204)
