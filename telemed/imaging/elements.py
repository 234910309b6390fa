"""Walk over the elements of an encoded data set without interpreting values (PS3.5 section 7).

pydicom reads a cut data set without complaint and parses every nested sequence even when only the first
groups are wanted. This walk sees each top-level element with its place in the bytes, and knows when the
bytes end too early.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING, NamedTuple

from telemed.imaging.errors import HeaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A file may be walked where it lies: a picture of gigabytes costs no more memory than its headers.
Bytes = bytes | mmap
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL"}
    | {b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
)
# A data set nested deeper than this is an attack or noise, not a study.
_DEEPEST = 32
# Group, element, VR, length of the short form; the length of the others.
_HEAD_LITTLE, _HEAD_BIG = struct.Struct("<HH2sH"), struct.Struct(">HH2sH")
_WORD_LITTLE, _WORD_BIG = struct.Struct("<L"), struct.Struct(">L")


class Element(NamedTuple):
    """One element: `vr` is b"" in Implicit VR; its value is `data[start:end]` (items included, if any)."""

    tag: int
    vr: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set is written."""

    implicit: bool
    little: bool


def walk(data: Bytes, encoding: Encoding, start: int = 0, end: int | None = None) -> Iterator[Element]:
    """The elements between `start` and `end` at the top level, in the order in which they are written.

    Raises HeaderError `header.cut_short` (params: expected, found, both byte positions) when an element
    reaches beyond the end, and `header.damaged` (param: position) when the bytes are no element.
    """
    end = len(data) if end is None else end
    position = start
    while position < end:
        if end - position < 8 and not any(data[position:end]):
            # Zero bytes that round a file up are no cut element.
            return
        element, position = _element(data, encoding, position, end, 0)
        yield element


def items(data: Bytes, encoding: Encoding, sequence: Element) -> Iterator[tuple[int, int]]:
    """The (start, end) of each item of a sequence element."""
    position = sequence.start
    while position + 8 <= sequence.end:
        tag, length = _tag_and_length(data, encoding, position)
        if tag != ITEM:
            return
        start = position + 8
        end = start + length if length != UNDEFINED else _end_of_item(data, encoding, start, sequence.end, 1)
        yield start, end if length != UNDEFINED else end - 8
        position = end


def _element(data: Bytes, encoding: Encoding, position: int, end: int, depth: int) -> tuple[Element, int]:
    tag, vr, start, length = _head(data, encoding, position, end)
    if length != UNDEFINED:
        if start + length > end:
            raise HeaderError("header.cut_short", expected=start + length, found=end)
        return Element(tag, vr, start, start + length), start + length
    # An undefined length UN holds Implicit VR little endian (PS3.5 6.2.2 note 2).
    inner = Encoding(implicit=True, little=True) if vr == b"UN" else encoding
    after = _end_of_sequence(data, inner, start, end, depth + 1)
    return Element(tag, vr, start, after - 8), after


def _head(data: Bytes, encoding: Encoding, position: int, end: int) -> tuple[int, bytes, int, int]:
    if position + 8 > end:
        raise HeaderError("header.cut_short", expected=position + 8, found=end)
    head, word = (_HEAD_LITTLE, _WORD_LITTLE) if encoding.little else (_HEAD_BIG, _WORD_BIG)
    group, number, vr, length = head.unpack_from(data, position)
    tag = group << 16 | number
    if not encoding.implicit and group != 0xFFFE:
        if vr in SHORT_VRS:
            return tag, vr, position + 8, length
        # A VR of a later edition has the long form (PS3.5 6.2, reserved VRs).
        if vr in LONG_VRS or (vr.isalpha() and vr.isupper()):
            if position + 12 > end:
                raise HeaderError("header.cut_short", expected=position + 12, found=end)
            return tag, vr, position + 12, word.unpack_from(data, position + 8)[0]
    return tag, b"", position + 8, word.unpack_from(data, position + 4)[0]


def _tag_and_length(data: Bytes, encoding: Encoding, position: int) -> tuple[int, int]:
    group, number, length = struct.unpack_from("<HHL" if encoding.little else ">HHL", data, position)
    return group << 16 | number, length


def _end_of_sequence(data: Bytes, encoding: Encoding, position: int, end: int, depth: int) -> int:
    """The position behind the sequence delimiter; covers encapsulated pixel data, whose items are plain."""
    if depth > _DEEPEST:
        raise HeaderError("header.damaged", position=position)
    while True:
        if position + 8 > end:
            raise HeaderError("header.cut_short", expected=position + 8, found=end)
        tag, length = _tag_and_length(data, encoding, position)
        position += 8
        if tag == SEQUENCE_END:
            return position
        if tag != ITEM:
            raise HeaderError("header.damaged", position=position - 8)
        if length == UNDEFINED:
            position = _end_of_item(data, encoding, position, end, depth)
        elif position + length > end:
            raise HeaderError("header.cut_short", expected=position + length, found=end)
        else:
            position += length


def _end_of_item(data: Bytes, encoding: Encoding, position: int, end: int, depth: int) -> int:
    while True:
        if position + 8 > end:
            raise HeaderError("header.cut_short", expected=position + 8, found=end)
        tag, _ = _tag_and_length(data, encoding, position)
        if tag == ITEM_END:
            return position + 8
        _, position = _element(data, encoding, position, end, depth)
