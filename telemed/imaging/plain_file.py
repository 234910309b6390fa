"""An object in Explicit VR Little Endian, for those who read nothing else."""

from __future__ import annotations

from io import BytesIO

from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from telemed.imaging.errors import PixelError
from telemed.imaging.part10 import EXPLICIT_LITTLE
from telemed.imaging.pixels.frames import is_encapsulated
from telemed.imaging.reading import open_dataset


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
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        buffer = BytesIO()
        dcmwrite(buffer, ds, little_endian=True, implicit_vr=False, force_encoding=True)
    except Exception as error:
        raise PixelError("pixel.cannot_decode", transfer_syntax=syntax.name) from error
    return buffer.getvalue()
