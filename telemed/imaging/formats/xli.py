"""Philips' XLI compression: LZW of 10-bit codes over the bytes of second differences, one chunk a lead.

The layout was found by reading files, not from a specification: 8 bytes of head (length, kind, first
difference), then codes, most significant bit first.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.formats.errors import MOST_SAMPLES, FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 10
# The highest code of all ends a chunk and never stands for bytes.
_MOST_CODES = (1 << _BITS) - 1
_LARGEST_CHUNK = 2 * MOST_SAMPLES
# Differences are stored with this added.
_BIAS = 64


def decompress(data: bytes) -> list[NDArray[np.int32]]:
    """The chunks of an XLI stream, each int32 of shape (n,). Raises FormatError format.sierra_damaged."""
    chunks = []
    at = 0
    while at + 8 <= len(data):
        size, _, first = struct.unpack_from("<IHh", data, at)
        at += 8
        if size == 0 or at + size > len(data):
            raise FormatError("format.sierra_damaged")
        chunks.append(_undifferenced(_unpacked(data[at : at + size]), first))
        at += size
    return chunks


def _unpacked(codes: bytes) -> bytes:
    table = [bytes([value]) for value in range(256)]
    out = bytearray()
    previous = b""
    pending = bits = 0
    for byte in codes:
        pending = (pending << 8 | byte) & 0x3FFFF
        bits += 8
        if bits < _BITS:
            continue
        bits -= _BITS
        code = pending >> bits & _MOST_CODES
        if code < len(table):
            word = table[code]
        elif previous and code == len(table) < _MOST_CODES:
            word = previous + previous[:1]
        else:
            break
        out += word
        if len(out) > _LARGEST_CHUNK:
            raise FormatError("format.sierra_damaged")
        if previous and len(table) < _MOST_CODES:
            table.append(previous + word[:1])
        previous = word
    return bytes(out)


def _undifferenced(packed: bytes, first: int) -> NDArray[np.int32]:
    """High bytes of all samples, then low bytes; then x[n] = 2 x[n-1] - x[n-2] - d[n-1] with d biased."""
    half = (len(packed) + 1) // 2
    if half < 3:
        raise FormatError("format.sierra_damaged")
    octets = np.frombuffer(packed.ljust(2 * half, b"\0"), np.uint8).astype(np.uint16)
    values = (octets[:half] << 8 | octets[half:]).view(np.int16).astype(np.int64)
    steps = np.empty(half, np.int64)
    steps[0], steps[1] = values[0], values[1] - values[0]
    steps[2:] = -np.concatenate(([first], values[2:-1] - _BIAS))
    steps[1:] = np.cumsum(steps[1:])
    samples = np.cumsum(steps)
    if np.abs(samples).max() >= 2**31:
        raise FormatError("format.sierra_damaged")
    return samples.astype(np.int32)
