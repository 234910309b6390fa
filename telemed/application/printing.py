"""The sheets of a released report: its words, the recording, the pictures.

What cannot be printed is left out, and the paper says so: a report never waits for a picture that is lost.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from telemed.application.document import report_document
from telemed.application.frames import Frames
from telemed.application.key_images import KeyImage, printed_key_images
from telemed.application.objects import is_lost, read_object
from telemed.application.picture_marks import marks_in_force
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.case import Case
from telemed.domain.errors import Unavailable
from telemed.domain.report import Report
from telemed.domain.study import StoredObject
from telemed.imaging.pixels import PixelError, rendered
from telemed.imaging.pixels.marked import with_marks
from telemed.imaging.waveform import Waveform, WaveformError, read_waveform

log = logging.getLogger(__name__)

PICTURES_PRINTED = 2
PICTURE_PIXELS = 1400


@dataclass
class _Sheets:
    waveform: Waveform | None = None
    pictures: list[bytes] = field(default_factory=list)
    # Beside each picture, where its reader said what is to be seen on it.
    notes: list[str] = field(default_factory=list)
    missing: int = 0


def printed(world: World, uow: UnitOfWork, case: Case, report: Report) -> bytes:
    """Raises Unavailable where the store does not answer: then the report is printed later, and whole."""
    document = report_document(world, uow, case, report, language="zh-CN")
    objects = uow.studies.objects(case.study_id)
    sheets = _Sheets()
    if case.modality == "ECG":
        _add_waveform(world, sheets, objects)
    if chosen := printed_key_images(uow, case):
        _add_key_pictures(world, uow, case, sheets, objects, chosen)
    elif case.modality != "ECG":
        _add_first_pictures(world, sheets, objects)
    document = replace(document, picture_notes=tuple(sheets.notes), pictures_missing=sheets.missing)
    return world.renderer.render(document, sheets.waveform, sheets.pictures)


def _add_waveform(world: World, sheets: _Sheets, objects: Sequence[StoredObject]) -> None:
    """A recording without a waveform (a PDF in its place) prints its report alone."""
    for stored in objects:
        data = _bytes(world, stored)
        if data is None:
            continue
        try:
            sheets.waveform = read_waveform(data)
        except WaveformError as fault:
            log.warning("recording %s is not printed: %s", stored.sop_instance_uid, fault.code)
        else:
            return
    sheets.missing += 1 if objects else 0


def _add_first_pictures(world: World, sheets: _Sheets, objects: Sequence[StoredObject]) -> None:
    for stored in objects:
        if len(sheets.pictures) == PICTURES_PRINTED:
            return
        if not stored.rows:
            continue
        picture = _picture(world, stored)
        if picture is None:
            sheets.missing += 1
        else:
            sheets.pictures.append(picture)


def _add_key_pictures(
    world: World,
    uow: UnitOfWork,
    case: Case,
    sheets: _Sheets,
    objects: Sequence[StoredObject],
    chosen: Sequence[KeyImage],
) -> None:
    """As they were shown when they were marked, with what was measured in them."""
    held = {stored.sop_instance_uid: stored for stored in objects}
    marks = marks_in_force(uow.events.of_study(case.study_id), case)
    for one in chosen:
        stored = held.get(one.sop_instance_uid)
        picture = _picture(world, stored, one) if stored else None
        if stored is None or picture is None:
            sheets.missing += 1
            continue
        here = [
            mark for mark in marks if (mark.sop_instance_uid, mark.frame) == (one.sop_instance_uid, one.frame)
        ]
        sheets.pictures.append(with_marks(picture, here, stored.columns or 1))
        sheets.notes.append(one.note)


def _picture(world: World, stored: StoredObject, shown: KeyImage | None = None) -> bytes | None:
    try:
        with Frames(world, stored) as frames:
            ds, number = frames.source(shown.frame if shown else 1)
        window = shown.window if shown else None
        return rendered(ds, frame=number, window=window, max_size=PICTURE_PIXELS)
    except PixelError as fault:
        log.warning("picture %s is not printed: %s", stored.sop_instance_uid, fault.code)
    except Unavailable as fault:
        _demand_lost(stored, fault)
    return None


def _bytes(world: World, stored: StoredObject) -> bytes | None:
    try:
        return read_object(world, stored)
    except Unavailable as fault:
        _demand_lost(stored, fault)
        return None


def _demand_lost(stored: StoredObject, fault: Unavailable) -> None:
    """Raises what is over by and by: a report is not printed without a picture that comes back."""
    if not is_lost(fault):
        raise fault
    log.error("object %s is not printed: %s", stored.sop_instance_uid, fault)
