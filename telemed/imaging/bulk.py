"""Bulk values of a data set by their address: how DICOM JSON leaves them out, and how they are fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.errors import InvalidDicomError

from telemed.imaging.elements import Bytes, Element, Encoding, items, walk
from telemed.imaging.errors import HeaderError
from telemed.imaging.part10 import DEFLATED_LIKE, encoding_of, inflate_from, read_file_meta
from telemed.imaging.right_identity import RightIdentity, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
# Smaller values travel in the description itself.
_INLINE = 1024
_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_UNDEFINED = b"\xff\xff\xff\xff"
_ADDRESS = re.compile(r"[0-9A-F]{8}(/[0-9]{1,6}/[0-9A-F]{8}){0,16}")


@dataclass(frozen=True)
class Place:
    """Of a value in its file, in bytes; `in_fragments`: compressed pixels with their items' heads (PS3.5 A.4)."""

    start: int
    end: int
    in_fragments: bool


def described(data: Bytes, base: str, identity: RightIdentity | None = None) -> dict[str, Any]:
    """The data set of a Part 10 file as DICOM JSON (PS3.18 annex F), its bulk values as BulkDataURI.

    Pixels are passed over unread. Under `identity` where one is given.

    An address is `base`, then tag (item number from 0, tag)*, as `bulk_value` reads it. Raises HeaderError
    `header.damaged` where the bytes are no data set.
    """
    head, pixels = _apart(data)
    if identity is not None:
        head = under(head, identity)
    try:
        ds = dcmread(BytesIO(head), stop_before_pixels=True, force=True)
        places = {id(element): place for element, place in _bulk_elements(ds, "")}
        content: dict[str, Any] = ds.to_json_dict(
            bulk_data_threshold=_INLINE,
            bulk_data_element_handler=lambda element: f"{base}/{places[id(element)]}",
            suppress_invalid_tags=True,
        )
    except (InvalidDicomError, ValueError, KeyError, AttributeError, EOFError) as fault:
        raise HeaderError("header.damaged", position=0) from fault
    for tag, vr in pixels:
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


def bulk_place(data: Bytes, address: str) -> Place | None:
    """Where `bulk_value` has its bytes from, in a file that is not deflated; None where the address leads to none.

    Raises HeaderError as `elements.walk`.
    """
    if not _ADDRESS.fullmatch(address):
        return None
    meta = read_file_meta(data)
    start, end = meta.dataset_offset, len(data)
    encoding = encoding_of(meta.transfer_syntax_uid, data, start)
    *way, last = address.split("/")
    for tag, number in zip(way[::2], way[1::2], strict=True):
        sequence = _found(data, encoding, start, end, int(tag, 16))
        if sequence is None or _vr(sequence) not in ("SQ", "UN"):
            return None
        if sequence.vr == b"UN":
            encoding = Encoding(implicit=True, little=True)
        parts = list(items(data, encoding, sequence))
        if int(number) >= len(parts):
            return None
        start, end = parts[int(number)]
    element = _found(data, encoding, start, end, int(last, 16))
    if element is None or _BYTES.isdisjoint(_vr(element).split(" or ")):
        return None
    return Place(element.start, element.end, data[element.start - 4 : element.start] == _UNDEFINED)


def _found(data: Bytes, encoding: Encoding, start: int, end: int, tag: int) -> Element | None:
    return next((element for element in walk(data, encoding, start, end) if element.tag == tag), None)


def _vr(element: Element) -> str:
    """As the dictionary has it where the data set does not say; some are one of several."""
    if element.vr:
        return element.vr.decode("ascii")
    try:
        return dictionary_VR(element.tag)
    except KeyError:
        return "UN"


def _bulk_elements(ds: Dataset, above: str) -> Iterator[tuple[DataElement, str]]:
    for element in ds:
        place = f"{above}{int(element.tag):08X}"
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _bulk_elements(item, f"{place}/{number}/")
        elif isinstance(element.value, bytes):
            yield element, place


def _apart(data: Bytes) -> tuple[bytes, list[tuple[int, str]]]:
    """The file as far as its pixel data, and (tag, VR) of these at the top level."""
    meta = read_file_meta(data)
    deflated = meta.transfer_syntax_uid in DEFLATED_LIKE
    offset = meta.dataset_offset
    body, start = (inflate_from(data, offset), 0) if deflated else (data, offset)
    found = [
        element
        for element in walk(body, encoding_of(meta.transfer_syntax_uid, body, start), start)
        if element.tag in PIXEL_TAGS
    ]
    end = len(data)
    if found and not deflated:
        # Pixels have VRs of the long form.
        end = found[0].start - (12 if found[0].vr else 8)
    return data[:end], [(element.tag, element.vr.decode() or "OW") for element in found]
