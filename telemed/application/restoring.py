"""A resend heals: where the bytes of an object that was promised lie nowhere any more, those that came again stay."""

import logging

from telemed.application.jobs import JobKind
from telemed.application.ports import SpoolPart
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind

log = logging.getLogger(__name__)


def takes_the_place(world: World, part: SpoolPart, object_id: int) -> bool:
    """True if the durable `part`, the same data set again, is from now on the object's only copy."""
    with world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(object_id)
    if _is_there(world, stored.file_sha256, besides=part):
        return False
    log.error("object %s was lost and came again", stored.sop_instance_uid)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        stored = uow.studies.object(object_id)
        stored.file_sha256, stored.size, stored.placed = part.file_sha256, part.size, False
        study = uow.studies.get(stored.study_id)
        sop, digest = stored.sop_instance_uid, stored.file_sha256
        record(world, uow, Kind.OBJECT_RESTORED, study=study, sop_instance_uid=sop, file_sha256=digest)
        uow.jobs.ask(JobKind.PLACE_OBJECT, stored.id, now, now)
        uow.commit()
    return True


def _is_there(world: World, file_sha256: str, besides: SpoolPart) -> bool:
    """In this order: whatever leaves the spool has entered the store before."""
    mine = besides.file_sha256 == file_sha256
    try:
        return world.spool.copies(file_sha256) > mine or world.objects.has(file_sha256)
    except Unavailable:
        # A store that does not answer has lost nothing as far as anyone knows.
        return True
