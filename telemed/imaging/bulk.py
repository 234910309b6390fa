"""Bulk values of a data set by their address: how DICOM JSON leaves them out, and how they are fetched."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from telemed.imaging.elements import walk
from telemed.imaging.errors import HeaderError
from telemed.imaging.part10 import DEFLATED_LIKE, encoding_of, inflate, read_file_meta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
# Smaller values travel in the description itself.
_INLINE = 1024
_ADDRESS = re.compile(r"[0-9A-F]{8}(/[0-9]{1,6}/[0-9A-F]{8}){0,16}")


def described(data: bytes, base: str) -> dict[str, Any]:
    """The data set of a Part 10 file as DICOM JSON (PS3.18 annex F), its bulk values as BulkDataURI.

    An address is `base`, then tag (item number from 0, tag)*, as `bulk_value` reads it. Raises HeaderError
    `header.damaged` where the bytes are no data set.
    """
    try:
        ds = dcmread(BytesIO(data), stop_before_pixels=True, force=True)
        places = {id(element): place for element, place in _bulk_elements(ds, "")}
        content: dict[str, Any] = ds.to_json_dict(
            bulk_data_threshold=_INLINE,
            bulk_data_element_handler=lambda element: f"{base}/{places[id(element)]}",
            suppress_invalid_tags=True,
        )
    except (InvalidDicomError, ValueError, KeyError, AttributeError, EOFError) as fault:
        raise HeaderError("header.damaged", position=0) from fault
    for tag, vr in _pixel_elements(data):
        content[f"{tag:08X}"] = {"vr": vr, "BulkDataURI": f"{base}/{tag:08X}"}
    return content


def bulk_value(ds: Dataset, address: str) -> bytes | None:
    """The bytes of one bulk element; None where the address leads to none."""
    if not _ADDRESS.fullmatch(address):
        return None
    *way, last = address.split("/")
    place = ds
    for tag, item in zip(way[::2], way[1::2], strict=True):
        sequence = place.get(int(tag, 16))
        if sequence is None or sequence.VR != "SQ" or int(item) >= len(sequence.value):
            return None
        place = sequence.value[int(item)]
    element = place.get(int(last, 16))
    return bytes(element.value) if element is not None and isinstance(element.value, bytes) else None


def _bulk_elements(ds: Dataset, above: str) -> Iterator[tuple[DataElement, str]]:
    for element in ds:
        place = f"{above}{int(element.tag):08X}"
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _bulk_elements(item, f"{place}/{number}/")
        elif isinstance(element.value, bytes):
            yield element, place


def _pixel_elements(data: bytes) -> Iterator[tuple[int, str]]:
    """Pixel data at the top level, found without reading it."""
    meta = read_file_meta(data)
    offset = meta.dataset_offset
    if meta.transfer_syntax_uid in DEFLATED_LIKE:
        data, offset = inflate(data[offset:]), 0
    for element in walk(data, encoding_of(meta.transfer_syntax_uid, data, offset), offset):
        if element.tag in PIXEL_TAGS:
            yield element.tag, element.vr.decode() or "OW"
