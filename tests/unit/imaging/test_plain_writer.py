"""The quick writer writes what pydicom writes, or says that it does not."""

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from telemed.imaging.ecg_object import to_file
from telemed.imaging.machine_objects.annotated import annotated_recording
from telemed.imaging.machine_objects.report import findings_report
from telemed.imaging.part10 import read_file_meta
from telemed.imaging.plain_writer import NotPlain, plain_bytes
from tests.unit.imaging.test_machine_objects import FILE as ECG_FILE
from tests.unit.imaging.test_machine_objects import read, subject


def usual(ds: Dataset) -> bytes:
    buffer = BytesIO()
    ds.preamble, ds.file_meta = None, FileMetaDataset()
    dcmwrite(buffer, ds, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


def made() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.SeriesDescription, ds.StudyID = "王^小东=Wang^Xiaodong", "心电图", ""
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", "2.25.123"
    ds.StudyDate, ds.StudyTime, ds.InstanceNumber, ds.PatientWeight = "20260505", "101112.5", 7, 71.25
    ds.ImageType, ds.ReferencedWaveformChannels = ["DERIVED", "SECONDARY"], [1, 0, 1, 1]
    ds.Rows, ds.PixelData = 1, b"\1\2"
    ds["PixelData"].VR = "OW"
    item, inner = Dataset(), Dataset()
    inner.CodeValue, inner.NumericValue, inner.FloatingPointValue = "odd", ["1.5", "2"], 0.5
    item.ConceptNameCodeSequence, item.TextValue = Sequence([inner, Dataset()]), "房颤 / atrial fibrillation"
    ds.ContentSequence, ds.AcquisitionContextSequence = Sequence([item]), Sequence([])
    return ds


def test_every_kind_of_value_is_written_as_pydicom_writes_it() -> None:
    assert plain_bytes(made()) == usual(made())


@pytest.mark.parametrize("make", [lambda: findings_report(subject(ECG_FILE)),
                                  lambda: annotated_recording(subject(ECG_FILE), ECG_FILE)])  # fmt: skip
def test_what_machines_make_is_written_as_pydicom_writes_it(make) -> None:  # type: ignore[no-untyped-def]
    content = make()
    ds = read(content)
    ds.walk(lambda *_: None)  # every element as a value, none as the bytes it was read from
    expected = BytesIO()
    ds.save_as(expected, enforce_file_format=True)
    assert content == expected.getvalue()
    assert read_file_meta(content).transfer_syntax_uid == ExplicitVRLittleEndian


def test_a_recording_with_items_of_unknown_length_stays_as_it_is() -> None:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert isinstance(path, str)
    with pytest.raises(NotPlain):
        plain_bytes(dcmread(path))
    assert plain_bytes(read(ECG_FILE)) == usual(read(ECG_FILE))


@pytest.mark.parametrize("change", ["ambiguous", "charset", "unknown length", "group length", "too long"])
def test_what_is_not_plain_goes_the_usual_way(change: str) -> None:
    ds = made()
    if change == "ambiguous":
        ds.PixelRepresentation = 0
        ds.SmallestImagePixelValue = 3
    elif change == "charset":
        ds.SpecificCharacterSet = "GB18030"
    elif change == "unknown length":
        ds["ContentSequence"].is_undefined_length = True
    elif change == "group length":
        ds.add_new(0x00080000, "UL", 4)
    else:
        ds.TextValue = ""
        ds.add_new(0x00204000, "LT", "x" * 0x10000)
    with pytest.raises(NotPlain):
        plain_bytes(ds)
    if change != "too long":
        assert len(to_file(ds)) > 132
