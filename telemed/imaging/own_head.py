"""The beginning of a Part 10 file (PS3.10 section 7.1); what follows it is the data set exactly as it came.

Written by hand, because machines in the field send UIDs that a strict writer refuses (leading zeros), and an
object is not turned away for its name.
"""

import struct

# Under the root of random UIDs (2.25), fixed for this implementation.
IMPLEMENTATION_CLASS_UID = "2.25.263421397860341518471027915068291503117"
IMPLEMENTATION_VERSION_NAME = "TELEMED"


def part10_prefix(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """The same bytes for the same object: whoever sends it again sends the same file."""
    group = struct.pack("<HH2sHL2s", 2, 0x0001, b"OB", 0, 2, b"\x00\x01")
    group += _uid(0x0002, sop_class_uid) + _uid(0x0003, sop_instance_uid) + _uid(0x0010, transfer_syntax_uid)
    group += _uid(0x0012, IMPLEMENTATION_CLASS_UID)
    group += _short(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode(), b" ")
    length = struct.pack("<HH2sHL", 2, 0x0000, b"UL", 4, len(group))
    return b"\x00" * 128 + b"DICM" + length + group


def _uid(element: int, uid: str) -> bytes:
    return _short(element, b"UI", uid.encode("ascii", "replace"), b"\x00")


def _short(element: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    value += padding * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value
