"""Pictures made beforehand from stored objects: they lie beside, never instead of them, and are made again if gone.

A preview is what a screen shows while the full grey values come. A quick frame holds the same samples in
High-Throughput JPEG 2000 (PS3.5 A.4.7), which a browser decodes ten times as fast as JPEG 2000 and which is half as
long as plain samples.
"""

import logging

from telemed.application.frames import Frames
from telemed.application.world import World
from telemed.domain.errors import Unavailable
from telemed.domain.study import StoredObject
from telemed.imaging.errors import PixelError
from telemed.imaging.pixels import rendered
from telemed.imaging.pixels.encode import HTJ2K, can_encode, encoded_frame

log = logging.getLogger(__name__)

PREVIEW_BOX = (1024, 1024)
# Smaller frames are decoded in a few milliseconds in whatever form they have.
FILM_PIXELS = 1 << 20
_PLAIN = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"})
_JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
# A stream with fewer bits for a pixel has lost some: without loss it would be several times as long.
_LEAST_BITS = 2
# In a study of many pictures the first ones are looked at while the others are made.
_MOST_PREPARED = 24


def preview(world: World, stored: StoredObject) -> bytes:
    """The first frame as JPEG inside of PREVIEW_BOX, by its own window. Raises PixelError, Unavailable."""
    name = f"{stored.file_sha256}-preview-{PREVIEW_BOX[0]}"
    found = world.copies.get(name)
    if found is None:
        with Frames(world, stored) as frames:
            ds, number = frames.source(1)
            found = rendered(ds, frame=number, max_size=PREVIEW_BOX)
        world.copies.put(name, found)
    return found


def quick_frame(world: World, stored: StoredObject, frame: int) -> bytes | None:
    """Frame number `frame` (from 1) as a stream of HTJ2K; None where it is no film, or cannot be had in that form."""
    if not _is_film(stored):
        return None
    name = f"{stored.file_sha256}-htj2k-{frame}"
    found = world.copies.get(name)
    if found is not None:
        return found
    with Frames(world, stored) as frames:
        ds, number = frames.source(frame)
    if not can_encode(ds, HTJ2K):
        return None
    try:
        made = encoded_frame(ds, number, HTJ2K)
    except PixelError as fault:
        log.info("object %s stays in its own form: %s", stored.sop_instance_uid, fault.code)
        return None
    world.copies.put(name, made)
    return made


def _is_film(stored: StoredObject) -> bool:
    """Large, and plain or in JPEG 2000 without loss."""
    pixels = (stored.rows or 0) * (stored.columns or 0)
    if pixels < FILM_PIXELS:
        return False
    if stored.transfer_syntax_uid in _JPEG_2000:
        return stored.size * 8 >= _LEAST_BITS * pixels * max(stored.frames or 1, 1)
    return stored.transfer_syntax_uid in _PLAIN


def prepare_pictures(world: World, *, study_id: int) -> None:
    """What a reader will ask for first, made before he does. Nothing depends on it, so nothing of it is a failure."""
    with world.unit_of_work(write=False) as uow:
        objects = [stored for stored in uow.studies.objects(study_id) if stored.rows and stored.columns]
    # Slices are leafed through by the hundred: of them only the first is looked at before the others are there.
    sliced = len(objects) > _MOST_PREPARED
    for stored in objects[:1] if sliced else objects:
        try:
            preview(world, stored)
            quick_frame(world, stored, 1)
        except (PixelError, Unavailable) as fault:
            log.info("no picture beforehand of object %s: %s", stored.sop_instance_uid, fault.code)
