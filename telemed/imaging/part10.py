"""Where the data set begins in a DICOM file, and how it is encoded."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from telemed.imaging.elements import Bytes, Encoding, walk
from telemed.imaging.errors import HeaderError

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
DEFLATED_LIKE = frozenset({DEFLATED, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
# JPIP Referenced Deflate, and JPIP HTJ2K Referenced Deflate, deflate the data set too (PS3.5 A.7, A.10).

PREAMBLE = 128
# What a deflated data set may grow to; a few kilobytes can claim gigabytes.
LARGEST_INFLATED = 64 << 20
_META_ENCODING = Encoding(implicit=False, little=True)


@dataclass(frozen=True)
class FileMeta:
    """The File Meta Information that matters: values may be "" where the file has none."""

    dataset_offset: int
    transfer_syntax_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


def read_file_meta(data: Bytes) -> FileMeta:
    """The file meta of a Part 10 file, with or without preamble; without group 0002 the offset is 0.

    Raises HeaderError `header.cut_short` when the bytes end inside the meta information.
    """
    has_prefix = data[PREAMBLE : PREAMBLE + 4] == b"DICM"
    start = PREAMBLE + 4 if has_prefix else 0
    if data[start : start + 2] != b"\x02\x00":
        return FileMeta(start)
    values: dict[int, str] = {}
    end = start
    for element in walk(data, _META_ENCODING, start):
        if element.tag >> 16 != 2:
            break
        end = element.end
        if element.vr == b"UI":
            values[element.tag & 0xFFFF] = uid_text(data[element.start : element.end])
        if data[end : end + 2] != b"\x02\x00":
            # Stop before the data set: it may be deflated, or in another byte order.
            break
    return FileMeta(end, values.get(0x10, ""), values.get(0x02, ""), values.get(0x03, ""))


def dataset_offset(data: Bytes) -> int:
    """The position of the first byte of the data set, behind preamble and meta information.

    0 for a bare data set. Raises HeaderError `header.cut_short` when the file ends before it.
    """
    return read_file_meta(data).dataset_offset


def encoding_of(transfer_syntax_uid: str, data: Bytes, offset: int = 0) -> Encoding:
    """How the data set at `offset` is written.

    The bytes win over the transfer syntax where they contradict it (files declared Explicit and written
    Implicit exist); without a transfer syntax the first element decides.
    """
    looks_explicit = data[offset + 4 : offset + 6].isalpha() and data[offset + 4 : offset + 6].isupper()
    group_little = int.from_bytes(data[offset : offset + 2], "little")
    group_big = int.from_bytes(data[offset : offset + 2], "big")
    little = transfer_syntax_uid != EXPLICIT_BIG
    if not transfer_syntax_uid and looks_explicit:
        little = group_little <= group_big
    return Encoding(implicit=not looks_explicit, little=little)


def inflate(data: bytes | memoryview, limit: int = LARGEST_INFLATED) -> bytes:
    """A deflated data set (PS3.5 A.5, no zlib header), or its first `limit` bytes.

    Raises HeaderError `header.damaged` when the stream is broken, `header.cut_short` when it ends too early,
    `header.too_large` when the whole of it was wanted and is larger than LARGEST_INFLATED.
    """
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(data, limit)
    except zlib.error as error:
        raise HeaderError("header.damaged", position=0) from error
    if limit == LARGEST_INFLATED and not engine.eof and len(inflated) == limit:
        raise HeaderError("header.too_large", limit=limit >> 20)
    if not engine.eof and len(inflated) < limit:
        raise HeaderError("header.cut_short", expected=len(data) + 1, found=len(data))
    return inflated


def inflate_from(data: Bytes, offset: int, limit: int = LARGEST_INFLATED) -> bytes:
    """As `inflate`, of what stands behind `offset`; a mapped file can be closed behind it, also after a failure."""
    with memoryview(data) as whole, whole[offset:] as packed:
        return inflate(packed, limit)


def uid_text(value: bytes) -> str:
    return value.decode("ascii", "replace").strip("\x00 ")
