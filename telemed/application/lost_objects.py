"""What was promised and is damaged or lies nowhere: told once to the institution, until the bytes are whole again."""

import logging

from telemed.application.notifying import notify, resolve
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.notice import Notice
from telemed.domain.study import StoredObject

log = logging.getLogger(__name__)

LOST = "notice.object_lost"


def tell_lost(world: World, stored: StoredObject, fault: str) -> None:
    """`fault` is the code of what was found. A resend heals, and a person has to ask for it."""
    log.error("object %s is promised and cannot be given: %s", stored.sop_instance_uid, fault)
    with world.unit_of_work() as uow:
        told = _told(uow, stored)
        if all(notice.resolved_at is not None for notice in told):
            study, cause = uow.studies.get(stored.study_id), f"lost:{stored.uid}:{len(told)}"
            sop = stored.sop_instance_uid
            notify(world, uow, LOST, cause, study, stored, sop_instance_uid=sop, fault=fault)
        uow.commit()


def is_told_of(uow: UnitOfWork, stored: StoredObject) -> bool:
    return any(notice.resolved_at is None for notice in _told(uow, stored))


def settle_lost(world: World, uow: UnitOfWork, stored: StoredObject) -> None:
    """Its bytes are whole again."""
    for notice in _told(uow, stored):
        resolve(world, uow, None, notice)


def _told(uow: UnitOfWork, stored: StoredObject) -> list[Notice]:
    notices = uow.notices.of_study(stored.study_id)
    return [one for one in notices if one.code == LOST and one.object_id == stored.id]
