"""Reads everything that was promised, and holds it against what was recorded."""

from collections.abc import Iterator
from dataclasses import dataclass

from telemed.application.lost_objects import LOST, settle_lost, tell_lost
from telemed.application.objects import opened
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.study import StoredObject

_PAGE = 500


@dataclass(frozen=True)
class Checked:
    stored: StoredObject
    fault: str  # "" where the bytes are the promised ones


def verify_objects(world: World) -> Iterator[Checked]:
    """Every stored object once, with what is wrong with it: its institution is told, or hears that it is mended."""
    with world.unit_of_work(write=False) as uow:
        told = {notice.object_id for notice in uow.notices.open_of(LOST)}
    last = 0
    while True:
        with world.unit_of_work(write=False) as uow:
            page = uow.studies.all_objects(last, _PAGE)
        if not page:
            return
        for stored in page:
            fault = _fault(world, stored)
            if fault in ("error.object_missing", "error.object_damaged"):
                tell_lost(world, stored, fault)
            elif not fault and stored.id in told:
                with world.unit_of_work() as uow:
                    settle_lost(world, uow, stored)
                    uow.commit()
            yield Checked(stored, fault)
        last = page[-1].id


def _fault(world: World, stored: StoredObject) -> str:
    try:
        with opened(world, stored) as file:
            return "" if file.seek(0, 2) == stored.size else "error.object_damaged"
    except Unavailable as missing:
        return missing.code
