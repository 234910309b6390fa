"""The quick decoders give the very samples that pydicom's give, or leave the frame to them."""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from telemed.imaging.film import film_tensor, reference_tensor
from telemed.imaging.pixels import decode_frame
from telemed.imaging.pixels.codecs import quick_samples
from telemed.imaging.reading import open_dataset
from tests.factories.dicom import dr_dataset, part10


def pixels(bits: int) -> NDArray[Any]:
    y, x = np.mgrid[0:150, 0:130]
    share = 0.5 + 0.3 * np.sin(x / 17) * np.cos(y / 23) + np.random.default_rng(1).normal(0, 0.02, x.shape)
    return np.clip(share * ((1 << bits) - 1), 0, (1 << bits) - 1).astype(np.uint16 if bits > 8 else np.uint8)


def jpeg_lossless(values: NDArray[Any], predictor: int = 1) -> bytes:
    bits = 16 if values.dtype == np.uint16 else 8
    return bytes(imagecodecs.jpeg8_encode(values, lossless=True, predictor=predictor, bitspersample=bits))


ENCODERS = {
    "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG-LS near lossless": (JPEGLSNearLossless, lambda values: imagecodecs.jpegls_encode(values, level=3)),
    "JPEG lossless, first predictor": (JPEGLosslessSV1, jpeg_lossless),
    "JPEG lossless, sixth predictor": (JPEGLossless, lambda values: jpeg_lossless(values, 6)),
    "HTJ2K": (HTJ2KLossless, imagecodecs.htj2k_encode),
}


def compressed(values: NDArray[Any], syntax: str, stream: bytes, bits: int) -> Dataset:
    ds = dr_dataset(values, bits=bits)
    ds.PixelData = encapsulate([bytes(stream)])
    ds["PixelData"].is_undefined_length = True
    return open_dataset(part10(ds, syntax))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("kind", ENCODERS)
def test_the_samples_are_those_of_pydicom(kind: str, bits: int) -> None:
    syntax, encode = ENCODERS[kind]
    values = pixels(bits)
    ds = compressed(values, syntax, encode(values), bits)
    quick = quick_samples(ds, 1, 1)
    assert quick is not None and quick.dtype == values.dtype
    np.testing.assert_array_equal(quick, ds.pixel_array)
    if syntax != JPEGLSNearLossless:
        np.testing.assert_array_equal(quick, values)
    np.testing.assert_array_equal(decode_frame(ds).samples, quick)


def test_a_film_in_high_throughput_jpeg_2000_is_reduced_while_it_is_decoded() -> None:
    values = np.kron(pixels(12), np.ones((5, 5), np.uint16))
    ds = compressed(values, HTJ2KLossless, imagecodecs.htj2k_encode(values), 12)
    assert np.abs(film_tensor(ds, 64) - reference_tensor(ds, 64)).mean() <= 0.01


@pytest.mark.parametrize(
    ("name", "value"),
    [("PixelRepresentation", 1), ("PhotometricInterpretation", "RGB"), ("BitsAllocated", 32)],
)
def test_what_needs_more_than_the_stream_is_left_to_pydicom(name: str, value: object) -> None:
    values = pixels(12)
    ds = compressed(values, JPEGLSLossless, imagecodecs.jpegls_encode(values), 12)
    assert quick_samples(ds, 1, 1) is not None
    setattr(ds, name, value)
    assert quick_samples(ds, 1, 1) is None


def test_other_syntaxes_and_broken_streams_are_left_to_pydicom() -> None:
    values = pixels(12)
    stream = bytes(imagecodecs.jpegls_encode(values))
    assert quick_samples(compressed(values, JPEG2000Lossless, stream, 12), 1, 1) is None
    assert quick_samples(compressed(values, JPEGLSLossless, stream[:200], 12), 1, 1) is None
    # A sixteen-bit stream under a header of eight bits.
    ds = compressed(values, JPEGLSLossless, stream, 12)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    assert quick_samples(ds, 1, 1) is None
