"""A film that lies in memory uncompressed is opened where it lies: its pixels are a view, not a copy.

Of a chest film the pixels are 10 MB, and to copy them takes longer than to read its header.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from telemed.imaging.reading import PREAMBLE

_PIXEL_DATA = Tag(0x7FE0, 0x0010)
_SYNTAX = b"\x02\x00\x10\x00UI"
_LONGEST_META = 4096
# Part 10 names of the encodings in which a view means what the stored values mean; True: with explicit VR.
_EXPLICIT = {b"1.2.840.10008.1.2": False, b"1.2.840.10008.1.2.1": True}
_WHOLE = frozenset({"OB", "OW"})


def opened_in_place(data: bytes) -> Dataset | None:
    """The data set of an uncompressed little-endian Part 10 file, up to its pixels; `PixelData` is a memoryview.

    What follows the pixels (padding, signatures) is left out. None where the file is another one, or its pixels do
    not lie in it as they should: the usual way has the last word on it. O(header). Raises what pydicom raises.
    """
    explicit = _EXPLICIT.get(_transfer_syntax(data))
    if explicit is None:
        return None
    source = BytesIO(data)
    ds = dcmread(source, stop_before_pixels=True)
    at = source.tell()
    head = struct.unpack_from("<HH2s2xL" if explicit else "<HHL", data, at) if len(data) >= at + 12 else ()
    if head[:2] != (_PIXEL_DATA.group, _PIXEL_DATA.element):
        return None
    vr = head[2].decode("latin-1") if explicit else "OW"
    start, length = at + (12 if explicit else 8), head[-1]
    if vr not in _WHOLE or not 0 < length <= len(data) - start:
        return None
    # The library's types know bytes alone; its decoders take whatever is a buffer.
    pixels: Any = memoryview(data)[start : start + length]
    ds[_PIXEL_DATA] = RawDataElement(_PIXEL_DATA, vr, length, pixels, start, not explicit, True)
    return ds


def _transfer_syntax(data: bytes) -> bytes:
    """As the file's meta group says it, b"" where there is none near its beginning (PS3.10 7.1)."""
    if data[PREAMBLE : PREAMBLE + 4] != b"DICM":
        return b""
    at = data.find(_SYNTAX, PREAMBLE + 4, _LONGEST_META)
    if at < 0:
        return b""
    start = at + len(_SYNTAX) + 2
    return data[start : start + int.from_bytes(data[start - 2 : start], "little")].rstrip(b"\0 ")
