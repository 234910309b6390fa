"""A stored object on its way out: read where it is asked for, so that its size costs no memory."""

import hashlib
from typing import BinaryIO

_PIECE = 1 << 20


class Stretch:
    """Bytes of our own, and behind them those of a file from `start` to `end`, its own end where none is given.

    As a sequence of bytes, in slices.
    """

    def __init__(self, file: BinaryIO, start: int, before: bytes = b"", *, end: int | None = None) -> None:
        self._file, self._before = file, before
        # What comes before the file's own bytes in the count of the whole.
        self._shift = start - len(before)
        self._length = (file.seek(0, 2) if end is None else end) - self._shift

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, step = part.indices(self._length)
        if step != 1:
            raise ValueError("bytes are read in a row")
        first = self._before[start:stop]
        self._file.seek(max(start, len(self._before)) + self._shift)
        wanted = max(stop - max(start, len(self._before)), 0)
        rest = self._file.read(wanted)
        if len(rest) != wanted:
            raise OSError("the file is shorter than it was")
        return first + rest


def digest_of(file: BinaryIO) -> str:
    """SHA-256 from where the file stands to its end, in hexadecimal digits."""
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()
