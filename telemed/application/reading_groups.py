"""Who reads: the groups of a centre, the rules that lead to them, and who is on duty for them and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telemed.application.administer import site_of
from telemed.application.lock_out import user_of
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.waiting_cases import route_waiting
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.order import Priority
from telemed.domain.people import User
from telemed.domain.routing import Duty, ReadingGroup, RoutingRule

_LONGEST_LIMIT = 7 * 24 * 60


@dataclass(frozen=True)
class Arrangement:
    groups: Sequence[ReadingGroup]
    # In the order in which they are tried; ended ones are left out.
    rules: Sequence[RoutingRule]
    # Those that hold now or will; of people who can sign in.
    duties: Sequence[Duty]


@dataclass(frozen=True, kw_only=True)
class NewRoute:
    """An empty field fits everything."""

    rank: int
    group_uid: str
    limit_minutes: int
    fallback_uid: str | None = None
    modality: str = ""
    institution_uid: str | None = None
    priority: Priority | None = None


def arrangement(world: World, *, actor: Actor) -> Arrangement:
    demand(actor, Action.ADMINISTER)
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        return Arrangement(
            uow.rules.groups(actor.consortium_id),
            [one for one in uow.rules.routing(actor.consortium_id) if one.active],
            # One that was called off before it began ends when it starts.
            [
                duty
                for duty in uow.rules.roster(actor.consortium_id)
                if duty.ends_at is None or duty.ends_at > max(now, duty.starts_at)
            ],
        )


def readers(world: World, *, actor: Actor) -> Sequence[User]:
    """Who can be on duty."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        people = uow.users.of_consortium(actor.consortium_id)
    return [one for one in people if one.active and may(one.role, Action.WRITE_REPORT)]


def keep_group(
    world: World, *, actor: Actor, code: str, name: str, institution_uid: str | None = None
) -> ReadingGroup:
    """Under its code; a code that is there gets the new name, and stays with its institution."""
    demand(actor, Action.ADMINISTER)
    code, name = code.strip().lower(), name.strip()
    if not code or not name:
        raise InvalidInput("error.field_required", field="name" if code else "code")
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        group = next((one for one in uow.rules.groups(actor.consortium_id) if one.code == code), None)
        if group is not None and group.institution_id != site.id:
            raise Conflict("error.group_code_elsewhere", group=code)
        if group is None:
            group = ReadingGroup(
                uid=world.identifiers.uid(),
                institution_id=site.id,
                consortium_id=actor.consortium_id,
                code=code,
                name=name,
            )
            uow.rules.add(group)
            uow.flush()
        elif group.name == name:
            return group
        group.name = name
        _changed(world, uow, actor, group, what="reading_group")
        uow.commit()
    return group


def add_route(world: World, *, actor: Actor, new: NewRoute) -> RoutingRule:
    """The same rule once more is the one that is there. Cases no rule fitted so far are routed at once.

    Raises Conflict where another rule has the rank: of two at one place nobody could say which comes first.
    """
    demand(actor, Action.ADMINISTER)
    if not 1 <= new.limit_minutes <= _LONGEST_LIMIT:
        raise InvalidInput("error.field_invalid", field="limit_minutes")
    with world.unit_of_work() as uow:
        group = _group(uow, actor, new.group_uid)
        fallback = _group(uow, actor, new.fallback_uid) if new.fallback_uid else None
        site = site_of(uow, actor, new.institution_uid) if new.institution_uid else None
        values: dict[str, Any] = {
            "reading_group_id": group.id,
            "fallback_group_id": fallback.id if fallback else None,
            "modality": new.modality.strip().upper(),
            "institution_id": site.id if site else None,
            "priority": new.priority,
            "limit_minutes": new.limit_minutes,
        }
        rules = [one for one in uow.rules.routing(actor.consortium_id) if one.active]
        known = next((one for one in rules if one.rank == new.rank), None)
        if known is not None:
            if any(getattr(known, name) != value for name, value in values.items()):
                raise Conflict("error.rank_taken", rank=new.rank)
            return known
        rule = RoutingRule(
            uid=world.identifiers.uid(), consortium_id=actor.consortium_id, rank=new.rank, **values
        )
        uow.rules.add(rule)
        uow.flush()
        _changed(world, uow, actor, group, what="routing_rule", rule=rule.uid)
        route_waiting(world, uow, actor)
        uow.commit()
    world.waker.wake()
    return rule


def end_route(world: World, *, actor: Actor, uid: str) -> None:
    """Nothing more is routed by it; what it routed stays where it is."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        rule = next((one for one in uow.rules.routing(actor.consortium_id) if one.uid == uid), None)
        if rule is None:
            raise NotFound("error.route_not_found")
        if rule.active:
            rule.active = False
            group = uow.rules.group(rule.reading_group_id)
            _changed(world, uow, actor, group, what="routing_rule", rule=rule.uid, active=False)
        uow.commit()


def add_duty(
    world: World,
    *,
    actor: Actor,
    group_uid: str,
    user_uid: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Duty:
    """From now, or from `starts_at`; without an end a standing duty. Times without a zone are the group's own.

    The same duty once more is the one that is there.
    """
    demand(actor, Action.ADMINISTER)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        group, user = _group(uow, actor, group_uid), user_of(uow, actor, user_uid)
        if not may(user.role, Action.WRITE_REPORT):
            raise InvalidInput("error.duty_needs_reader", field="user")
        zone = ZoneInfo(uow.institutions.get(group.institution_id).time_zone)
        start, end = _instant(starts_at, zone), _instant(ends_at, zone)
        if end is not None and end <= (start or now):
            raise InvalidInput("error.ends_before_start", field="ends_at")
        for known in uow.rules.roster(actor.consortium_id):
            same = (known.reading_group_id, known.user_id, known.ends_at) == (group.id, user.id, end)
            if same and (known.starts_at == start if start else known.covers(now)):
                return known
        duty = Duty(reading_group_id=group.id, user_id=user.id, starts_at=start or now, ends_at=end)
        uow.rules.add(duty)
        uow.flush()
        _changed(world, uow, actor, group, what="duty", user=user.uid)
        uow.commit()
    return duty


def end_duty(world: World, *, actor: Actor, duty_id: int) -> None:
    """Over from now on; one that has not begun never does. One that is over already stays as it was."""
    demand(actor, Action.ADMINISTER)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        duty = next((one for one in uow.rules.roster(actor.consortium_id) if one.id == duty_id), None)
        if duty is None:
            raise NotFound("error.duty_not_found")
        if duty.ends_at is None or duty.ends_at > now:
            duty.ends_at = max(now, duty.starts_at)
            user = uow.users.get(duty.user_id).uid
            group = uow.rules.group(duty.reading_group_id)
            _changed(world, uow, actor, group, what="duty", user=user, active=False)
        uow.commit()


def _instant(given: datetime | None, zone: ZoneInfo) -> datetime | None:
    return given.replace(tzinfo=zone) if given is not None and given.tzinfo is None else given


def _group(uow: UnitOfWork, actor: Actor, uid: str) -> ReadingGroup:
    group = next((one for one in uow.rules.groups(actor.consortium_id) if one.uid == uid), None)
    if group is None:
        raise NotFound("error.group_not_found")
    return group


def _changed(world: World, uow: UnitOfWork, actor: Actor, group: ReadingGroup, **facts: Any) -> None:
    record(
        world,
        uow,
        Kind.SITE_CHANGED,
        actor=actor,
        institution_id=group.institution_id,
        group=group.uid,
        **facts,
    )
