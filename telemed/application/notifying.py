"""Notices to an institution's people, each cause told once."""

from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.notice import Notice
from telemed.domain.study import StoredObject, Study


def notify(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    study: Study,
    stored: StoredObject | None = None,
    **details: Any,
) -> None:
    """Tells the institution's people, once per cause; facts are codes and identifiers."""
    if stored is not None:
        # Its number is wanted now; all else of a batch is written at its end, in one go.
        uow.flush()
    notice = Notice(
        uid=world.identifiers.uid(),
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        code=code,
        cause_key=cause,
        created_at=world.clock.now(),
        facts=details,
        study_id=study.id,
        object_id=stored.id if stored else None,
    )
    if uow.notices.raise_once(notice):
        record(world, uow, Kind.NOTICE_RAISED, study=study, code=code)


def notify_institution(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    *,
    institution_id: int,
    consortium_id: int,
    study_id: int | None = None,
    **details: Any,
) -> bool:
    """As `notify`, about what concerns the institution rather than one study. False where it was told before."""
    notice = Notice(
        uid=world.identifiers.uid(),
        institution_id=institution_id,
        consortium_id=consortium_id,
        code=code,
        cause_key=cause,
        created_at=world.clock.now(),
        facts=details,
        study_id=study_id,
    )
    fresh = uow.notices.raise_once(notice)
    if fresh:
        record(
            world,
            uow,
            Kind.NOTICE_RAISED,
            institution_id=institution_id,
            consortium_id=consortium_id,
            code=code,
        )
    return fresh
