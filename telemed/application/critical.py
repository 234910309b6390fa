"""Critical values in the reading room: raised with one key, looked at twice, told at once or taken back.

A value needs no report: it is told on its own to the institution that asked, always, and to the family doctor of
a valid contract.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemed.application.critical_card import (
    demand_short,
    find_at_reader,
    find_value,
    mark,
    note_event,
    row_of,
)
from telemed.application.critical_telling import ask_ladder, release
from telemed.application.ports import CriticalRow, UnitOfWork
from telemed.application.proposals import proposed, rules_of
from telemed.application.read import find_case
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case, CaseState
from telemed.domain.critical import (
    Check,
    CriticalPolicy,
    CriticalRule,
    CriticalState,
    CriticalValue,
    Tier,
    policy_for,
)
from telemed.domain.errors import Conflict, Forbidden, InvalidInput
from telemed.domain.events import Kind

SHOWN = 100


@dataclass(frozen=True)
class CaseCritical:
    """What the case page needs: the list to choose from, what the machine proposes, what was raised."""

    rules: Sequence[CriticalRule]
    proposed: frozenset[str]
    rows: Sequence[CriticalRow]


def of_case(world: World, *, actor: Actor, case_uid: str) -> CaseCritical:
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, case_uid)
        rules = rules_of(uow, case)
        return CaseCritical(rules, _proposed(uow, case, rules), uow.critical.rows_of_case(actor, case.id))


def _proposed(uow: UnitOfWork, case: Case, rules: Sequence[CriticalRule]) -> frozenset[str]:
    stored = uow.analyses.of_case(case.id)
    return proposed(rules, [(answer.sop_instance_uid, answer.answer) for answer in stored])


def listed(world: World, *, actor: Actor, open_only: bool = True) -> Sequence[CriticalRow]:
    demand(actor, Action.SEE_CRITICAL)
    with world.unit_of_work(write=False) as uow:
        return uow.critical.rows(actor, SHOWN, open_only=open_only)


def opened(world: World, *, actor: Actor, uid: str) -> CriticalRow:
    """One card; the reading is recorded."""
    demand(actor, Action.SEE_CRITICAL)
    with world.unit_of_work() as uow:
        value = find_value(uow, actor, uid)
        note_event(world, uow, Kind.CRITICAL_OPENED, value, actor)
        uow.commit()
    return row_of(world, actor, uid)


def raise_value(world: World, *, actor: Actor, case_uid: str, code: str, note: str = "") -> CriticalRow:
    """Raises a line of the list; the same line of the same case again gives the one that is open."""
    demand(actor, Action.WRITE_REPORT)
    _demand_doctor(actor)
    demand_short(note, "note")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        # Under the lock, so that a correction of identity is before it or after it, never beside it.
        case = uow.cases.lock(find_case(uow, actor, case_uid).id)
        if case.state is CaseState.CLOSED:
            raise Conflict("error.case_is_closed")
        value = uow.critical.open_of(case.id, code)
        if value is None:
            value = _new_value(world, uow, actor, case, code, note, now)
            uow.commit()
    world.waker.wake()
    return row_of(world, actor, value.uid)


def _new_value(
    world: World, uow: UnitOfWork, actor: Actor, case: Case, code: str, note: str, now: datetime
) -> CriticalValue:
    rules = rules_of(uow, case)
    rule = next((r for r in rules if r.code == code), None)
    if rule is None:
        raise InvalidInput("error.critical_unknown_finding", field="code")
    policy = _policy(uow, case.consortium_id, case.reporting_institution_id)
    under_clock = rule.tier is Tier.CRITICAL
    value = CriticalValue(
        uid=world.identifiers.uid(),
        case_id=case.id,
        institution_id=case.institution_id,
        consortium_id=case.consortium_id,
        reporting_institution_id=case.reporting_institution_id,
        rule_id=rule.id,
        code=rule.code,
        tier=rule.tier,
        finding_zh=rule.text_zh,
        finding_en=rule.text_en,
        note=note.strip(),
        raised_by=actor.user_id,
        raised_at=now,
        due_at=now + timedelta(minutes=policy.tell_minutes) if under_clock else None,
        proposed_by_ai=code in _proposed(uow, case, rules),
    )
    uow.critical.add(value)
    uow.flush()
    mark(world, uow, value, actor)
    note_event(world, uow, Kind.CRITICAL_RAISED, value, actor, edition=rule.edition)
    if not under_clock:
        release(world, uow, value, None, Check.NOT_REQUIRED, actor)
    ask_ladder(uow, value, now)
    return value


def confirm(world: World, *, actor: Actor, uid: str) -> CriticalRow:
    """The second look; with it the value is released and told, in one transaction."""
    demand(actor, Action.WRITE_REPORT)
    _demand_doctor(actor)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = find_at_reader(uow, actor, uid)
        if value.checked_by != actor.user_id:
            house = uow.institutions.get(actor.institution_id)
            policy = _policy(uow, value.consortium_id, value.reporting_institution_id)
            kind = value.check_kind_for(actor.user_id, policy, now, house.time_zone)
            release(world, uow, value, actor.user_id, kind, actor)
            uow.commit()
    world.waker.wake()
    return row_of(world, actor, uid)


def withdraw(world: World, *, actor: Actor, uid: str, reason: str) -> CriticalRow:
    """Taken back before anybody outside the reading room was told."""
    demand(actor, Action.WRITE_REPORT)
    demand_short(reason, "reason")
    with world.unit_of_work() as uow:
        value = find_at_reader(uow, actor, uid)
        if value.state is not CriticalState.WITHDRAWN:
            value.withdraw(actor.user_id, reason, world.clock.now())
            mark(world, uow, value, actor)
            note_event(world, uow, Kind.CRITICAL_WITHDRAWN, value, actor)
            uow.commit()
    return row_of(world, actor, uid)


def _policy(uow: UnitOfWork, consortium_id: int, institution_id: int | None) -> CriticalPolicy:
    # Where nobody has set a clock the usual one runs: a critical value can always be raised.
    found = policy_for(uow.critical.policies(consortium_id), institution_id)
    return found or CriticalPolicy(uid="", consortium_id=consortium_id)


def _demand_doctor(actor: Actor) -> None:
    if not actor.license_number:
        raise Forbidden("error.signer_without_license")
