"""An object in another transfer syntax than it is stored in, with the same content to the last sample."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from telemed.imaging.errors import PixelError
from telemed.imaging.part10 import EXPLICIT_LITTLE
from telemed.imaging.pixels.decode import frame_count
from telemed.imaging.pixels.encode import RLE, can_encode, encoded_frame
from telemed.imaging.pixels.frames import is_encapsulated
from telemed.imaging.reading import is_little_endian, open_dataset

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# Streams of words that pydicom writes as they lie in memory, and their widths in bytes.
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


def to_explicit_little(data: bytes) -> bytes:
    """A Part 10 file with the same data set in Explicit VR Little Endian, its frames decoded.

    The SOP Instance UID stays: the content is the same (PS3.18 8.7.3.5). Raises PixelError
    `pixel.cannot_decode` (transfer_syntax) where the frames cannot be decoded or the data set not be written.
    """
    ds = open_dataset(data)
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax == EXPLICIT_LITTLE:
        return data
    try:
        if is_encapsulated(ds) and "PixelData" in ds:
            ds.decompress(as_rgb=False, generate_instance_uid=False)
        elif not is_little_endian(ds):
            ds.walk(_turn)
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        buffer = BytesIO()
        dcmwrite(buffer, ds, little_endian=True, implicit_vr=False, force_encoding=True)
    except Exception as error:
        raise PixelError("pixel.cannot_decode", transfer_syntax=syntax.name) from error
    return buffer.getvalue()


def _turn(_: Dataset, element: DataElement) -> None:
    """The words of a big endian object, little endian."""
    if (width := _WORDS.get(str(element.VR))) and element.value:
        element.value = np.frombuffer(element.value, f">u{width}").astype(f"<u{width}").tobytes()


def can_be_given(data: bytes, syntax: str) -> bool:
    """Whether `to_syntax` may be asked for this Part 10 file; its pixels are not looked at."""
    if syntax == EXPLICIT_LITTLE:
        return True
    ds = open_dataset(data)
    return str(ds.file_meta.TransferSyntaxUID) == syntax or can_encode(ds, syntax)


def to_syntax(data: bytes, syntax: str) -> bytes:
    """A Part 10 file with the same data set in `syntax`: Explicit VR Little Endian, or one of `encode.LOSSLESS`.

    Raises PixelError as `to_explicit_little` does, and `pixel.cannot_encode` (transfer_syntax).
    """
    if str(open_dataset(data, stop_before_pixels=True).file_meta.TransferSyntaxUID) == syntax:
        return data
    plain = to_explicit_little(data)
    if syntax == EXPLICIT_LITTLE:
        return plain
    ds = open_dataset(plain)
    frames = [encoded_frame(ds, number, syntax) for number in range(1, frame_count(ds) + 1)]
    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    if int(ds.get("SamplesPerPixel", 1)) > 1:
        ds.PlanarConfiguration = 1 if syntax == RLE else 0
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    buffer = BytesIO()
    dcmwrite(buffer, ds, little_endian=True, implicit_vr=False, force_encoding=True)
    return buffer.getvalue()
