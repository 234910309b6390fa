"""Frames compressed without loss, read again by decoders of other makers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.encode import (
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    LOSSLESS,
    RLE,
    can_encode,
    encoded_frame,
)
from tests.factories.dicom import dr_bytes

OTHERS = {RLE: "pydicom", JPEG_LOSSLESS: "gdcm", JPEG_LS: "gdcm", JPEG_2000: "gdcm"}
_random = np.random.default_rng(7)


def picture(samples: np.ndarray[Any, Any], *, stored: int, kind: str = "MONOCHROME2") -> Dataset:
    ds = dcmread(io.BytesIO(dr_bytes(np.zeros((40, 56), np.uint16))))
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = samples.dtype.itemsize * 8, stored, stored - 1
    ds.PixelRepresentation = int(samples.dtype.kind == "i")
    ds.PhotometricInterpretation = kind
    if samples.ndim == 3:
        ds.SamplesPerPixel, ds.PlanarConfiguration = 3, 0
    ds.PixelData = samples.tobytes()
    return ds


def read_again(ds: Dataset, stream: bytes, syntax: str, reader: str = "") -> np.ndarray[Any, Any]:
    ds.PixelData, ds.file_meta.TransferSyntaxUID = encapsulate([stream]), UID(syntax)
    ds["PixelData"].is_undefined_length = True
    if int(ds.SamplesPerPixel) > 1:
        ds.PlanarConfiguration = 1 if syntax == RLE else 0
    ds.pixel_array_options(decoding_plugin=reader or OTHERS[syntax])
    return ds.pixel_array


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize(
    ("dtype", "stored"), [(np.uint8, 8), (np.uint16, 10), (np.uint16, 12), (np.uint16, 16)]
)
def test_every_sample_comes_back(syntax: str, dtype: Any, stored: int) -> None:
    samples = _random.integers(0, 1 << stored, (40, 56)).astype(dtype)
    ds = picture(samples, stored=stored)
    assert np.array_equal(read_again(ds, encoded_frame(ds, 1, syntax), syntax), samples)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, JPEG_2000])
def test_values_below_zero_come_back(syntax: str) -> None:
    samples = _random.integers(-2048, 2048, (40, 56)).astype(np.int16)
    ds = picture(samples, stored=12)
    stream = encoded_frame(ds, 1, syntax)
    # gdcm takes the sign of a JPEG-LS sample for a bit of its value.
    reader = "pyjpegls" if syntax == JPEG_LS else OTHERS[syntax]
    assert np.array_equal(read_again(ds, stream, syntax, reader), samples)


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, JPEG_2000])
def test_colours_come_back(syntax: str) -> None:
    samples = _random.integers(0, 256, (40, 56, 3)).astype(np.uint8)
    ds = picture(samples, stored=8, kind="RGB")
    assert np.array_equal(read_again(ds, encoded_frame(ds, 1, syntax), syntax), samples)


def test_what_could_not_be_given_without_loss_is_refused() -> None:
    colours = picture(np.zeros((40, 56, 3), np.uint8), stored=8, kind="YBR_FULL")
    below = picture(np.zeros((40, 56), np.int16), stored=12)
    wide = picture(np.zeros((40, 56), np.uint32), stored=32)
    assert not any(can_encode(colours, syntax) or can_encode(wide, syntax) for syntax in LOSSLESS)
    assert not can_encode(below, JPEG_LOSSLESS)
    assert not can_encode(picture(np.zeros((40, 56), np.uint16), stored=12), "1.2.840.10008.1.2.4.50")
    # An overlay in the bits above those stored, as machines of the nineties did it.
    overlay = picture(np.full((40, 56), 0x8001, np.uint16), stored=12)
    for syntax in (JPEG_LOSSLESS, JPEG_LS, JPEG_2000):
        with pytest.raises(PixelError, match=r"pixel\.cannot_encode"):
            encoded_frame(overlay, 1, syntax)
