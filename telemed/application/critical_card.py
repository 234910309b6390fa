"""One critical value as this person may see it, and what is done with every change of one: the list, the trail."""

from typing import Any

from telemed.application.ports import CriticalRow, UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.critical import CriticalValue
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind

MAX_NOTE = 400


def find_value(uow: UnitOfWork, actor: Actor, uid: str) -> CriticalValue:
    value = uow.critical.visible(actor, uid)
    if value is None:
        raise NotFound("error.critical_not_found")
    return value


def find_at_reader(uow: UnitOfWork, actor: Actor, uid: str) -> CriticalValue:
    """Checking and withdrawing are the reading institution's own."""
    value = find_value(uow, actor, uid)
    if not actor.reads_at(value.reporting_institution_id):
        raise NotFound("error.critical_not_found")
    return value


def row_of(world: World, actor: Actor, uid: str) -> CriticalRow:
    with world.unit_of_work(write=False) as uow:
        row = uow.critical.row(actor, uid)
    if row is None:
        raise NotFound("error.critical_not_found")
    return row


def demand_short(text: str, field: str) -> None:
    if len(text) > MAX_NOTE:
        raise InvalidInput("error.field_too_long", field=field, limit=MAX_NOTE)


def mark(world: World, uow: UnitOfWork, value: CriticalValue, actor: Actor) -> None:
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


def note_event(
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
