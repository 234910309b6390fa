"""Frames of pixel data as they lie in the object, or decoded to plain samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.decode import decode_frame, frame_count
from telemed.imaging.reading import is_little_endian

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def is_encapsulated(ds: Dataset) -> bool:
    """Whether the frames lie compressed in fragments (PS3.5 A.4)."""
    return bool(ds.file_meta.TransferSyntaxUID.is_encapsulated)


def stored_frame(ds: Dataset, frame: int) -> bytes:
    """The compressed stream of frame number `frame` (from 1), byte for byte as it was received.

    Raises PixelError `pixel.no_pixels`, `pixel.no_such_frame` (frame, frames), `pixel.truncated`.
    """
    frames = _demand(ds, frame)
    try:
        return get_frame(ds.PixelData, frame - 1, number_of_frames=frames)
    except Exception as error:
        raise PixelError("pixel.truncated") from error


def plain_frame(ds: Dataset, frame: int) -> bytes:
    """The samples of frame number `frame` (from 1) as Explicit VR Little Endian would hold them (PS3.5 A.2).

    Samples are in BitsAllocated, little endian, colour by pixel, in the colour space that the decoder gives
    without conversion. Raises PixelError as `decode_frame` does.
    """
    frames = _demand(ds, frame)
    bits = int(ds.get("BitsAllocated", 8))
    samples = int(ds.get("SamplesPerPixel", 1))
    if not is_encapsulated(ds) and is_little_endian(ds) and bits % 8 == 0:
        photometric = str(ds.get("PhotometricInterpretation", ""))
        length = int(ds.Rows) * int(ds.Columns) * samples * bits // 8
        if photometric.endswith("_422"):
            length = length * 2 // 3
        if len(ds.PixelData) < length * frames:
            raise PixelError("pixel.truncated")
        return bytes(ds.PixelData[length * (frame - 1) : length * frame])
    decoded = decode_frame(ds, frame).samples
    if samples > 1 or ds.get("PhotometricInterpretation") == "PALETTE COLOR":
        # `decode_frame` turns colours into RGB for a screen; the object's own description says otherwise.
        decoded = pixel_array(ds, index=frame - 1, raw=True)
    if bits == 1:
        return np.packbits(decoded.astype(bool).ravel(), bitorder="little").tobytes()
    return decoded.astype(decoded.dtype.newbyteorder("<"), copy=False).tobytes()


def _demand(ds: Dataset, frame: int) -> int:
    frames = frame_count(ds)
    if "PixelData" not in ds:
        raise PixelError("pixel.no_pixels")
    if not 1 <= frame <= frames:
        raise PixelError("pixel.no_such_frame", frame=frame, frames=frames)
    return frames
