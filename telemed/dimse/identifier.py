"""Identifiers: what a query asks, read without guessing; and its answers, written straight to bytes.

Answers are a handful of texts: writing them by hand costs a twentieth of building data sets, which is most of what
a query of 300 answers costs.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from telemed.dimse.pdu import ProtocolError

_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_BINARY = {"US": "<H", "SS": "<h", "UL": "<L", "SL": "<l", "FL": "<f", "FD": "<d"}
_ITEM, _UNDEFINED = 0xFFFEE000, 0xFFFFFFFF
# A query nested deeper than this is noise.
_DEEPEST = 8

# A value: its text (several values divided by a backslash), or the items of a sequence.
Value = str | Sequence["Elements"]
# VR and value by tag.
Elements = Mapping[int, tuple[str, Value]]
Writer = Callable[[str], bytes]


@dataclass(frozen=True)
class Key:
    """One element of a request: its raw value, or the keys of its first item (a sequence matches by one item)."""

    tag: int
    vr: str
    raw: bytes = b""
    inner: "tuple[Key, ...] | None" = None


@dataclass(frozen=True)
class Encoding:
    implicit: bool


def read_identifier(data: bytes, encoding: Encoding, vr_of: Mapping[int, str]) -> tuple[Key, ...]:
    """The elements of a request in Implicit or Explicit VR little endian. Raises ProtocolError.

    `vr_of` is a dictionary of standard elements; a VR on the wire wins unless it is UN.
    """
    return _read(data, encoding, vr_of, 0)


def write_answer(elements: Elements, encoding: Encoding, write: Writer) -> bytes:
    """A data set of (VR, value) by tag, its texts as `write` writes them."""
    return b"".join(_element(tag, *elements[tag], encoding, write) for tag in sorted(elements))


def write_ascii(text: str) -> bytes:
    """What is no ASCII becomes "?"."""
    return text.encode("ascii", "replace")


def _read(data: bytes, encoding: Encoding, vr_of: Mapping[int, str], depth: int) -> tuple[Key, ...]:
    if depth > _DEEPEST:
        raise ProtocolError("an identifier nested too deep")
    keys: list[Key] = []
    position = 0
    while position < len(data):
        tag, vr, start, length = _head(data, position, encoding, vr_of)
        if vr == "SQ":
            inner, position = _first_item(data, start, length, encoding, vr_of, depth)
            keys.append(Key(tag, vr, inner=inner))
            continue
        if length == _UNDEFINED or start + length > len(data):
            raise ProtocolError("an element of a wrong length")
        if tag & 0xFFFF:
            keys.append(Key(tag, vr, data[start : start + length]))
        position = start + length
    return tuple(keys)


def _head(
    data: bytes, position: int, encoding: Encoding, vr_of: Mapping[int, str]
) -> tuple[int, str, int, int]:
    if position + 8 > len(data):
        raise ProtocolError("an element is cut short")
    group, number, length = struct.unpack_from("<HHL", data, position)
    tag = group << 16 | number
    known = vr_of.get(tag, "UN")
    if encoding.implicit:
        return tag, known, position + 8, length
    vr = data[position + 4 : position + 6].decode("ascii", "replace")
    if vr not in _LONG:
        (short,) = struct.unpack_from("<H", data, position + 6)
        return tag, vr, position + 8, short
    if position + 12 > len(data):
        raise ProtocolError("an element is cut short")
    (length,) = struct.unpack_from("<L", data, position + 8)
    return tag, known if vr == "UN" and known != "SQ" else vr, position + 12, length


def _first_item(
    data: bytes, position: int, length: int, encoding: Encoding, vr_of: Mapping[int, str], depth: int
) -> tuple[tuple[Key, ...], int]:
    """The keys of the first item, and the position behind the sequence."""
    end = len(data) if length == _UNDEFINED else position + length
    if end > len(data):
        raise ProtocolError("a sequence of a wrong length")
    first: tuple[Key, ...] | None = None
    while position < end:
        if position + 8 > len(data):
            raise ProtocolError("an item is cut short")
        group, number, size = struct.unpack_from("<HHL", data, position)
        position += 8
        if (group << 16 | number) != _ITEM:
            # The sequence's own end, of an undefined length.
            return first or (), position
        stop = _item_end(data, position, encoding, vr_of, depth) if size == _UNDEFINED else position + size
        if stop > end:
            raise ProtocolError("an item of a wrong length")
        if first is None:
            first = _read(data[position:stop], encoding, vr_of, depth + 1)
        position = stop + (8 if size == _UNDEFINED else 0)
    return first or (), position


def _item_end(data: bytes, position: int, encoding: Encoding, vr_of: Mapping[int, str], depth: int) -> int:
    if depth > _DEEPEST:
        raise ProtocolError("an identifier nested too deep")
    while True:
        if position + 8 > len(data):
            raise ProtocolError("an item is cut short")
        group, number = struct.unpack_from("<HH", data, position)
        if group == 0xFFFE:
            if number != 0xE00D:
                raise ProtocolError("an item that does not end")
            return position
        _, vr, start, length = _head(data, position, encoding, vr_of)
        if vr == "SQ" or length == _UNDEFINED:
            _, position = _first_item(data, start, length, encoding, vr_of, depth + 1)
        else:
            position = start + length


def _element(tag: int, vr: str, value: Value, encoding: Encoding, write: Writer) -> bytes:
    raw = _raw(vr, value, encoding, write)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if encoding.implicit:
        return head + struct.pack("<L", len(raw)) + raw
    if vr in _LONG:
        return head + vr.encode() + b"\x00\x00" + struct.pack("<L", len(raw)) + raw
    return head + vr.encode() + struct.pack("<H", len(raw)) + raw


def _raw(vr: str, value: Value, encoding: Encoding, write: Writer) -> bytes:
    if vr == "SQ":
        items = () if isinstance(value, str) else value
        return b"".join(_item(item, encoding, write) for item in items)
    text = value if isinstance(value, str) else ""
    if vr in _BINARY:
        return b"".join(struct.pack(_BINARY[vr], int(part)) for part in text.split("\\") if part)
    raw = write(text)
    return raw + (b"\x00" if vr == "UI" else b" ") * (len(raw) % 2)


def _item(item: Elements, encoding: Encoding, write: Writer) -> bytes:
    body = write_answer(item, encoding, write)
    return struct.pack("<HHL", _ITEM >> 16, _ITEM & 0xFFFF, len(body)) + body
