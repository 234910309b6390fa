"""Decoders that are several times faster than those behind pydicom, for the frames that films come in.

One monochrome, unsigned frame in JPEG-LS (CharLS), lossless JPEG (libjpeg-turbo) or High-Throughput JPEG 2000
(OpenJPH), through imagecodecs; each gives the same samples to the bit. JPEG Extended too, whose twelve bits nothing
behind pydicom decodes. Everything else, and whatever these decoders refuse or give another shape than the header
says, is left to pydicom. No decoder starts a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.encaps import get_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

log = logging.getLogger(__name__)


def _jpeg_ls(stream: bytes) -> Any:
    from imagecodecs import jpegls_decode

    return jpegls_decode(stream)


def _jpeg(stream: bytes) -> Any:
    from imagecodecs import jpeg8_decode

    return jpeg8_decode(stream)


def _htj2k(stream: bytes) -> Any:
    from imagecodecs import htj2k_decode

    return htj2k_decode(stream)


_DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "1.2.840.10008.1.2.4.51": _jpeg,
    "1.2.840.10008.1.2.4.57": _jpeg,
    "1.2.840.10008.1.2.4.70": _jpeg,
    "1.2.840.10008.1.2.4.80": _jpeg_ls,
    "1.2.840.10008.1.2.4.81": _jpeg_ls,
    "1.2.840.10008.1.2.4.201": _htj2k,
    "1.2.840.10008.1.2.4.202": _htj2k,
    "1.2.840.10008.1.2.4.203": _htj2k,
}


def quick_samples(ds: Dataset, frame: int, frames: int) -> NDArray[Any] | None:
    """Stored values (rows, columns) of frame number `frame` (from 1), uint8 or uint16; None: pydicom must decode.

    The caller has held the stream's own size against the header's.
    """
    decoder = _DECODERS.get(str(ds.file_meta.TransferSyntaxUID))
    if decoder is None or not _is_plain(ds):
        return None
    try:
        samples = decoder(get_frame(ds.PixelData, frame - 1, number_of_frames=frames))
    except Exception as error:  # noqa: BLE001 pydicom's decoders have the last word on a stream
        log.info("a quick decoder refused a frame: %s", type(error).__name__)
        return None
    if samples.shape != (int(ds.Rows), int(ds.Columns)) or samples.dtype != f"u{int(ds.BitsAllocated) // 8}":
        return None
    return np.asarray(samples)


def _is_plain(ds: Dataset) -> bool:
    """Samples that mean what the stream says: no colour, no sign to be extended."""
    return (
        ds.get("SamplesPerPixel", 1) == 1
        and str(ds.get("PhotometricInterpretation", "")) in ("MONOCHROME1", "MONOCHROME2")
        and ds.get("PixelRepresentation") == 0
        and ds.get("BitsAllocated") in (8, 16)
    )
