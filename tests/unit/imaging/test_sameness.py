"""The same data set in another transfer syntax is an alternate; anything else is a conflict."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from telemed.imaging.sameness import same_content
from tests.factories.dicom import beats, dr_bytes, dr_dataset, ecg_bytes, group, part10

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FILES = Path(pydicom.data.__file__).parent / "test_files"
SYNTAXES = [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
PIXELS = np.random.default_rng(3).integers(0, 4096, (48, 64)).astype(np.uint16)


def padded_ecg(little: bool = True) -> Dataset:
    raw = beats()
    raw[:9] = -32768
    item = group(raw, little=little)
    item.add_new(0x5400100A, "OW", b"\x00\x80" if little else b"\x80\x00")
    return item


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_same_object_in_another_encoding(syntax: str) -> None:
    assert same_content(dr_bytes(PIXELS), dr_bytes(PIXELS, transfer_syntax=syntax))
    assert same_content(ecg_bytes(padded_ecg()), ecg_bytes(padded_ecg(), transfer_syntax=syntax))


def test_big_endian_samples_and_pixels() -> None:
    assert same_content(
        ecg_bytes(padded_ecg()), ecg_bytes(padded_ecg(little=False), transfer_syntax=ExplicitVRBigEndian)
    )
    ds = dr_dataset(PIXELS)
    ds.PixelData = PIXELS.astype(">u2").tobytes()
    assert same_content(dr_bytes(PIXELS), part10(ds, ExplicitVRBigEndian))


def test_big_endian_bytes_left_in_little_endian_order_are_not_the_same() -> None:
    assert not same_content(
        ecg_bytes(padded_ecg()), ecg_bytes(padded_ecg(little=True), transfer_syntax=ExplicitVRBigEndian)
    )


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_losslessly_compressed_pixels(syntax: str) -> None:
    for change, expected in ((0, True), (1, False)):
        pixels = PIXELS.copy()
        pixels[20, 30] ^= change
        ds = dcmread(BytesIO(dr_bytes(pixels)))
        compress(ds, syntax, generate_instance_uid=False)
        packed = part10(ds, syntax)
        assert same_content(dr_bytes(PIXELS), packed) is expected
        assert same_content(packed, dr_bytes(PIXELS)) is expected


@pytest.mark.parametrize("kind", ["implicit", "bigendian", "expb", "RLE", "jp2klossless", "jpeg_ls_lossless"])
def test_files_of_the_package_made_from_one_another(kind: str) -> None:
    one, other = (FILES / "MR_small.dcm").read_bytes(), (FILES / f"MR_small_{kind}.dcm").read_bytes()
    assert one != other
    assert same_content(one, other)
    assert not same_content((FILES / "CT_small.dcm").read_bytes(), other)


def test_one_changed_element_anywhere() -> None:
    base = ecg_bytes(padded_ecg())
    changed_sample = padded_ecg()
    data = bytearray(changed_sample.WaveformData)
    data[5000] ^= 1
    changed_sample.WaveformData = bytes(data)
    changed_scale = padded_ecg()
    changed_scale.ChannelDefinitionSequence[3].ChannelSensitivity = 2
    for other in (
        ecg_bytes(changed_sample),
        ecg_bytes(changed_scale),
        ecg_bytes(padded_ecg(), PatientComments="more"),
        ecg_bytes(padded_ecg(), patient_name="例^另一", seed=""),
        ecg_bytes(padded_ecg(), padded_ecg()),
    ):
        assert not same_content(base, other)
    assert same_content(base, ecg_bytes(padded_ecg()))


def test_private_elements_without_a_vr() -> None:
    data = (FILES / "waveform_ecg.dcm").read_bytes()
    implicit = part10(dcmread(BytesIO(data)), ImplicitVRLittleEndian)
    assert same_content(data, implicit)
    changed = dcmread(BytesIO(data))
    changed[0x1455, 0x1001].value = changed[0x1455, 0x1001].value[:-2] + b"\x01\x02"
    assert not same_content(part10(changed), implicit)


def test_a_gray_scale_turned_round_is_another_picture() -> None:
    assert not same_content(dr_bytes(PIXELS, photometric="MONOCHROME1"), dr_bytes(PIXELS))


def test_a_frame_missing_or_pixels_missing() -> None:
    two = np.stack([PIXELS, PIXELS])
    assert not same_content(dr_bytes(two), dr_bytes(PIXELS))
    ds = dr_dataset(PIXELS)
    del ds.PixelData
    assert not same_content(dr_bytes(PIXELS), part10(ds))


def test_what_cannot_be_decided_is_not_the_same() -> None:
    good = dr_bytes(PIXELS)
    assert not same_content(good, b"no DICOM")
    assert not same_content(b"", b"")
    broken = dr_dataset(PIXELS)
    assert not same_content(good, part10(broken)[:-500])
    compressed = dcmread(FILES / "JPGExtended.dcm")
    compressed.PixelData = encapsulate([b"\xff\xd8 no picture follows \xff\xd9"])
    undecodable = part10(compressed, compressed.file_meta.TransferSyntaxUID)
    assert not same_content(undecodable, undecodable)
