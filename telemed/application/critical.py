"""Critical values: raised with one key, looked at twice, told at once, received, acted upon, closed.

A value needs no report: it is told on its own to the institution that asked, always, and to the family doctor of
a valid contract. What must happen later (the ladder) is a job: it comes due even if no worker was running then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from telemed.application.jobs import JobKind
from telemed.application.ports import CriticalRow, UnitOfWork
from telemed.application.proposals import proposed, rules_of
from telemed.application.read import find_case
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.case import Case, CaseState
from telemed.domain.critical import (
    ActionKind,
    Check,
    CriticalAction,
    CriticalAlert,
    CriticalPolicy,
    CriticalRule,
    CriticalState,
    CriticalValue,
    EscalationStep,
    How,
    ReadBack,
    Tier,
    due_steps,
    policy_for,
    recipient_key,
)
from telemed.domain.delivery import recipient_key as report_recipient_key
from telemed.domain.delivery import recipients
from telemed.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Role

MAX_NOTE = 400
SHOWN = 100


# --- what a reader sees ----------------------------------------------------------------------------------------


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
        value = _find(uow, actor, uid)
        _note(world, uow, Kind.CRITICAL_OPENED, value, actor)
        uow.commit()
    return _row(world, actor, uid)


# --- the reader's part -----------------------------------------------------------------------------------------


def raise_value(world: World, *, actor: Actor, case_uid: str, code: str, note: str = "") -> CriticalRow:
    """Raises a line of the list; the same line of the same case again gives the one that is open."""
    demand(actor, Action.WRITE_REPORT)
    _demand_doctor(actor)
    _demand_short(note, "note")
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
    return _row(world, actor, value.uid)


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
    _mark(world, uow, value, actor)
    _note(world, uow, Kind.CRITICAL_RAISED, value, actor, edition=rule.edition)
    if not under_clock:
        _release(world, uow, value, None, Check.NOT_REQUIRED, actor)
    _ask_ladder(uow, value, now)
    return value


def confirm(world: World, *, actor: Actor, uid: str) -> CriticalRow:
    """The second look; with it the value is released and told, in one transaction."""
    demand(actor, Action.WRITE_REPORT)
    _demand_doctor(actor)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = _find_at_reader(uow, actor, uid)
        if value.checked_by != actor.user_id:
            house = uow.institutions.get(actor.institution_id)
            policy = _policy(uow, value.consortium_id, value.reporting_institution_id)
            kind = value.check_kind_for(actor.user_id, policy, now, house.time_zone)
            _release(world, uow, value, actor.user_id, kind, actor)
            uow.commit()
    world.waker.wake()
    return _row(world, actor, uid)


def withdraw(world: World, *, actor: Actor, uid: str, reason: str) -> CriticalRow:
    """Taken back before anybody outside the reading room was told."""
    demand(actor, Action.WRITE_REPORT)
    _demand_short(reason, "reason")
    with world.unit_of_work() as uow:
        value = _find_at_reader(uow, actor, uid)
        if value.state is not CriticalState.WITHDRAWN:
            value.withdraw(actor.user_id, reason, world.clock.now())
            _mark(world, uow, value, actor)
            _note(world, uow, Kind.CRITICAL_WITHDRAWN, value, actor)
            uow.commit()
    return _row(world, actor, uid)


def _release(
    world: World, uow: UnitOfWork, value: CriticalValue, checker: int | None, kind: Check, actor: Actor
) -> None:
    value.release(checker, kind, world.clock.now())
    _note(world, uow, Kind.CRITICAL_CHECKED, value, actor, check=kind.value)
    _tell_first(world, uow, value)


def _tell_first(world: World, uow: UnitOfWork, value: CriticalValue) -> None:
    case = uow.cases.get(value.case_id)
    patient = uow.patients.get(case.patient_id)
    contracts = uow.residents.contracts(patient.resident_id) if patient.resident_id else []
    zone = ZoneInfo(uow.institutions.get(case.institution_id).time_zone)
    day = world.clock.now().astimezone(zone).date()
    for recipient in recipients(case.institution_id, contracts, day):
        key = report_recipient_key(recipient)
        _tell(world, uow, value, key, recipient.institution_id, user_id=recipient.user_id)


# --- the receiver's part ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answer:
    """As the receiver or the caller gives it; what is left open is filled from who is signed in, and when."""

    how: How
    read_back: str = ""
    received_by: str = ""
    received_at: datetime | None = None


def acknowledge(world: World, *, actor: Actor, uid: str, answer: Answer) -> CriticalRow:
    """Completes the call card: by the reader after the call, or by the receiver at the own screen."""
    demand(actor, Action.ANSWER_CRITICAL)
    _demand_short(answer.read_back, "read_back")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = _find(uow, actor, uid)
        if value.acknowledged_at is None or value.acknowledged_by != actor.user_id:
            caller = may(actor.role, Action.WRITE_REPORT)
            if caller and answer.how is How.SCREEN and actor.reads_at(value.reporting_institution_id):
                # Who told cannot receive.
                raise Conflict("error.critical_receive_own")
            name = answer.received_by if caller or answer.received_by.strip() else actor.display_name
            value.acknowledge(
                actor.user_id,
                ReadBack(
                    received_by=name[:100],
                    received_at=answer.received_at or now,
                    how=answer.how,
                    words=answer.read_back,
                ),
                now,
            )
            _note(world, uow, Kind.CRITICAL_ACKNOWLEDGED, value, actor, how=answer.how.value)
            uow.commit()
    return _row(world, actor, uid)


def act(world: World, *, actor: Actor, uid: str, key: str, kind: ActionKind, note: str = "") -> CriticalRow:
    """What was done for the patient. `key` names this doing: the same again is the same press sent twice, while a
    second call to the resident is a second action."""
    demand(actor, Action.ANSWER_CRITICAL)
    _demand_short(note, "note")
    if kind is ActionKind.OTHER and not note.strip():
        # "Something else" tells whoever reads the card nothing.
        raise InvalidInput("error.critical_action_unsaid", field="note")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = _find(uow, actor, uid)
        action_uid = str(uuid5(NAMESPACE_OID, f"{value.uid} {actor.user_uid} {key}"))
        if all(known.uid != action_uid for known in uow.critical.actions(value.id)):
            value.act(now)
            uow.critical.add(
                CriticalAction(
                    uid=action_uid,
                    critical_value_id=value.id,
                    kind=kind,
                    note=note.strip(),
                    taken_by=actor.user_id,
                    taken_at=now,
                )
            )
            _note(world, uow, Kind.CRITICAL_ACTED, value, actor, action=kind.value)
            uow.commit()
    return _row(world, actor, uid)


def close(world: World, *, actor: Actor, uid: str, note: str = "") -> CriticalRow:
    demand(actor, Action.ANSWER_CRITICAL)
    _demand_short(note, "note")
    with world.unit_of_work() as uow:
        value = _find(uow, actor, uid)
        if not (value.state is CriticalState.CLOSED and value.closed_by == actor.user_id):
            value.close(actor.user_id, note, world.clock.now())
            _mark(world, uow, value, actor)
            _note(world, uow, Kind.CRITICAL_CLOSED, value, actor)
            uow.commit()
    return _row(world, actor, uid)


# --- the ladder ------------------------------------------------------------------------------------------------


def escalate(world: World, *, value_id: int) -> None:
    """Takes every step whose time has passed and that still waits, then asks for the next; again changes nothing."""
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = uow.critical.get(value_id)
        due, later = due_steps(value, uow.critical.steps(value.consortium_id), now)
        for step in due:
            _take_step(world, uow, value, step)
        if later is not None:
            uow.jobs.ask(JobKind.ESCALATE_CRITICAL, value.id, later, now)
        uow.commit()


def _take_step(world: World, uow: UnitOfWork, value: CriticalValue, step: EscalationStep) -> None:
    value.escalated = step.rank
    place = step.institution_id or value.institution_id
    if step.user_id is not None:
        place = uow.users.get(step.user_id).institution_id
    _note(world, uow, Kind.CRITICAL_ESCALATED, value, None, step=step.code, rank=step.rank)
    _tell(
        world,
        uow,
        value,
        recipient_key(step, place),
        place,
        user_id=step.user_id,
        role=None if step.user_id is not None else step.role,
        step=step.code,
        before_check=step.before_check,
    )


def _ask_ladder(uow: UnitOfWork, value: CriticalValue, now: datetime) -> None:
    due, later = due_steps(value, uow.critical.steps(value.consortium_id), now)
    if due or later is not None:
        uow.jobs.ask(JobKind.ESCALATE_CRITICAL, value.id, now if due or later is None else later, now)


def _tell(
    world: World,
    uow: UnitOfWork,
    value: CriticalValue,
    key: str,
    institution_id: int,
    *,
    user_id: int | None = None,
    role: Role | None = None,
    step: str = "",
    before_check: bool = False,
) -> None:
    alert = CriticalAlert(
        uid=world.identifiers.uid(),
        critical_value_id=value.id,
        consortium_id=value.consortium_id,
        institution_id=institution_id,
        user_id=user_id,
        role=role,
        recipient_key=key,
        step=step,
        before_check=before_check,
        created_at=world.clock.now(),
    )
    if uow.critical.tell(alert):
        _note(world, uow, Kind.CRITICAL_TOLD, value, None, recipient=key)


# --- a recording turns out to be another person's ------------------------------------------------------------------


def carry_over(
    world: World, uow: UnitOfWork, *, actor: Actor, old: Case, heirs: Sequence[Case], reason: str
) -> frozenset[int]:
    """What is open is taken back of the old case, and said of every case that has recordings of it now.

    Nobody knows which recording it was about: said of one person too many is safer than lost of the right one.
    Returns who (user ids) was told of the old one by name.
    """
    told: frozenset[int] = frozenset()
    for value in uow.corrections.open_critical(old.id):
        told |= uow.corrections.told_of(value.id)
        value.retract(actor.user_id, reason, world.clock.now())
        _mark(world, uow, value, actor)
        _note(world, uow, Kind.CRITICAL_WITHDRAWN, value, actor)
        for heir in heirs:
            # Said of this person already, it may be, from an earlier case of the same recordings.
            if uow.critical.open_of(heir.id, value.code) is None:
                _say_of(world, uow, actor, value, heir)
    return told


def _say_of(world: World, uow: UnitOfWork, actor: Actor, value: CriticalValue, heir: Case) -> None:
    """The same finding under the clock it already has."""
    now = world.clock.now()
    carried = CriticalValue(
        uid=world.identifiers.uid(),
        case_id=heir.id,
        institution_id=heir.institution_id,
        consortium_id=heir.consortium_id,
        reporting_institution_id=heir.reporting_institution_id,
        rule_id=value.rule_id,
        code=value.code,
        tier=value.tier,
        finding_zh=value.finding_zh,
        finding_en=value.finding_en,
        note=value.note,
        raised_by=value.raised_by,
        raised_at=value.raised_at,
        due_at=value.due_at,
        proposed_by_ai=value.proposed_by_ai,
    )
    uow.critical.add(carried)
    uow.flush()
    _mark(world, uow, carried, actor)
    _note(world, uow, Kind.CRITICAL_RAISED, carried, actor, instead_of=value.uid)
    if value.released_at is not None:
        # The second look was at the same recording: nobody looks again, and the trail says so of nobody.
        kind = value.check_kind or Check.NOT_REQUIRED
        carried.release(value.checked_by, kind, now, checked_at=value.checked_at)
        _tell_first(world, uow, carried)
    _ask_ladder(uow, carried, now)


# --- small things ----------------------------------------------------------------------------------------------


def _find(uow: UnitOfWork, actor: Actor, uid: str) -> CriticalValue:
    value = uow.critical.visible(actor, uid)
    if value is None:
        raise NotFound("error.critical_not_found")
    return value


def _find_at_reader(uow: UnitOfWork, actor: Actor, uid: str) -> CriticalValue:
    """Checking and withdrawing are the reading institution's own."""
    value = _find(uow, actor, uid)
    if not actor.reads_at(value.reporting_institution_id):
        raise NotFound("error.critical_not_found")
    return value


def _row(world: World, actor: Actor, uid: str) -> CriticalRow:
    with world.unit_of_work(write=False) as uow:
        row = uow.critical.row(actor, uid)
    if row is None:
        raise NotFound("error.critical_not_found")
    return row


def _policy(uow: UnitOfWork, consortium_id: int, institution_id: int | None) -> CriticalPolicy:
    # Where nobody has set a clock the usual one runs: a critical value can always be raised.
    found = policy_for(uow.critical.policies(consortium_id), institution_id)
    return found or CriticalPolicy(uid="", consortium_id=consortium_id)


def _demand_doctor(actor: Actor) -> None:
    if not actor.license_number:
        raise Forbidden("error.signer_without_license")


def _demand_short(text: str, field: str) -> None:
    if len(text) > MAX_NOTE:
        raise InvalidInput("error.field_too_long", field=field, limit=MAX_NOTE)


def _mark(world: World, uow: UnitOfWork, value: CriticalValue, actor: Actor) -> None:
    """The case stands in the list as urgent as its open values say."""
    uow.flush()
    # The lease of a report being written changes all the time: without the lock a raise could lose to an autosave.
    case = uow.cases.lock(value.case_id)
    if case.mark_critical(uow.critical.most_urgent_open(case.id)):
        priority = int(case.effective_priority)
        record(
            world,
            uow,
            Kind.CASE_RAISED,
            actor=actor,
            case=case,
            priority=priority,
            because=case.raised_because,
        )


def _note(
    world: World, uow: UnitOfWork, kind: Kind, value: CriticalValue, actor: Actor | None, **facts: Any
) -> None:
    case = uow.cases.get(value.case_id)
    record(
        world,
        uow,
        kind,
        actor=actor,
        case=case,
        critical=value.uid,
        code=value.code,
        tier=value.tier,
        **facts,
    )
