"""Whether two objects are the same data set in different transfer syntaxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.tag import BaseTag

from telemed.imaging.errors import ImagingError
from telemed.imaging.header import verify_structure
from telemed.imaging.pixels import decode_frame, frame_count
from telemed.imaging.reading import is_little_endian, open_dataset

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PIXEL_DATA = 0x7FE00010
PHOTOMETRIC = 0x00280004
# How many bytes a word of a bulk VR has: these are swapped between the byte orders (PS3.5 6.2, 7.3).
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
# What compression rewrites by right; the colour model is compared for gray pictures alone (YBR_RCT for RGB).
_ENCODING_ONLY = frozenset(
    {
        0x00280006,  # Planar Configuration
        0x00280008,  # Number of Frames, absent or 1
        PIXEL_DATA,
        0x7FE00001,  # Extended Offset Table
        0x7FE00002,  # Extended Offset Table Lengths
        0xFFFCFFFC,  # Data Set Trailing Padding
    }
)
# Comparing decodes both; beyond this it is a person's decision.
_LARGEST_TOTAL = 1 << 30


def same_content(a: bytes, b: bytes) -> bool:
    """Whether two Part 10 files hold the same data set, apart from how it is encoded.

    Every element must have the same value; VR form, byte order, sequence lengths, group lengths and padding
    of values do not count. Bulk words and waveform samples are compared in one byte order, pixel data by
    their decoded samples, frame by frame. File meta and preamble do not count. What cannot be decided
    (unreadable, undecodable, too large to compare) is not the same: the answer False is the safe one, the
    object is then kept for a person to look at. Lossily compressed pixels differ from their source and
    give False.
    """
    try:
        # pydicom drops what a cut file lacks without a word.
        verify_structure(a)
        verify_structure(b)
        first, second = open_dataset(a), open_dataset(b)
        return _equal_datasets(first, second, first, second) and _equal_pixels(first, second)
    except ImagingError:
        return False
    except Exception:  # noqa: BLE001  pydicom parses lazily and may meet a broken value anywhere on the way
        return False


def _equal_datasets(one: Dataset, other: Dataset, first: Dataset, second: Dataset) -> bool:
    tags = {tag for tag in {*one.keys(), *other.keys()} if _counts(int(tag))}
    if one.get("SamplesPerPixel") != 1:
        tags.discard(BaseTag(PHOTOMETRIC))
    return all(
        tag in one and tag in other and _equal_elements(one, other, int(tag), first, second) for tag in tags
    )


def _counts(tag: int) -> bool:
    return tag not in _ENCODING_ONLY and tag & 0xFFFF != 0


def _equal_elements(one: Dataset, other: Dataset, tag: int, first: Dataset, second: Dataset) -> bool:
    left, right = _known(one, tag, first), _known(other, tag, second)
    if left.VR == "SQ" or right.VR == "SQ":
        if left.VR != right.VR or len(left.value) != len(right.value):
            return False
        pairs = zip(left.value, right.value, strict=True)
        return all(_equal_datasets(mine, yours, first, second) for mine, yours in pairs)
    if isinstance(left.value, bytes) and isinstance(right.value, bytes) and left.VR == right.VR:
        return _bulk(left, one, tag, first) == _bulk(right, other, tag, second)
    if "UN" in (left.VR, right.VR):
        # A private element has no VR in Implicit VR: its bytes decide.
        return _as_written(left, one) == _as_written(right, other)
    return bool(_plain(left.value) == _plain(right.value))


def _as_written(element: DataElement, ds: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    charset = ds.original_character_set
    write_data_element(buffer, element, [charset] if isinstance(charset, str) else list(charset))
    return buffer.getvalue()[8:].rstrip(b" \x00")


def _known(ds: Dataset, tag: int, root: Dataset) -> DataElement:
    """The element with the VR that its context gives it ("US or SS", "OB or OW")."""
    element = ds[tag]
    if " or " in element.VR:
        correct_ambiguous_vr(ds, is_little_endian(root))
        element = ds[tag]
    return element


def _bulk(element: DataElement, ds: Dataset, tag: int, root: Dataset) -> bytes:
    """Bulk bytes in little endian, without the pad byte."""
    width = _WORDS.get(element.VR, 1)
    if tag in (0x54001010, 0x5400100A):
        width = max(int(ds.get("WaveformBitsAllocated", 8)) // 8, 1)
    value = element.value
    if width > 1 and not is_little_endian(root) and len(value) % width == 0:
        value = np.frombuffer(value, dtype=f">u{width}").astype(f"<u{width}").tobytes()
    return bytes(value[:-1]) if width == 1 and value[-1:] == b"\x00" else bytes(value)


def _plain(value: Any) -> Any:
    """A value free of what encoding adds: padding, absent against empty, kinds of list."""
    if value is None or value == "" or value == b"":
        return ""
    if isinstance(value, str):
        return value.strip(" \x00")
    if isinstance(value, bytes):
        return value.rstrip(b" \x00")
    if hasattr(value, "__iter__") and not hasattr(value, "components"):
        return tuple(_plain(part) for part in value)
    return str(value) if hasattr(value, "components") else value


def _equal_pixels(first: Dataset, second: Dataset) -> bool:
    held = [PIXEL_DATA in ds for ds in (first, second)]
    if not any(held):
        return True
    frames = frame_count(first)
    if not all(held) or frames != frame_count(second):
        return False
    pixels = int(first.Rows) * int(first.Columns) * int(first.get("SamplesPerPixel", 1))
    if pixels * frames * max(int(first.BitsAllocated) // 8, 1) > _LARGEST_TOTAL:
        return False
    for number in range(1, frames + 1):
        mine, yours = decode_frame(first, number).samples, decode_frame(second, number).samples
        if mine.shape != yours.shape or not np.array_equal(mine, yours):
            return False
    return True
