"""What a study is filed under, from any encoding and from broken files."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from telemed.imaging.elements import walk
from telemed.imaging.header import (
    HeaderError,
    StudyHeader,
    dataset_offset,
    read_header,
    read_header_from_dataset,
    read_whole_beginning,
    read_whole_dataset,
    verify_structure,
)
from telemed.imaging.own_head import part10_prefix
from telemed.imaging.part10 import DEFLATED, encoding_of, inflate, read_file_meta
from tests.factories.dicom import dr_bytes, dr_dataset, ecg_bytes, part10

FILES = Path(pydicom.data.__file__).parent / "test_files"
SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def refused(data: bytes) -> HeaderError:
    with pytest.raises(HeaderError) as caught:
        read_header(data)
    return caught.value


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_encoding_gives_the_same_header(syntax: str) -> None:
    data = dr_bytes(
        transfer_syntax=syntax, accession="A-1", TimezoneOffsetFromUTC="+0800", InstitutionName="示例院"
    )
    header = read_header(data)
    assert header.transfer_syntax_uid == syntax
    assert (header.patient_id, header.accession_number, header.modality) == ("TEST-0001", "A-1", "DX")
    assert (header.patient_name.display, header.institution_name) == ("测试一", "示例院")
    assert (header.rows, header.columns, header.frames) == (48, 64, None)
    assert (header.sex, header.birth_date, header.age) == ("F", "19600229", "066Y")
    assert (header.study_date, header.study_time, header.timezone_offset) == ("20261121", "140500", "+0800")
    assert (header.series_number, header.instance_number) == (1, 1)
    assert (header.body_part, header.view_position) == ("CHEST", "PA")
    assert header.character_sets == ("ISO_IR 192",)
    bare = data[dataset_offset(data) :]
    assert read_header_from_dataset(bare, syntax) == header
    verify_structure(data)
    verify_structure(bare, syntax)


@pytest.mark.filterwarnings("ignore:Expected explicit VR")  # pydicom's own remark on one of its files
@pytest.mark.parametrize("path", sorted(FILES.glob("*.dcm")), ids=lambda path: path.stem)
def test_files_of_the_package_agree_with_pydicom(path: Path) -> None:
    data = path.read_bytes()
    ds = dcmread(path, force=True, stop_before_pixels=True)
    if not all(
        ds.get(uid) for uid in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
    ):
        assert refused(data).code in ("header.no_uid", "header.not_dicom")
        return
    header = read_header(data)
    assert header.sop_class_uid == ds.SOPClassUID
    assert header.sop_instance_uid == ds.SOPInstanceUID
    assert header.study_instance_uid == ds.StudyInstanceUID
    assert header.series_instance_uid == ds.SeriesInstanceUID
    assert header.patient_id == (ds.get("PatientID") or "")
    assert header.patient_name.raw == str(ds.get("PatientName") or "").rstrip("^=")
    assert (header.rows, header.columns) == (ds.get("Rows"), ds.get("Columns"))
    assert header.instance_number == ds.get("InstanceNumber")
    assert header.accession_number == (ds.get("AccessionNumber") or "")
    if ds.file_meta.get("TransferSyntaxUID"):
        assert header.transfer_syntax_uid == ds.file_meta.TransferSyntaxUID


@pytest.mark.parametrize("syntax", SYNTAXES)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.0, 1.0))
def test_one_walk_tells_what_two_told(syntax: str, share: float) -> None:
    data = ecg_bytes(transfer_syntax=syntax)
    start = dataset_offset(data)
    bare = data[start : start + int((len(data) - start) * share)]

    def both() -> StudyHeader:
        header = read_header_from_dataset(bare, syntax)
        verify_structure(bare, syntax)
        return header

    assert _told(both) == _told(lambda: read_whole_dataset(bare, syntax))


def _told(read: Callable[[], StudyHeader]) -> StudyHeader | str:
    try:
        return read()
    except HeaderError as error:
        return error.code


@pytest.mark.parametrize("name", ["rtplan_truncated.dcm", "MR_truncated.dcm"])
def test_a_cut_file_gives_a_header_and_is_known_to_be_cut(name: str) -> None:
    data = (FILES / name).read_bytes()
    assert read_header(data).study_instance_uid
    with pytest.raises(HeaderError) as caught:
        verify_structure(data)
    assert caught.value.code == "header.cut_short"
    assert int(caught.value.params["expected"]) > int(caught.value.params["found"])


@pytest.mark.parametrize("syntax", SYNTAXES)
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.0, 0.999))
def test_a_file_cut_anywhere_in_an_element_is_noticed(syntax: str, share: float) -> None:
    data = ecg_bytes(transfer_syntax=syntax)
    start = dataset_offset(data)
    cut = start + int((len(data) - start) * share)
    try:
        verify_structure(data[:cut])
    except HeaderError as error:
        assert error.code in ("header.cut_short", "header.not_dicom", "header.damaged")
    else:
        assert syntax != DeflatedExplicitVRLittleEndian
        assert an_element_ends_at(data, cut)


def an_element_ends_at(data: bytes, position: int) -> bool:
    meta = read_file_meta(data)
    elements = walk(
        data, encoding_of(meta.transfer_syntax_uid, data, meta.dataset_offset), meta.dataset_offset
    )
    ends = [meta.dataset_offset, *(element.end for element in elements)]
    return any(0 <= position - end < 8 for end in ends)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), at=st.integers(0, 2000))
def test_noise_is_refused_by_name_and_never_crashes(data: bytes, at: int) -> None:
    whole = dr_bytes()[:2500]
    for noise in (data, whole[:at] + data + whole[at + len(data) :]):
        try:
            header = read_header(noise)
        except HeaderError as error:
            assert error.code.startswith("header.")
        else:
            assert header.study_instance_uid


def test_text_is_no_dicom() -> None:
    assert refused(b"Dear colleague, please find attached").code == "header.not_dicom"
    assert refused(b"").code == "header.not_dicom"
    assert refused(b"\x00" * 132).code in ("header.not_dicom", "header.no_uid")


def test_a_missing_or_odd_uid_is_named() -> None:
    ds = dr_dataset()
    del ds.StudyInstanceUID
    error = refused(part10(ds))
    assert (error.code, error.params) == ("header.no_uid", {"element": "(0020,000D)"})
    data = dr_bytes(study_uid="1.2.3.4.5.6.7.8.9")
    error = refused(data.replace(b"1.2.3.4.5.6.7.8.9", b"1.2/../etc/passwd"))
    assert (error.code, error.params) == ("header.invalid_uid", {"element": "(0020,000D)"})


def test_a_file_without_preamble_or_meta_is_read() -> None:
    data = dr_bytes()
    assert read_header(data[132:]) == read_header(data)
    bare = data[dataset_offset(data) :]
    assert dataset_offset(bare) == 0
    assert read_header(bare).sop_instance_uid == read_header(data).sop_instance_uid


def test_implicit_written_under_an_explicit_name_is_read() -> None:
    data = dr_bytes(transfer_syntax=ImplicitVRLittleEndian)
    bare = data[dataset_offset(data) :]
    assert read_header_from_dataset(bare, ExplicitVRLittleEndian).patient_id == "TEST-0001"


def test_other_patient_ids_from_both_places() -> None:
    items = []
    for number in ("C-3", "B-2"):
        item = Dataset()
        item.PatientID, item.TypeOfPatientID = number, "TEXT"
        items.append(item)
    ds = dr_dataset()
    ds.add_new(0x00101000, "LO", ["A-1", "B-2"])
    ds.OtherPatientIDsSequence = Sequence(items)
    for syntax in SYNTAXES:
        assert read_header(part10(ds, syntax)).other_patient_ids == ("A-1", "B-2", "C-3")
    ds["OtherPatientIDsSequence"].is_undefined_length = True
    for item in items:
        item.is_undefined_length_sequence_item = True
    assert read_header(part10(ds)).other_patient_ids == ("A-1", "B-2", "C-3")


def test_odd_numbers_are_no_reason_to_refuse() -> None:
    ds = dr_dataset()
    ds.add_new(0x00200013, "LO", "one")
    ds.add_new(0x00280008, "LO", "12.0")
    header = read_header(part10(ds))
    assert (header.instance_number, header.frames) == (None, 12)


def test_black_pixels_at_the_end_and_zero_filling_are_no_cut() -> None:
    data = dr_bytes(np.zeros((48, 64), np.uint16))
    verify_structure(data)
    verify_structure(data + b"\x00\x00")
    with pytest.raises(HeaderError):
        verify_structure(data[:-2])


def test_a_deflated_object_cannot_fill_the_memory() -> None:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = engine.compress(bytes(8 << 20)) + engine.flush()
    assert len(inflate(bomb, 1 << 20)) == 1 << 20


def both(data: bytes, syntax: str, start: int, limit: int) -> tuple[StudyHeader | None, StudyHeader | None]:
    """What the first `limit` bytes give, and what the whole gives (None: it refuses)."""
    quick = read_whole_beginning(data[:limit], len(data), syntax, start=start, default_charset="GB18030")
    try:
        return quick, read_whole_dataset(data, syntax, start=start, default_charset="GB18030")
    except HeaderError:
        return quick, None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_an_ecg_and_a_film_are_read_by_their_beginning(syntax: str) -> None:
    for file in (ecg_bytes(transfer_syntax=syntax), dr_bytes(transfer_syntax=syntax)):
        quick, exact = both(file, syntax, dataset_offset(file), 4096)
        assert quick is not None
        assert quick == exact


@cache
def odd_ecg(syntax: str) -> bytes:
    return ecg_bytes(transfer_syntax=syntax, InstitutionName="示例院", OtherPatientIDs="1\\2")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_beginning_never_says_anything_else_than_the_whole(given_data: st.DataObject) -> None:
    syntax = given_data.draw(st.sampled_from(SYNTAXES))
    file = bytearray(odd_ecg(syntax))
    start = dataset_offset(odd_ecg(syntax))
    for _ in range(given_data.draw(st.integers(0, 3))):
        place = given_data.draw(st.integers(start, min(len(file), start + 900) - 1))
        file[place] = given_data.draw(st.integers(0, 255))
    cut = given_data.draw(st.one_of(st.just(len(file)), st.integers(start, len(file))))
    data = bytes(file[:cut]) + bytes(given_data.draw(st.integers(0, 9)))
    quick, exact = both(data, syntax, start, given_data.draw(st.sampled_from([start + 300, 4096, 1 << 20])))
    assert quick is None or quick == exact


def test_a_damaged_deflated_object_is_told_as_such_from_a_mapped_file_too(tmp_path: Path) -> None:
    head = part10_prefix("1.2", "1.3", DEFLATED)
    path = tmp_path / "damaged.dcm"
    path.write_bytes(head + b"\xff" * 500)
    for look in (
        read_header,
        verify_structure,
        lambda data: read_whole_dataset(data, DEFLATED, start=len(head)),
    ):
        # The file is closed on the way out: nothing may hold on to it then.
        with (
            path.open("rb") as file,
            pytest.raises(HeaderError, match=r"header\.damaged"),
            mmap(file.fileno(), 0, access=ACCESS_READ) as data,
        ):
            look(data)
