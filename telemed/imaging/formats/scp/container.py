"""The outer layer of SCP-ECG (EN 1064, ISO 11073-91064): a record of sections, each with its own checksum."""

from __future__ import annotations

import struct
from binascii import crc_hqx
from dataclasses import dataclass

from telemed.imaging.formats.errors import LARGEST_FILE, FormatError

HEADER = 16
_RECORD = 6
_POINTER = struct.Struct("<HII")
_MOST_SECTIONS = 1024


@dataclass(frozen=True)
class Section:
    """The body of a section behind its 16 bytes of head, and the edition of the standard it is written in."""

    number: int
    version: int
    body: bytes


def checksum(data: bytes | memoryview) -> int:
    """CRC-CCITT (x16 + x12 + x5 + 1) from 0xFFFF, as the standard's annex prescribes."""
    return crc_hqx(data, 0xFFFF)


def looks_like_scp(data: bytes) -> bool:
    """By the mark in section 0, or by the length and the head that a record without it still has."""
    if data[16:22] == b"SCPECG":
        return True
    if len(data) < _RECORD + HEADER:
        return False
    _, length, _, number = struct.unpack_from("<HIHH", data, 0)
    return length == len(data) and number == 0 and checksum(memoryview(data)[2:]) in (0, _word(data, 0))


def sections(data: bytes) -> dict[int, Section]:
    """Every section of a record by its number; empty ones are left out.

    A checksum of zero counts as "not computed". Raises FormatError format.scp_damaged,
    format.scp_cut (expected, found), format.scp_checksum (section), format.too_large.
    """
    if len(data) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
    if len(data) < _RECORD + HEADER:
        raise FormatError("format.scp_cut", expected=_RECORD + HEADER, found=len(data))
    stored, length = struct.unpack_from("<HI", data, 0)
    if length > len(data):
        raise FormatError("format.scp_cut", expected=length, found=len(data))
    if length < _RECORD + HEADER:
        raise FormatError("format.scp_damaged")
    data = data[:length]
    if stored and stored != checksum(memoryview(data)[2:]):
        raise FormatError("format.scp_checksum", section="-")
    first = _section(data, _RECORD, None)
    found: dict[int, Section] = {}
    for at in range(
        0, min(len(first.body), _MOST_SECTIONS * _POINTER.size) - _POINTER.size + 1, _POINTER.size
    ):
        number, size, index = _POINTER.unpack_from(first.body, at)
        if number and size > HEADER:
            # Indices count from one.
            section = _section(data, index - 1, size)
            if section.number != number:
                raise FormatError("format.scp_damaged")
            found.setdefault(number, section)
    return found


def _section(data: bytes, at: int, size: int | None) -> Section:
    if at < 0 or at + HEADER > len(data):
        raise FormatError("format.scp_cut", expected=at + HEADER, found=len(data))
    stored, number, length, version = struct.unpack_from("<HHIB", data, at)
    length = length if size is None else max(size, length)
    if length < HEADER:
        raise FormatError("format.scp_damaged")
    if at + length > len(data):
        raise FormatError("format.scp_cut", expected=at + length, found=len(data))
    if stored and stored != checksum(memoryview(data)[at + 2 : at + length]):
        raise FormatError("format.scp_checksum", section=number)
    return Section(number, version, data[at + HEADER : at + length])


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
