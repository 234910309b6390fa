"""The bits of a JPEG 2000 packet header: stuffed bytes, tag trees, numbers of passes (ITU-T T.800 B.10)."""

from __future__ import annotations


class BitWriter:
    """Packs bits; after a byte of ones only the lower seven of the next are used (B.10.1)."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._byte, self._left = 0, 8

    def bit(self, value: int) -> None:
        self._left -= 1
        self._byte |= value << self._left
        if not self._left:
            self._done.append(self._byte)
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = 0

    def number(self, value: int, bits: int) -> None:
        for place in range(bits - 1, -1, -1):
            self.bit(value >> place & 1)

    def ones(self, count: int) -> None:
        """So many ones, and the zero behind them (B.10.7.1)."""
        self.number((1 << count + 1) - 2, count + 1)

    def passes(self, count: int) -> None:
        """A number of coding passes, 1 to 164 (table B.4)."""
        if count < 3:
            self.number((0, 2)[count - 1], count)
        elif count < 6:
            self.number(0b1100 | count - 3, 4)
        elif count < 37:
            self.number(0b1111 << 5 | count - 6, 9)
        else:
            self.number(0b1_1111_1111 << 7 | count - 37, 16)

    def bytes(self) -> bytes:
        """All of it, filled up with zeros; never with a byte of ones at the end."""
        if self._left < (7 if self._done[-1:] == b"\xff" else 8) or self._done[-1:] == b"\xff":
            return bytes(self._done) + bytes([self._byte])
        return bytes(self._done)


class BitReader:
    """Reads what `BitWriter` packs, from `at` in `data`. Raises IndexError behind the end."""

    def __init__(self, data: bytes, at: int, copy: BitWriter) -> None:
        self._data, self._at, self._copy = data, at, copy
        self._byte, self._left = 0, 0

    def bit(self) -> int:
        if not self._left:
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = self._data[self._at]
            self._at += 1
        self._left -= 1
        return self._byte >> self._left & 1

    def copied(self) -> int:
        """A bit, written to `copy` as well."""
        value = self.bit()
        self._copy.bit(value)
        return value

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def ones(self) -> int:
        count = 0
        while self.bit():
            count += 1
            if count > 32:
                raise IndexError("no length has so many bits")
        return count

    def passes(self) -> int:
        if not self.bit():
            return 1
        if not self.bit():
            return 2
        few = self.number(2)
        if few < 3:
            return 3 + few
        some = self.number(5)
        return 6 + some if some < 31 else 37 + self.number(7)

    def end(self) -> int:
        """The place behind the header: behind a byte of ones stands one with nothing but the stuffed zero."""
        return self._at + (self._byte == 0xFF)


class TagTree:
    """Numbers of a grid, each no less than the least below its node, told as far as they are asked for (B.10.2)."""

    def __init__(self, across: int, down: int) -> None:
        self._levels: list[tuple[int, list[int], list[bool]]] = []
        while across * down:
            self._levels.append((across, [0] * (across * down), [False] * (across * down)))
            if across * down == 1:
                break
            across, down = across + 1 >> 1, down + 1 >> 1

    def below(self, limit: int, column: int, row: int, bits: BitReader) -> bool:
        """Whether the number at (column, row) is less than `limit`; reads and copies the bits that say so."""
        least, known = 0, False
        for level in range(len(self._levels) - 1, -1, -1):
            across, values, settled = self._levels[level]
            place = (row >> level) * across + (column >> level)
            least = max(least, values[place])
            known = settled[place]
            while least < limit and not known:
                if bits.copied():
                    known = settled[place] = True
                else:
                    least += 1
            values[place] = least
        return known and least < limit
