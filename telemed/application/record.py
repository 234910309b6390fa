"""Writes an event into the transaction of the change it tells of."""

from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.events import Event, Kind
from telemed.domain.study import Study


def record(
    world: World,
    uow: UnitOfWork,
    kind: Kind,
    *,
    actor: Actor | None = None,
    study: Study | None = None,
    case: Case | None = None,
    report_id: int | None = None,
    device_id: int | None = None,
    institution_id: int | None = None,
    consortium_id: int | None = None,
    **facts: Any,
) -> Event:
    """Facts are codes and identifiers; a person's name never enters one."""
    place = case or study or actor
    event = Event(
        uid=world.identifiers.uid(),
        at=world.clock.now(),
        kind=kind,
        institution_id=institution_id or (place.institution_id if place else None),
        consortium_id=consortium_id or (place.consortium_id if place else None),
        actor_user_id=actor.user_id if actor else None,
        device_id=device_id,
        study_id=study.id if study else (case.study_id if case else None),
        case_id=case.id if case else None,
        report_id=report_id,
        facts=facts,
    )
    uow.events.append(event)
    return event
