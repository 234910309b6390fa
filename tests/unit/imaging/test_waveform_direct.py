"""The quick way through an ECG's elements against pydicom: the same recording, or none from the quick way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from telemed.imaging.reading import open_dataset
from telemed.imaging.waveform import Waveform, WaveformError, read_waveform
from telemed.imaging.waveform.direct import NotDirect, direct_dataset
from telemed.imaging.waveform.reader import _read
from tests.factories.dicom import beats, ecg_bytes, ecg_dataset, group, part10

# What `read_waveform` takes as "ask pydicom", and what impossible numbers give by either way.
REFUSED = (NotDirect, WaveformError, ValueError, OverflowError)
PACKAGED = Path(str(get_testdata_file("waveform_ecg.dcm", download=False))).read_bytes()
SHARED = Path("../shared/data/ecg/formats/dicom")


def same(one: Waveform, other: Waveform) -> bool:
    alike = replace(one, samples=other.samples) == other
    return alike and np.array_equal(one.samples, other.samples, equal_nan=True)


def undefined_lengths(data: bytes) -> bytes:
    ds = open_dataset(data)

    def loosen(item: Dataset) -> None:
        for element in item:
            if element.VR == "SQ":
                element.is_undefined_length = True
                for inner in element.value:
                    inner.is_undefined_length_sequence_item = True
                    loosen(inner)

    loosen(ds)
    return part10(ds)


@pytest.mark.parametrize(
    "data",
    [
        PACKAGED,
        ecg_bytes(),
        ecg_bytes(transfer_syntax=ImplicitVRLittleEndian),
        undefined_lengths(ecg_bytes()),
        undefined_lengths(PACKAGED),
    ],
    ids=["packaged", "explicit", "implicit", "undefined lengths", "packaged, undefined lengths"],
)
def test_it_reads_what_pydicom_reads(data: bytes) -> None:
    assert same(_read(direct_dataset(data)), _read(open_dataset(data)))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["mortara_el250_12lead.dcm", "ge_maclab_hemodynamic_padding.dcm"])
def test_it_reads_recordings_of_the_field(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent")
    data = (SHARED / name).read_bytes()
    assert same(_read(direct_dataset(data)), _read(open_dataset(data)))


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_encodings_are_left_to_pydicom(syntax: str) -> None:
    data = ecg_bytes(transfer_syntax=syntax)
    with pytest.raises(NotDirect):
        direct_dataset(data)
    assert read_waveform(data).samples.shape[0] == 12


def test_text_beyond_ascii_is_left_to_pydicom() -> None:
    ds = ecg_dataset()
    ds.SpecificCharacterSet = "GB18030"
    note = Dataset()
    note.UnformattedTextValue = "窦性心律"
    ds.WaveformAnnotationSequence = Sequence([note])
    data = part10(ds)
    with pytest.raises(NotDirect):
        _read(direct_dataset(data))
    assert [a.text for a in read_waveform(data).annotations] == ["窦性心律"]


def test_a_file_cut_anywhere_is_left_to_pydicom() -> None:
    whole = ecg_bytes()
    for cut in range(140, len(whole), 997):
        try:
            waveform = _read(direct_dataset(whole[:cut]))
        except REFUSED:
            continue
        pytest.fail(f"{waveform.samples.shape} from {cut} of {len(whole)} bytes")


ECG = ecg_bytes(group(beats(0.2)))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(132, len(ECG) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore")  # pydicom remarks on many of the values that chance makes
def test_of_a_damaged_file_it_reads_nothing_else_than_pydicom(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(ECG)
    for at, value in changes:
        damaged[at] = value
    try:
        quick = _read(direct_dataset(bytes(damaged)))
    except REFUSED:
        return
    assert same(quick, _read(open_dataset(bytes(damaged))))
