"""Re-reads everything that was promised, and holds it against what was recorded."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from telemed.application.objects import read_object
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.study import StoredObject

_PAGE = 500


@dataclass(frozen=True)
class Checked:
    stored: StoredObject
    fault: str  # "" where the bytes are the promised ones


def verify_objects(world: World) -> Iterator[Checked]:
    """Every stored object once, with what is wrong with it."""
    last = 0
    while True:
        with world.unit_of_work(write=False) as uow:
            page = uow.studies.all_objects(last, _PAGE)
        if not page:
            return
        for stored in page:
            yield Checked(stored, _fault(world, stored))
        last = page[-1].id


def _fault(world: World, stored: StoredObject) -> str:
    try:
        data = read_object(world, stored)
    except Unavailable as missing:
        return missing.code
    if len(data) != stored.size or hashlib.sha256(data).hexdigest() != stored.file_sha256:
        return "error.object_damaged"
    return ""
