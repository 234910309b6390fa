"""A recording with what was measured and stated on it as waveform annotations (PS3.3 C.10.10): a copy beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from telemed.imaging.ecg_object import code_item, to_file
from telemed.imaging.machine_objects import concepts as c
from telemed.imaging.machine_objects.subject import (
    MANUFACTURER,
    SERIES_NUMBERS,
    MadeKind,
    Subject,
    add_equipment,
    stamp,
)
from telemed.imaging.machine_objects.wave_annotations import wave_annotations
from telemed.imaging.pixels.decode import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator


def annotated_recording(subject: Subject, recording: bytes) -> bytes:
    """A Part 10 file: `recording` (Part 10, as it leaves the house) sample for sample, under its own UIDs.

    Its annotations are replaced by the measurements, the statements and the marks of every wave of the answer, with
    the model that says so. Statements stand in English: the recording's own character set may hold nothing else.

    Raises PixelError `pixel.unreadable`, ValueError for a big-endian recording, whose samples would have to be
    turned.
    """
    ds = parsed(recording)
    if not UID(ds.file_meta.TransferSyntaxUID).is_little_endian:
        raise ValueError("big-endian samples are not copied")
    header = subject.header
    ds.SOPInstanceUID = subject.instance_uid(MadeKind.ANNOTATED)
    ds.SeriesInstanceUID = subject.series_uid(MadeKind.ANNOTATED)
    ds.SeriesNumber, ds.InstanceNumber = SERIES_NUMBERS[MadeKind.ANNOTATED], 1
    ds.SeriesDescription = subject.description
    source = Dataset()
    source.ReferencedSOPClassUID = header.sop_class_uid
    source.ReferencedSOPInstanceUID = header.sop_instance_uid
    ds.ReferencedInstanceSequence = Sequence([_with_purpose(source)])
    add_equipment(ds, subject.model)
    marks = wave_annotations(ds, subject.analysis.wave_marks, group_number=4)
    ds.WaveformAnnotationSequence = Sequence([*_annotations(subject), *marks])
    # The moment of the recording stays; of the making only the object's own.
    taken = (ds.get("ContentDate"), ds.get("ContentTime"), ds.get("SeriesDate"), ds.get("SeriesTime"))
    zone = ds.get("TimezoneOffsetFromUTC")
    stamp(ds, subject.made_at)
    ds.ContentDate, ds.ContentTime, ds.SeriesDate, ds.SeriesTime = taken
    if zone is None:
        del ds.TimezoneOffsetFromUTC
    else:
        ds.TimezoneOffsetFromUTC = zone
    return to_file(ds)


def _annotations(subject: Subject) -> Iterator[Dataset]:
    whose = f"{MANUFACTURER} {subject.description} {subject.model.sha256[:16]}"
    yield _annotation(1, UnformattedTextValue=whose)
    for name, (concept, unit) in c.MEASUREMENTS.items():
        if name in subject.analysis.measurements:
            item = _annotation(2, NumericValue=f"{subject.analysis.measurements[name]:.1f}")
            item.ConceptNameCodeSequence = Sequence([code_item(*concept)])
            item.MeasurementUnitsCodeSequence = Sequence([code_item(unit.value, "UCUM", unit.meaning)])
            yield item
    for statement in subject.analysis.statements:
        yield _annotation(3, UnformattedTextValue=statement.text["en"])


def _annotation(group: int, **values: str) -> Dataset:
    item = Dataset()
    item.ReferencedWaveformChannels, item.AnnotationGroupNumber = [1, 0], group
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _with_purpose(item: Dataset) -> Dataset:
    item.PurposeOfReferenceCodeSequence = Sequence([code_item(*c.SOURCE)])
    return item
