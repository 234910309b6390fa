"""Command sets: group 0000 in Implicit VR little endian (PS3.7 section 6.3, annex E)."""

import struct
from collections.abc import Mapping

from telemed.dimse.pdu import ProtocolError

C_STORE_RQ, C_GET_RSP, C_FIND_RSP, C_MOVE_RSP, N_EVENT_REPORT_RQ = 0x0001, 0x8010, 0x8020, 0x8021, 0x0100
C_FIND_RQ, C_ECHO_RQ, C_CANCEL_RQ, RESPONSE = 0x0020, 0x0030, 0x0FFF, 0x8000
NO_DATA_SET, WITH_DATA_SET = 0x0101, 0x0001
MEDIUM_PRIORITY = 0

SOP_CLASS, FIELD, MESSAGE_ID, ANSWERED_ID, PRIORITY = 0x0002, 0x0100, 0x0110, 0x0120, 0x0700
DATA_SET_TYPE, STATUS, COMMENT, SOP_INSTANCE, EVENT_TYPE = 0x0800, 0x0900, 0x0902, 0x1000, 0x1002
REMAINING, COMPLETED, FAILED, WARNING = 0x1020, 0x1021, 0x1022, 0x1023
ORIGINATOR, ORIGINATOR_ID = 0x1030, 0x1031

Value = int | str


def command_set(elements: Mapping[int, Value]) -> bytes:
    """Elements of group 0000 by their number; numbers are US, texts are padded as their VR demands."""
    body = b"".join(_element(number, elements[number]) for number in sorted(elements))
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def read_command_set(data: bytes) -> dict[int, bytes]:
    """Raw values by element number. Raises ProtocolError."""
    found: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise ProtocolError("a command set is cut short")
        _, number, length = struct.unpack_from("<HHL", data, position)
        position += 8
        if position + length > len(data):
            raise ProtocolError("a command element of a wrong length")
        found[number] = data[position : position + length]
        position += length
    return found


def number_of(value: bytes | None) -> int | None:
    return int.from_bytes(value[:2], "little") if value and len(value) >= 2 else None


def _element(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        raw = struct.pack("<H", value)
    else:
        raw = value.encode("ascii", "replace")
        raw += (b"\x00" if number in (SOP_CLASS, SOP_INSTANCE, 0x0003, 0x1001) else b" ") * (len(raw) % 2)
    return struct.pack("<HHL", 0, number, len(raw)) + raw
