"""A corrected recording leaves under the right person; every other element is the same."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from telemed.imaging.header import read_header, verify_structure
from telemed.imaging.right_identity import RightIdentity, under
from tests.factories.dicom import dr_bytes, ecg_bytes, mistagged_ecg_bytes, uid, with_text

RIGHT = RightIdentity(
    patient_id="FIC-P2",
    name="虚构·乙",
    alphabetic="Xu^Gou Yi",
    sex="M",
    birth_date="19510704",
    issuer="A1",
    accession_number="FIC-0002",
    study_instance_uid=str(uid("right study")),
    series_instance_uid=str(uid("right series")),
)
REPLACED = {
    "SpecificCharacterSet",
    "AccessionNumber",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "SeriesInstanceUID",
}


def others(ds: Dataset) -> dict[str, object]:
    kept = {e.tag: e for e in ds if e.keyword not in REPLACED and e.tag.group != 0x0010}
    return {str(tag): e.to_json_dict(None, 0) for tag, e in kept.items()}


def check(data: bytes) -> Dataset:
    copy = under(data, RIGHT)
    verify_structure(copy)
    header = read_header(copy)
    assert (header.patient_id, header.patient_name.display) == ("FIC-P2", "虚构·乙")
    assert (header.sex, header.birth_date, header.accession_number) == ("M", "19510704", "FIC-0002")
    assert header.study_instance_uid == RIGHT.study_instance_uid
    assert header.series_instance_uid == RIGHT.series_instance_uid
    before, after = dcmread(BytesIO(data)), dcmread(BytesIO(copy))
    assert before.file_meta == after.file_meta
    assert str(after.PatientName.alphabetic) == "Xu^Gou Yi"
    assert str(after.PatientName.ideographic) == "虚构·乙"
    assert others(after) == others(before)
    return after


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.name,
)
def test_in_every_encoding(syntax: str) -> None:
    check(ecg_bytes(transfer_syntax=syntax, StudyDescription="十二导联"))


def test_big_endian() -> None:
    # Without bulk data, which the factory does not turn round.
    data = dr_bytes()
    ds = dcmread(BytesIO(data))
    del ds.PixelData
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    buffer = BytesIO()
    dcmwrite(buffer, ds, implicit_vr=False, little_endian=False, force_encoding=True)
    check(buffer.getvalue())


@pytest.mark.parametrize("charset", ["GB18030", "GBK", "ISO_IR 192"])
def test_in_the_object_s_own_character_set(charset: str) -> None:
    data = ecg_bytes(charset=charset, StudyDescription="心电图检查")
    after = check(data)
    assert after.SpecificCharacterSet == charset
    assert after.StudyDescription == "心电图检查"


@pytest.mark.parametrize("charset", [None, "ISO_IR 100"])
def test_where_its_own_set_has_no_chinese_another_is_declared(charset: str | None) -> None:
    data = ecg_bytes(charset=charset, patient_name="Ce^Shi", StudyDescription="ECG")
    assert check(data).SpecificCharacterSet == "ISO_IR 192"


def test_a_wrong_tag_is_put_right_on_the_way_out() -> None:
    data = ecg_bytes(charset="ISO_IR 100", patient_name="X", StudyDescription="#D#")
    data = with_text(data, "#D#", "心电图检查".encode("gb18030"))
    after = dcmread(BytesIO(under(data, RIGHT)))
    assert after.SpecificCharacterSet == "GB18030"
    assert after.StudyDescription == "心电图检查"
    assert str(after.PatientName.ideographic) == "虚构·乙"
    mistagged = under(mistagged_ecg_bytes(), RIGHT)
    assert read_header(mistagged).patient_name.display == "虚构·乙"


def test_beside_latin_letters_the_name_is_written_in_latin_letters() -> None:
    data = ecg_bytes(charset="ISO_IR 100", patient_name="X", StudyDescription="Überwachung")
    after = dcmread(BytesIO(under(data, RIGHT)))
    assert (after.SpecificCharacterSet, after.StudyDescription) == ("ISO_IR 100", "Überwachung")
    assert str(after.PatientName) == "Xu^Gou Yi"


def test_nothing_of_the_wrong_person_is_left() -> None:
    data = ecg_bytes(
        OtherPatientIDs="999999199001011234",
        PatientComments="of somebody else",
        PatientAddress="elsewhere",
        IssuerOfPatientID="ELSEWHERE",
    )
    after = check(data)
    assert after.IssuerOfPatientID == RIGHT.issuer
    left = {e.keyword for e in after if e.tag.group == 0x0010}
    expected = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex", "IssuerOfPatientID"}
    assert left == expected
