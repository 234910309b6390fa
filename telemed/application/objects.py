"""The bytes behind the rows: from the spool to their final place, and back to a reader."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from telemed.application.lost_objects import tell_lost
from telemed.application.ports import SpoolPart
from telemed.application.record import record
from telemed.application.stretch import digest_of
from telemed.application.world import World
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.events import Kind
from telemed.domain.study import StoredObject, quality_token
from telemed.imaging.header import dataset_offset
from telemed.imaging.waveform import ECG_SOP_CLASSES, WaveformError, read_waveform

log = logging.getLogger(__name__)

_QUALITY_LENGTH = 200  # of its column


def place_object(world: World, *, object_id: int) -> None:
    """Moves an object's bytes from the spool to the object store. May be cut at any point and run again."""
    with world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(object_id)
    if not stored.placed:
        try:
            # Where the spool has it no more, an earlier run got as far as the store, or the same file came from
            # another institution. What goes to its final place is what was promised, or nothing goes there.
            with opened(world, stored) as file:
                world.objects.put_from(stored.file_sha256, file)
        except Unavailable as fault:
            if is_lost(fault):
                tell_lost(world, stored, fault.code)
            raise
        with world.unit_of_work() as uow:
            stored = uow.studies.object(object_id)
            if not stored.placed:
                stored.placed = True
                record(
                    world,
                    uow,
                    Kind.OBJECT_STORED,
                    study=uow.studies.get(stored.study_id),
                    sop_instance_uid=stored.sop_instance_uid,
                    file_sha256=stored.file_sha256,
                )
                uow.commit()
    # Only now: until the row says "placed", the spool is the copy that was promised.
    world.spool.remove(stored.file_sha256)


def read_object(world: World, stored: StoredObject) -> bytes:
    """The stored file (Part 10), wherever it lies now. Raises Unavailable where it lies nowhere."""
    try:
        return world.spool.read(stored.file_sha256)
    except KeyError:
        return _from_store(world, stored)


def open_file(world: World, stored: StoredObject) -> BinaryIO:
    """The stored file (Part 10) to be read by pieces, as it lies; the caller closes it.

    Raises Unavailable where it lies nowhere.
    """
    for place in (world.spool, world.objects):
        try:
            return place.open(stored.file_sha256)
        except KeyError:
            continue
    raise Unavailable("error.object_missing", sop_instance_uid=stored.sop_instance_uid)


@contextmanager
def mapped(world: World, stored: StoredObject) -> Iterator[mmap]:
    """As `open_file`, to be looked at where it lies."""
    with open_file(world, stored) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        yield data


@contextmanager
def opened(world: World, stored: StoredObject) -> Iterator[BinaryIO]:
    """The stored file (Part 10) to be read by pieces, found to be what was promised.

    Raises Unavailable where it lies nowhere (`error.object_missing`) or is damaged (`error.object_damaged`).
    """
    code = "error.object_missing"
    for place in (world.spool, world.objects):
        try:
            file = place.open(stored.file_sha256)
        except KeyError:
            continue
        with file:
            if digest_of(file) == stored.file_sha256:
                file.seek(0)
                yield file
                return
        code = "error.object_damaged"
    raise Unavailable(code, sop_instance_uid=stored.sop_instance_uid)


def qualities(world: World, objects: Iterable[StoredObject]) -> dict[int, str]:
    """What speaks against reading each ECG among `objects`, by its id, so that the technician can repeat it at once.

    Never an obstacle: a recording that cannot be read as twelve leads gets the reason's code, and of one whose bytes
    cannot be had now nothing is said.
    """
    found = {}
    for stored in objects:
        if stored.sop_class_uid not in ECG_SOP_CLASSES:
            continue
        try:
            found[stored.id] = _quality(world, stored)
        except Unavailable as fault:
            log.warning("quality of object %s is not known: %s", stored.id, fault)
    return found


def _quality(world: World, stored: StoredObject) -> str:
    try:
        waveform = read_waveform(read_object(world, stored))
    except WaveformError as error:
        return error.code
    found = waveform.quality
    world.waveforms.keep(stored.file_sha256, waveform)
    kept = ""
    for finding in found:
        longer = f"{kept} {quality_token(finding.code, finding.leads)}".strip()
        if len(longer) <= _QUALITY_LENGTH:
            kept = longer
    return kept


def into_spool(world: World, content: bytes, head: bytes | None = None) -> SpoolPart:
    """A Part 10 file as a finished part, not yet durable; `head` is written in the place of preamble and file meta.

    After a fault nothing of it is left in the spool.
    """
    offset = dataset_offset(content)
    part = world.spool.open_part()
    try:
        part.write_meta(content[:offset] if head is None else head)
        part.write(memoryview(content)[offset:])
        part.finish()
    except BaseException:
        part.discard()
        raise
    return part


# The bytes themselves are amiss: waiting will not bring them. Whatever else is unavailable may come back.
_LOST = frozenset({"error.object_missing", "error.object_damaged"})


def is_lost(error: DomainError) -> bool:
    """Whether reading this object again later is in vain."""
    return not isinstance(error, Unavailable) or error.code in _LOST


def _from_store(world: World, stored: StoredObject) -> bytes:
    try:
        return world.objects.get(stored.file_sha256)
    except KeyError:
        raise Unavailable("error.object_missing", sop_instance_uid=stored.sop_instance_uid) from None
