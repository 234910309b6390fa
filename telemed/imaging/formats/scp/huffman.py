"""The entropy coding of SCP-ECG: prefix codes of section 2, or the standard's own table."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.formats.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_MARK = 19999
_CODE = struct.Struct("<BBBhI")
_MOST_TABLES, _MOST_CODES = 16, 4096
# A lookup over all prefixes has 2**longest entries; the longest code of the standard's table has ten bits.
_LONGEST_PREFIX = 16
_LONGEST_CODE = 48


@dataclass(frozen=True)
class Code:
    """One code. `pattern` is the prefix as its bits follow in the stream, the first the most significant.

    Where `total_bits` exceeds `prefix_bits` the rest are the value itself, in two's complement; else the value
    is `base`. With `switches` the code stands for no value: table `base` (from 1) is used from here.
    """

    prefix_bits: int
    total_bits: int
    base: int
    pattern: int
    switches: bool = False


class Table:
    """A set of codes of which none is the beginning of another."""

    def __init__(self, codes: list[Code]) -> None:
        self.longest = max(code.prefix_bits for code in codes)
        self.lookup: list[Code | None] = [None] * (1 << self.longest)
        for code in codes:
            spare = self.longest - code.prefix_bits
            place = slice(code.pattern << spare, (code.pattern + 1) << spare)
            if any(self.lookup[place]):
                raise FormatError("format.scp_huffman")
            self.lookup[place] = [code] * (1 << spare)


def default_table() -> Table:
    """The table of EN 1064 annex C: 0, then +-1 to +-8 in codes of 3 to 10 bits, then 8 and 16 plain bits."""
    codes = [Code(1, 1, 0, 0b0)]
    for value in range(1, 9):
        bits = value + 2
        ones = (1 << value) - 1
        codes.append(Code(bits, bits, value, ones << 2))
        codes.append(Code(bits, bits, -value, ones << 2 | 1))
    codes.append(Code(10, 18, 0, 0b1111111110))
    codes.append(Code(10, 26, 0, 0b1111111111))
    return Table(codes)


def read_tables(body: bytes) -> list[Table]:
    """The tables of section 2. Raises FormatError format.scp_huffman."""
    count = int.from_bytes(body[:2], "little")
    if count == DEFAULT_MARK:
        return [default_table()]
    if not 1 <= count <= _MOST_TABLES:
        raise FormatError("format.scp_huffman")
    tables = []
    at = 2
    for _ in range(count):
        size = int.from_bytes(body[at : at + 2], "little")
        at += 2
        if not 1 <= size <= _MOST_CODES or at + size * _CODE.size > len(body):
            raise FormatError("format.scp_huffman")
        tables.append(Table([_code(body, at + n * _CODE.size) for n in range(size)]))
        at += size * _CODE.size
    return tables


def _code(body: bytes, at: int) -> Code:
    prefix_bits, total_bits, mode, base, bits = _CODE.unpack_from(body, at)
    if not 1 <= prefix_bits <= _LONGEST_PREFIX or not prefix_bits <= total_bits <= _LONGEST_CODE:
        raise FormatError("format.scp_huffman")
    # Stored with the first bit of the stream as the least significant.
    pattern = int(f"{bits & ((1 << prefix_bits) - 1):0{prefix_bits}b}"[::-1], 2)
    return Code(prefix_bits, total_bits, base, pattern, switches=mode == 0)


def decode(data: bytes, tables: list[Table], count: int) -> NDArray[np.int64]:
    """`count` values from a bit stream, most significant bit first. Raises FormatError format.scp_huffman."""
    if count > len(data) * 8:
        raise FormatError("format.scp_huffman")
    values = np.empty(count, np.int64)
    table = tables[0]
    lookup, longest = table.lookup, table.longest
    pending = bits = at = done = 0
    size = len(data)
    while done < count:
        while bits < _LONGEST_CODE:
            pending = pending << 8 | (data[at] if at < size else 0)
            at += 1
            bits += 8
        code = lookup[pending >> (bits - longest)]
        if code is None:
            raise FormatError("format.scp_huffman")
        bits -= code.total_bits
        if code.switches:
            if not 1 <= code.base <= len(tables):
                raise FormatError("format.scp_huffman")
            table = tables[code.base - 1]
            lookup, longest = table.lookup, table.longest
        elif code.total_bits == code.prefix_bits:
            values[done] = code.base
            done += 1
        else:
            extra = code.total_bits - code.prefix_bits
            value = pending >> bits & ((1 << extra) - 1)
            values[done] = value - (1 << extra) if value >> (extra - 1) else value
            done += 1
        pending &= (1 << bits) - 1
        if at * 8 - bits > size * 8:
            raise FormatError("format.scp_huffman")
    return values
