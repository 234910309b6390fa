"""A resend heals: where the bytes of an object that was promised are damaged or lie nowhere, those that came again
stay."""

import logging

from telemed.application.jobs import JobKind
from telemed.application.lost_objects import is_told_of, settle_lost
from telemed.application.ports import SpoolPart
from telemed.application.record import record
from telemed.application.stretch import digest_of
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind

log = logging.getLogger(__name__)


def takes_the_place(world: World, part: SpoolPart, object_id: int) -> bool:
    """True if the durable `part`, the same data set again, is from now on the object's only copy.

    Whether what is held is whole is looked at only where somebody has been told that it may not be: to read it for
    every repeat would cost more than receiving it.
    """
    with world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(object_id)
        doubtful = is_told_of(uow, stored)
    if doubtful:
        world.spool.remove_damaged(stored.file_sha256)
    if _is_there(world, stored.file_sha256, besides=part, whole=doubtful):
        return False
    log.error("object %s was lost and came again", stored.sop_instance_uid)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        stored = uow.studies.object(object_id)
        stored.file_sha256, stored.size, stored.placed = part.file_sha256, part.size, False
        study = uow.studies.get(stored.study_id)
        sop, digest = stored.sop_instance_uid, stored.file_sha256
        record(world, uow, Kind.OBJECT_RESTORED, study=study, sop_instance_uid=sop, file_sha256=digest)
        settle_lost(world, uow, stored)
        uow.jobs.ask(JobKind.PLACE_OBJECT, stored.id, now, now)
        uow.commit()
    return True


def _is_there(world: World, file_sha256: str, besides: SpoolPart, *, whole: bool) -> bool:
    """In this order: whatever leaves the spool has entered the store before. `whole`: its bytes are looked at."""
    mine = besides.file_sha256 == file_sha256
    try:
        if world.spool.copies(file_sha256) > mine:
            return True
        return _is_whole(world, file_sha256) if whole else world.objects.has(file_sha256)
    except Unavailable:
        # A store that does not answer has lost nothing as far as anyone knows.
        return True


def _is_whole(world: World, file_sha256: str) -> bool:
    try:
        file = world.objects.open(file_sha256)
    except KeyError:
        return False
    with file:
        return digest_of(file) == file_sha256
