"""A JPEG 2000 film made smaller before it is decoded: only its lower resolutions, only their upper bit planes.

A decoder spends its time bit by bit on the coefficients (T.800 annex D), and the last bits of each are grain that no
small picture shows. The format foresees leaving them out: all of a packet's blocks say in its header how many passes
they have (B.10), so a header that says fewer, with the same blocks behind it, is a valid stream of less precision.

Only the plain arrangement is rewritten, one component in one tile with one layer, no precincts, reversible; there all
five progressions are one: a packet for each resolution, the smallest first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from telemed.imaging.pixels.tag_tree import BitReader, BitWriter, TagTree

_SOC, _SIZ, _COD, _QCD, _SOT, _SOD, _EOC = 0xFF4F, 0xFF51, 0xFF52, 0xFF5C, 0xFF90, 0xFF93, 0xFFD9
# Lengths of tile-parts and packets, registration, comments: a decoder does without them.
_NEEDLESS = frozenset({0xFF55, 0xFF57, 0xFF58, 0xFF63, 0xFF64})
_WIDEST = 1 << 15
"""From here on a resolution has several precincts, even where none are asked for (T.800 B.6)."""
_MOST_BLOCKS = 4096
"""Of a resolution; 16 megapixels have so many of the usual size. One bit of a stream can claim millions."""


class _Other(Exception):
    """The stream is arranged in another way than is rewritten here."""


@dataclass(frozen=True)
class _Coding:
    """What the main header says of a plain stream; `exponents` by subband, LL first (T.800 A.6)."""

    columns: int
    rows: int
    levels: int
    block_columns: int
    block_rows: int
    guard_bits: int
    exponents: bytes


def lower_levels(stream: bytes, discard: int, planes: int) -> bytes | None:
    """`stream` without its `discard` finest resolutions, and without the last `planes` bit planes of what is left.

    Of the finest resolution that is left, that is; each coarser one keeps a plane more, as its coefficients reach
    more pixels. A coefficient then differs by less than 2 ** planes. Decoded, the result is ceil(rows / 2 ** discard)
    x ceil(columns / 2 ** discard); with no planes left out it is what a decoder gives that reduces by itself. None
    where the stream is not arranged plainly, or is cut off or broken: that is for a decoder to judge.
    """
    try:
        coding, segments, start = _main_header(stream)
        if not 0 <= discard <= coding.levels:
            return None
        at, end = _tile_part(stream, start)
        kept = []
        for resolution in range(coding.levels - discard + 1):
            drop = max(planes - (coding.levels - discard - resolution), 0)
            packet, at = _packet(stream, at, end, coding, resolution, drop)
            kept.append(packet)
    except (_Other, IndexError, struct.error):
        return None
    data = b"".join(kept)
    tile = struct.pack(">HHHLBBH", _SOT, 10, 0, len(data) + 14, 0, 1, _SOD)
    head = _smaller(segments, coding, discard)
    return b"".join((struct.pack(">H", _SOC), head, tile, data, struct.pack(">H", _EOC)))


def _segments(stream: bytes, at: int, last: int) -> Iterator[tuple[int, int, bytes]]:
    """(marker, place, content) of the marker segments from `at` on, up to and with the marker `last`."""
    while True:
        marker, length = struct.unpack_from(">HH", stream, at)
        yield marker, at, stream[at + 4 : at + 2 + length]
        if marker == last:
            return
        at += 2 + length


def _main_header(stream: bytes) -> tuple[_Coding, dict[int, bytes], int]:
    """What it says, its segments and the place of the first tile-part. Raises _Other."""
    if stream[:2] != struct.pack(">H", _SOC):
        raise _Other
    found: dict[int, bytes] = {}
    start = 2
    for marker, at, content in _segments(stream, start, _SOT):
        start = at
        if marker in found or (marker not in (_SIZ, _COD, _QCD, _SOT) and marker not in _NEEDLESS):
            raise _Other
        if marker not in _NEEDLESS:
            found[marker] = content
    if not {_SIZ, _COD, _QCD} <= found.keys():
        raise _Other
    _, *size = struct.unpack_from(">H8LH", found[_SIZ])
    columns, rows, left, top, tile_columns, tile_rows, tile_left, tile_top, components = size
    alone = components == 1 and found[_SIZ][-2:] == b"\x01\x01"
    at_zero = not (left or top or tile_left or tile_top) and tile_columns >= columns and tile_rows >= rows
    if not alone or not at_zero or not 0 < columns < _WIDEST or not 0 < rows < _WIDEST:
        raise _Other
    style, _, layers, _, levels, width, height, block_style, reversible = struct.unpack(
        ">BBHBBBBBB", found[_COD]
    )
    if style or layers != 1 or block_style or reversible != 1 or found[_QCD][0] & 31:
        raise _Other
    exponents = found[_QCD][1:]
    if len(exponents) < 3 * levels + 1:
        raise _Other
    coding = _Coding(columns, rows, levels, 4 << width, 4 << height, found[_QCD][0] >> 5, exponents)
    return coding, found, start


def _tile_part(stream: bytes, start: int) -> tuple[int, int]:
    """From where to where the packets of the only tile-part lie. Raises _Other."""
    _, _, tile, length, part, parts = struct.unpack_from(">HHHLBB", stream, start)
    end = start + length if length else len(stream) - 2
    if tile or part or parts > 1 or end > len(stream):
        raise _Other
    at = start + 12
    while (marker := int.from_bytes(stream[at : at + 2], "big")) != _SOD:
        if marker not in _NEEDLESS:
            raise _Other
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return at + 2, end


def _bands(coding: _Coding, resolution: int) -> list[tuple[int, int, int]]:
    """(bit planes, blocks across, blocks down) of the subbands of a resolution (T.800 B.5, B.7, E.1)."""
    level = coding.levels - resolution + (1 if resolution else 0)
    # LL alone in the smallest; else HL, LH, HH: high pass across, down, both.
    places = [(1, 0), (0, 1), (1, 1)] if resolution else [(0, 0)]
    first = 3 * resolution - 2 if resolution else 0
    found = []
    for index, (across, down) in enumerate(places):
        columns = max(-(((across << level >> 1) - coding.columns) >> level), 0)
        rows = max(-(((down << level >> 1) - coding.rows) >> level), 0)
        planes = coding.guard_bits + (coding.exponents[first + index] >> 3) - 1
        found.append((planes, -(-columns // coding.block_columns), -(-rows // coding.block_rows)))
    return found


def _packet(
    stream: bytes, at: int, end: int, coding: _Coding, resolution: int, drop: int
) -> tuple[bytes, int]:
    """The packet of a resolution with fewer passes, and the place of the next one. Raises _Other."""
    head = BitWriter()
    bits = BitReader(stream, at, head)
    length = 0
    bands = _bands(coding, resolution)
    if sum(across * down for _, across, down in bands) > _MOST_BLOCKS:
        raise _Other
    if bits.copied():
        for planes, across, down in bands:
            length += _blocks(bits, head, planes - drop, planes, across, down)
    data = bits.end()
    if data + length > end:
        raise _Other
    return head.bytes() + stream[data : data + length], data + length


def _blocks(bits: BitReader, head: BitWriter, wanted: int, planes: int, across: int, down: int) -> int:
    """Rewrite what the header says of a subband's blocks (T.800 B.10.2-B.10.7); how many bytes they have.

    The trees that say which blocks there are and how many of their upper planes are empty stay bit by bit.
    """
    included, empty = TagTree(across, down), TagTree(across, down)
    total = 0
    for row in range(down):
        for column in range(across):
            if not included.below(1, column, row, bits):
                continue
            zeros = 0
            while not empty.below(zeros + 1, column, row, bits):
                zeros += 1
                if zeros > planes:
                    raise _Other
            passes = bits.passes()
            shift = 3 + bits.ones()
            length = bits.number(shift + passes.bit_length() - 1)
            # One pass for the first plane, three for each other one.
            fewer = min(passes, max(3 * (wanted - zeros) - 2, 1))
            head.passes(fewer)
            more = max(length.bit_length() - (fewer.bit_length() - 1) - 3, 0)
            head.ones(more)
            head.number(length, 3 + more + fewer.bit_length() - 1)
            total += length
    return total


def _smaller(segments: dict[int, bytes], coding: _Coding, discard: int) -> bytes:
    """The main header of the smaller picture: its size, its levels, the exponents of its subbands."""
    columns, rows = (-(-length >> discard) for length in (coding.columns, coding.rows))
    size = bytearray(segments[_SIZ])
    struct.pack_into(">8L", size, 2, columns, rows, 0, 0, columns, rows, 0, 0)
    levels = coding.levels - discard
    style = bytearray(segments[_COD])
    style[5] = levels
    steps = segments[_QCD][: 3 * levels + 2]
    return b"".join(
        struct.pack(">HH", marker, len(content) + 2) + content
        for marker, content in ((_SIZ, bytes(size)), (_COD, bytes(style)), (_QCD, steps))
    )
