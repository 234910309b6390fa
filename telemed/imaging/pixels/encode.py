"""Frames compressed without loss, for those who ask for a compressed form of what is stored in another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.frames import plain_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"


def _jpeg_lossless(samples: NDArray[Any], bits: int) -> bytes:
    from imagecodecs import ljpeg_encode

    return bytes(ljpeg_encode(samples, bitspersample=bits))


def _htj2k(samples: NDArray[Any], _bits: int) -> bytes:
    from imagecodecs import htj2k_encode

    return bytes(htj2k_encode(samples, reversible=True))


# What pydicom has no encoder for; unsigned and monochrome alone.
_OTHERS: Mapping[str, Callable[[NDArray[Any], int], bytes]] = {JPEG_LOSSLESS: _jpeg_lossless, HTJ2K: _htj2k}
# Transfer syntaxes that an object may be turned into: none of them changes a sample.
LOSSLESS = (JPEG_LOSSLESS, JPEG_LS, JPEG_2000, RLE)
# And those that a frame alone may be given in.
FRAMES = (*LOSSLESS, HTJ2K)


def can_encode(ds: Dataset, syntax: str) -> bool:
    """Whether `encoded_frame` takes this object (its header is enough): 8 or 16 bits, grey or RGB as it is.

    Colours in another form than RGB would have to be converted, which is not without loss.
    """
    if syntax not in FRAMES or "PixelData" not in ds:
        return False
    kind = str(ds.get("PhotometricInterpretation", ""))
    samples, bits = int(ds.get("SamplesPerPixel", 1)), int(ds.get("BitsAllocated", 0))
    if kind not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB") or bits not in (8, 16):
        return False
    if syntax in _OTHERS:
        return samples == 1 and not int(ds.get("PixelRepresentation", 0))
    return samples == 1 or (samples == 3 and bits == 8)


def encoded_frame(ds: Dataset, frame: int, syntax: str) -> bytes:
    """Frame number `frame` (from 1) as a stream of `syntax`, one of FRAMES.

    Raises PixelError `pixel.cannot_encode` (transfer_syntax), and as `plain_frame` does.
    """
    if not can_encode(ds, syntax):
        raise PixelError("pixel.cannot_encode", transfer_syntax=UID(syntax).name)
    raw = plain_frame(ds, frame)
    try:
        return _encoded(ds, raw, syntax)
    except Exception as error:
        # Samples beyond BitsStored, such as overlays of old machines, are refused by the encoders.
        raise PixelError("pixel.cannot_encode", transfer_syntax=UID(syntax).name) from error


def _encoded(ds: Dataset, raw: bytes, syntax: str) -> bytes:
    bits, stored = int(ds.BitsAllocated), int(ds.get("BitsStored", ds.BitsAllocated))
    signed = int(ds.get("PixelRepresentation", 0))
    samples = np.frombuffer(raw, f"<{'i' if signed else 'u'}{bits // 8}")
    least, most = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    # RLE alone keeps whole words: elsewhere an overlay in the upper bits would be lost in silence.
    if syntax != RLE and not least <= samples.min() <= samples.max() <= most:
        raise ValueError("a sample is larger than its bits")
    if syntax in _OTHERS:
        return _OTHERS[syntax](samples.reshape(int(ds.Rows), int(ds.Columns)), stored)
    return get_encoder(syntax).encode(
        raw,
        index=0,
        rows=int(ds.Rows),
        columns=int(ds.Columns),
        samples_per_pixel=int(ds.get("SamplesPerPixel", 1)),
        number_of_frames=1,
        bits_allocated=bits,
        bits_stored=stored,
        pixel_representation=signed,
        photometric_interpretation=str(ds.PhotometricInterpretation),
        planar_configuration=0,
    )
