"""Who is told of a critical value, and when: at once those it concerns, later those the ladder names.

What must happen later is a job: it comes due even if no worker was running then.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from telemed.application.critical_card import note_event
from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.critical import (
    Check,
    CriticalAlert,
    CriticalValue,
    EscalationStep,
    due_steps,
    recipient_key,
)
from telemed.domain.delivery import recipient_key as report_recipient_key
from telemed.domain.delivery import recipients
from telemed.domain.events import Kind
from telemed.domain.people import Role


def release(
    world: World, uow: UnitOfWork, value: CriticalValue, checker: int | None, kind: Check, actor: Actor
) -> None:
    value.release(checker, kind, world.clock.now())
    note_event(world, uow, Kind.CRITICAL_CHECKED, value, actor, check=kind.value)
    tell_first(world, uow, value)


def tell_first(world: World, uow: UnitOfWork, value: CriticalValue) -> None:
    case = uow.cases.get(value.case_id)
    patient = uow.patients.get(case.patient_id)
    contracts = uow.residents.contracts(patient.resident_id) if patient.resident_id else []
    zone = ZoneInfo(uow.institutions.get(case.institution_id).time_zone)
    day = world.clock.now().astimezone(zone).date()
    for recipient in recipients(case.institution_id, contracts, day):
        key = report_recipient_key(recipient)
        _tell(world, uow, value, key, recipient.institution_id, user_id=recipient.user_id)


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
    note_event(world, uow, Kind.CRITICAL_ESCALATED, value, None, step=step.code, rank=step.rank)
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


def ask_ladder(uow: UnitOfWork, value: CriticalValue, now: datetime) -> None:
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
        note_event(world, uow, Kind.CRITICAL_TOLD, value, None, recipient=key)
