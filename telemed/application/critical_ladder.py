"""The clock of critical values and the ladder behind it: rows that an administrator writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telemed.application.administer import site_of
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.critical import CriticalPolicy, EscalationStep, Milestone, Tier, rank_for
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Role

LONGEST_TELL = 120
LONGEST_STEP = 1440
_CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, kw_only=True)
class Policy:
    tell_minutes: int
    same_doctor_at_night: bool
    night_from: str
    night_to: str
    # Of one reading centre alone; else of the whole consortium.
    institution_uid: str = ""


def set_policy(world: World, *, actor: Actor, policy: Policy) -> CriticalPolicy:
    """How long a centre has to tell, and whether one doctor may look twice at night."""
    demand(actor, Action.ADMINISTER)
    _demand_between("tell_minutes", policy.tell_minutes, LONGEST_TELL)
    for name in ("night_from", "night_to"):
        if not _CLOCK.fullmatch(getattr(policy, name)):
            raise InvalidInput("error.field_invalid", field=name)
    with world.unit_of_work() as uow:
        centre = site_of(uow, actor, policy.institution_uid).id if policy.institution_uid else None
        known = uow.critical.policies(actor.consortium_id)
        row = next((one for one in known if one.institution_id == centre), None)
        if row is None:
            row = CriticalPolicy(
                uid=world.identifiers.uid(), consortium_id=actor.consortium_id, institution_id=centre
            )
            uow.critical.add(row)
        row.tell_minutes, row.same_doctor_at_night = policy.tell_minutes, policy.same_doctor_at_night
        row.night_from, row.night_to = policy.night_from, policy.night_to
        _note(world, uow, actor, "policy", tell_minutes=row.tell_minutes, night=row.same_doctor_at_night)
        uow.commit()
    return row


def policies(world: World, *, actor: Actor) -> Sequence[CriticalPolicy]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.critical.policies(actor.consortium_id)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A person by name, or everyone of a role at an institution (none named: the one that asked)."""

    code: str
    minutes: int
    tier: Tier = Tier.CRITICAL
    waits_for: Milestone = Milestone.ACKNOWLEDGED
    role: Role | None = None
    username: str = ""
    institution_uid: str = ""
    before_check: bool = False


def add_step(world: World, *, actor: Actor, step: Step) -> EscalationStep:
    demand(actor, Action.ADMINISTER)
    _demand_between("minutes", step.minutes, LONGEST_STEP)
    if not step.code.strip():
        raise InvalidInput("error.comment_required", field="code")
    if not step.username and step.role is None:
        raise InvalidInput("error.critical_step_for_nobody", field="role")
    with world.unit_of_work() as uow:
        known = list(uow.critical.steps(actor.consortium_id))
        rank = rank_for(known, step.minutes)
        for behind in sorted(known, key=lambda one: -one.rank):
            if behind.rank >= rank:
                behind.rank += 1
                uow.flush()
        row = EscalationStep(
            uid=world.identifiers.uid(),
            consortium_id=actor.consortium_id,
            rank=rank,
            code=step.code.strip(),
            minutes=step.minutes,
            tier=step.tier,
            waits_for=step.waits_for,
            user_id=_user(uow, actor, step.username),
            role=None if step.username else step.role,
            institution_id=site_of(uow, actor, step.institution_uid).id if step.institution_uid else None,
            before_check=step.before_check,
        )
        uow.critical.add(row)
        _note(world, uow, actor, "step", code=row.code, minutes=row.minutes)
        uow.commit()
    return row


def remove_step(world: World, *, actor: Actor, uid: str) -> None:
    """The places of the others stay as they are: what climbs already misses none of them."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        row = next((one for one in uow.critical.steps(actor.consortium_id) if one.uid == uid), None)
        if row is None:
            raise NotFound("error.critical_step_not_found")
        uow.critical.remove_step(row)
        _note(world, uow, actor, "step_removed", code=row.code, minutes=row.minutes)
        uow.commit()


def _user(uow: UnitOfWork, actor: Actor, username: str) -> int | None:
    if not username:
        return None
    user = uow.users.by_username(username)
    if user is None or user.consortium_id != actor.consortium_id:
        raise InvalidInput("error.field_invalid", field="username")
    return user.id


def _demand_between(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InvalidInput("error.number_out_of_range", field=name, least=1, most=most)


def _note(world: World, uow: UnitOfWork, actor: Actor, what: str, **facts: Any) -> None:
    record(world, uow, Kind.CRITICAL_RULE_CHANGED, actor=actor, what=what, **facts)
