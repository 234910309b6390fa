"""The elements of an ECG straight from its bytes: little endian, whole, and nothing that needs interpreting.

A twelve-lead object has some five hundred elements in nested sequences, and building pydicom's data sets from them
takes ten times as long as all its samples. This walk touches a sequence when it is asked for. Whatever it does not
know for certain (another byte order, text beyond ASCII, an unknown VR, bytes that are no element) raises `NotDirect`,
and the object goes the usual way.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pydicom.datadict import dictionary_VR, tag_for_keyword

from telemed.imaging.elements import UNDEFINED
from telemed.imaging.errors import HeaderError
from telemed.imaging.part10 import EXPLICIT_LITTLE, IMPLICIT_LITTLE, encoding_of, read_file_meta

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LONG = frozenset((b"OB", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"OD", b"OF", b"OL", b"OV", b"SV", b"UV"))
_SHORT = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL")
) | {b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
_TEXT = frozenset((b"AS", b"CS", b"DA", b"DS", b"IS", b"LO", b"LT", b"SH", b"ST", b"TM", b"UC", b"UT"))
_NUMBERS = {vr: struct.Struct("<" + code) for vr, code in
            {b"US": "H", b"SS": "h", b"UL": "L", b"SL": "l", b"FL": "f", b"FD": "d"}.items()}  # fmt: skip
_HEAD, _LENGTH, _ITEM = struct.Struct("<HH2sH"), struct.Struct("<L"), struct.Struct("<LL")
# Group and number as one little endian word.
_ITEM_START, _SEQUENCE_END = 0xE000FFFE, 0xE0DDFFFE
_DEEPEST = 32

# By tag: the VR as written (b"" in Implicit VR) or the items of a sequence, and the (start, end) of the value.
_Fields: TypeAlias = "dict[int, tuple[bytes | list[_Fields], int, int]]"


class NotDirect(Exception):
    """This object must be read by pydicom."""


class DirectItem:
    """A data set, or an item of a sequence: its elements as places in the bytes, its sequences as items."""

    __slots__ = ("_data", "_fields")

    def __init__(self, data: bytes, fields: _Fields) -> None:
        self._data, self._fields = data, fields

    def __contains__(self, keyword: str) -> bool:
        return _tag(keyword) in self._fields

    def get(self, keyword: str) -> Any:
        """Items of a sequence, or the bytes of an OB or OW; None where it is absent. Raises NotDirect for others."""
        tag = _tag(keyword)
        element = self._fields.get(tag)
        if element is None:
            return None
        vr, start, end = element
        if isinstance(vr, list):
            return [DirectItem(self._data, fields) for fields in vr]
        if (vr or _vr(tag)) in (b"OB", b"OW", b"OB or OW"):
            return memoryview(self._data)[start:end]
        raise NotDirect(keyword)

    def number(self, keyword: str) -> float | None:
        """A numeric element; None where it is absent, empty or no number. Raises NotDirect."""
        tag = _tag(keyword)
        element = self._fields.get(tag)
        if element is None or element[1] == element[2]:
            return None
        vr, start, end = element
        form = None if isinstance(vr, list) else _NUMBERS.get(vr or _vr(tag))
        if form is not None:
            if end - start != form.size:
                raise NotDirect(keyword)
            return float(form.unpack_from(self._data, start)[0])
        written = self.text(keyword).split("\\")[0]
        try:
            return float(written) if written else None
        except ValueError:
            return None

    def text(self, keyword: str) -> str:
        """An ASCII text without padding; "" where it is absent or empty. Raises NotDirect."""
        tag = _tag(keyword)
        element = self._fields.get(tag)
        if element is None:
            return ""
        vr, start, end = element
        value = self._data[start:end]
        if isinstance(vr, list) or (vr or _vr(tag)) not in _TEXT or not value.isascii():
            raise NotDirect(keyword)
        return value.replace(b"\x00", b"").decode("ascii").strip()


Source: TypeAlias = "Dataset | DirectItem"
_CHARSET = 0x00080005


def direct_dataset(data: bytes) -> DirectItem:
    """The data set of a Part 10 file in Implicit or Explicit VR Little Endian. Raises NotDirect."""
    try:
        meta = read_file_meta(data)
    except HeaderError as error:
        raise NotDirect from error
    if meta.transfer_syntax_uid not in (IMPLICIT_LITTLE, EXPLICIT_LITTLE):
        raise NotDirect(meta.transfer_syntax_uid)
    encoding = encoding_of(meta.transfer_syntax_uid, data, meta.dataset_offset)
    if encoding.implicit != (meta.transfer_syntax_uid == IMPLICIT_LITTLE) or not encoding.little:
        raise NotDirect(meta.transfer_syntax_uid)
    try:
        fields, _ = _scan(data, encoding.implicit, meta.dataset_offset, len(data), False, 0)
    except struct.error as error:
        raise NotDirect from error
    charset = fields.get(_CHARSET)
    if charset is not None and b"\x00" in data[charset[1] : charset[2]].rstrip(b"\x00 "):
        # No name of a character set; pydicom refuses the whole data set for it.
        raise NotDirect("SpecificCharacterSet")
    return DirectItem(data, fields)


def _scan(
    data: bytes, implicit: bool, position: int, end: int, until_delimiter: bool, depth: int
) -> tuple[_Fields, int]:
    """Each element by its tag, once and in one go, because a sequence of unknown length ends where its items do.

    Ends at `end`, or behind the item delimiter. (VR, or the items of a sequence; start, end of the value.)
    """
    if depth > _DEEPEST:
        raise NotDirect
    fields: _Fields = {}
    head, long_vrs, short_vrs = _HEAD.unpack_from, _LONG, _SHORT
    while position < end:
        group, number, vr, length = head(data, position)
        start = position + 8
        if group == 0xFFFE:
            if until_delimiter and number == 0xE00D:
                return fields, start
            raise NotDirect
        tag = group << 16 | number
        if implicit:
            length = _LENGTH.unpack_from(data, position + 4)[0]
            vr = b"SQ" if _is_sequence(tag) else b""
        elif vr in long_vrs:
            length = _LENGTH.unpack_from(data, start)[0]
            start += 4
        elif vr not in short_vrs:
            raise NotDirect
        if vr == b"SQ":
            items, position = _scan_items(data, implicit, start, length, end, depth + 1)
            fields[tag] = items, start, position
            continue
        position = start + length
        if position > end:  # an unknown length without being a sequence goes beyond every end
            raise NotDirect
        fields[tag] = vr, start, position
    if until_delimiter:
        raise NotDirect
    return fields, position


def _scan_items(
    data: bytes, implicit: bool, position: int, length: int, end: int, depth: int
) -> tuple[list[_Fields], int]:
    """The items of a sequence, and where it ends."""
    found: list[_Fields] = []
    stop = end if length == UNDEFINED else position + length
    if stop > end:
        raise NotDirect
    while position < stop or length == UNDEFINED:
        tag, size = _ITEM.unpack_from(data, position)
        position += 8
        if tag == _SEQUENCE_END and length == UNDEFINED:
            return found, position
        after = stop if size == UNDEFINED else position + size
        if tag != _ITEM_START or after > stop:
            raise NotDirect
        fields, position = _scan(data, implicit, position, after, size == UNDEFINED, depth)
        found.append(fields)
    if position != stop:
        raise NotDirect
    return found, position


@cache
def _is_sequence(tag: int) -> bool:
    """Of a tag without a written VR; one that the dictionary lacks is passed over by its length."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


@cache
def _vr(tag: int) -> bytes:
    return dictionary_VR(tag).encode()
