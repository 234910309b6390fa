"""Uncompressed films are opened where they lie, with the same pixels, and anything odd is opened as ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.decode import decode_frame, parsed
from telemed.imaging.pixels.in_place import opened_in_place
from telemed.imaging.pixels.render import rendered
from telemed.imaging.reading import open_dataset
from tests.factories.dicom import dr_dataset, part10


def film(**how: Any) -> Dataset:
    ds = dr_dataset(np.arange(48 * 40, dtype=np.uint16).reshape(48, 40) * 2)
    for name, value in how.items():
        setattr(ds, name, value)
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=lambda uid: uid.name)
def test_pixels_are_a_view_and_the_same(syntax: str) -> None:
    data = part10(film(PatientName="Prüfling^Ä"), syntax)
    quick, usual = opened_in_place(data), open_dataset(data)
    assert quick is not None
    assert isinstance(quick.PixelData, memoryview) and quick.PixelData.obj is data
    assert quick.PixelData == usual.PixelData
    np.testing.assert_array_equal(decode_frame(quick).samples, decode_frame(usual).samples)
    del quick.PixelData, usual.PixelData
    assert quick == usual
    assert quick.original_encoding == usual.original_encoding and quick.file_meta == usual.file_meta
    assert rendered(data, format="png") == rendered(open_dataset(data), format="png")


def test_one_frame_of_several() -> None:
    frames = np.arange(3 * 48 * 40, dtype=np.uint16)
    ds = film(NumberOfFrames=3, PixelData=frames.tobytes())
    found = opened_in_place(part10(ds))
    assert found is not None
    np.testing.assert_array_equal(decode_frame(found, 2).samples.ravel(), frames[1920:3840])


def test_trailing_elements_do_not_belong_to_the_pixels() -> None:
    ds = film()
    ds.add_new(0xFFFCFFFC, "OB", bytes(100))
    found = opened_in_place(part10(ds))
    assert found is not None and len(found.PixelData) == 48 * 40 * 2


def test_what_a_view_would_not_show_is_opened_as_ever() -> None:
    packed = open_dataset(part10(film()))
    packed.compress(RLELossless, generate_instance_uid=False)
    assert opened_in_place(part10(packed, RLELossless)) is None
    assert opened_in_place(part10(film(), DeflatedExplicitVRLittleEndian)) is None
    named = b"UI\x14\x001.2.840.10008.1.2."
    data = part10(film())
    assert named + b"1" in data
    assert opened_in_place(data.replace(named + b"1", named + b"2")) is None  # big endian


def test_without_a_preamble_and_without_pixels_it_is_opened_as_ever() -> None:
    data = part10(film())
    assert opened_in_place(data[132:]) is None
    bare = film()
    del bare.PixelData
    assert opened_in_place(part10(bare)) is None
    with pytest.raises(PixelError) as error:
        decode_frame(parsed(part10(bare)))
    assert error.value.code == "pixel.no_pixels"


def test_cut_off_anywhere_it_says_the_same_as_ever() -> None:
    data = part10(film())

    def outcome(open_it: Any, cut: bytes) -> object:
        try:
            return decode_frame(open_it(cut)).samples.tobytes()
        except PixelError as error:
            return error.code

    def usual(cut: bytes) -> Dataset:
        try:
            return open_dataset(cut)
        except Exception as error:
            raise PixelError("pixel.unreadable") from error

    for length in (*range(0, len(data) - 3840 + 40, 7), len(data) - 500, len(data) - 1, len(data)):
        assert outcome(parsed, data[:length]) == outcome(usual, data[:length]), length
