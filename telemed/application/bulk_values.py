"""One bulk value of a stored object, read from its place: what stands around it costs nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap

from telemed.application.objects import open_file, read_object
from telemed.application.stretch import Stretch
from telemed.application.world import World
from telemed.domain.errors import NotFound
from telemed.domain.study import StoredObject
from telemed.imaging.bulk import bulk_place, bulk_value
from telemed.imaging.part10 import DEFLATED_LIKE
from telemed.imaging.pixels.decode import parsed


@dataclass(frozen=True)
class BulkValue:
    data: bytes | Stretch
    # Compressed pixels: each frame is a value by itself.
    in_fragments: bool = False


@contextmanager
def bulk_of(world: World, stored: StoredObject, address: str) -> Iterator[BulkValue]:
    """`address` as the metadata name it. Raises NotFound where it leads to none, and Unavailable."""
    if stored.transfer_syntax_uid in DEFLATED_LIKE:
        # It has no places. Nor is it large.
        value = bulk_value(parsed(read_object(world, stored)), address)
        if value is None:
            raise NotFound("error.object_not_found")
        yield BulkValue(value)
        return
    with open_file(world, stored) as file:
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            place = bulk_place(data, address)
        if place is None:
            raise NotFound("error.object_not_found")
        yield BulkValue(Stretch(file, place.start, end=place.end), place.in_fragments)
