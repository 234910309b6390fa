"""Bulk values of a data set: named by the metadata, and found at their place without reading the rest."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from telemed.imaging.bulk import _bulk_elements, bulk_place, bulk_value, described
from telemed.imaging.right_identity import RightIdentity, under
from tests.factories.dicom import dr_bytes, ecg_bytes

FILES = Path(pydicom.data.__file__).parent / "test_files"
SOME = [
    "CT_small.dcm",  # explicit little
    "MR_small_bigendian.dcm",
    "JPEG2000.dcm",  # in fragments
    "SC_rgb_rle_2frame.dcm",
    "liver_1frame.dcm",
    "waveform_ecg.dcm",
]


def encoded(data: bytes, syntax: str) -> bytes:
    ds = dcmread(BytesIO(data))
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = BytesIO()
    ds.save_as(buffer, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return buffer.getvalue()


def addresses(ds: Dataset) -> list[str]:
    return [place for _, place in _bulk_elements(ds, "")]


@pytest.mark.parametrize("name", [name for name in SOME if (FILES / name).exists()] + ["ecg", "implicit ecg"])
def test_the_place_of_a_value_holds_its_bytes(name: str) -> None:
    ecg = ecg_bytes()
    made = {"ecg": ecg, "implicit ecg": encoded(ecg, ImplicitVRLittleEndian)}
    data = made.get(name) or (FILES / name).read_bytes()
    ds = dcmread(BytesIO(data), force=True)
    found = addresses(ds)
    for address in found:
        place = bulk_place(data, address)
        assert place is not None, address
        assert data[place.start : place.end] == bulk_value(ds, address), address
        compressed = bool(ds.file_meta.TransferSyntaxUID.is_encapsulated)
        assert place.in_fragments == (compressed and address == "7FE00010"), address
    assert found
    for wrong in ("00080018", "00080018/0/00080018", "54000100/99/54001010", "77770010", "no address", ""):
        assert bulk_place(data, wrong) is None


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_metadata_are_those_of_the_whole_file_without_its_pixels(syntax: str) -> None:
    data = encoded(dr_bytes(patient_name="测试甲", charset="GB18030"), syntax)
    told = described(data, "http://here")
    assert told["7FE00010"] == {"vr": "OW", "BulkDataURI": "http://here/7FE00010"}
    plain = dcmread(BytesIO(data)).to_json_dict(
        bulk_data_element_handler=lambda _: "", bulk_data_threshold=1024
    )
    assert {tag: one for tag, one in told.items() if tag != "7FE00010"} == {
        tag: one for tag, one in plain.items() if tag != "7FE00010"
    }
    identity = RightIdentity(
        patient_id="FIC-P8", name="测试庚", alphabetic="Ce^Shi Geng", sex="F", birth_date="19600229",
        issuer="A1", accession_number="FIC-9", study_instance_uid="1.2.3", series_instance_uid="1.2.3.4",
    )  # fmt: skip
    assert described(data, "b", identity) == described(under(data, identity), "b")
    assert described(data, "b", identity)["00100020"]["Value"] == ["FIC-P8"]
