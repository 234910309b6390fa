"""A line as bytes: large reads, PDU after PDU, and no copy of what only passes through."""

import select
import socket
import ssl
import time

# One read takes what is there, up to this much: a few system calls for a picture in place of thousands.
_BUFFER = 1 << 18
# Until somebody has said who it is: whoever only connects costs little.
_FIRST = 1 << 12
_HEAD = 6


class LineEnded(Exception):
    """The peer closed the line, or it broke."""


class LineSilent(Exception):
    """The peer sent nothing for as long as it is given."""


class Wire:
    """Reading waits at most `patience` seconds for the next byte, and not beyond `until` where that is set."""

    def __init__(self, line: socket.socket, patience: float) -> None:
        self.line = line
        self.patience = patience
        self.until: float | None = None
        # TLS gives its records of 16 kB one by one; whoever takes bytes has work to do for each piece.
        self._in_records = isinstance(line, ssl.SSLSocket)
        self._buffer = bytearray(_FIRST)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def widen(self) -> None:
        """For an association: what has been read so far stays."""
        kept = self.unread
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._buffer[: len(kept)] = kept
        self._start, self._end = 0, len(kept)

    def pdu_head(self) -> tuple[int, int]:
        """Kind and length of the next PDU."""
        head = self.exactly(_HEAD)
        return head[0], int.from_bytes(head[2:6], "big")

    def exactly(self, count: int) -> bytes:
        """So many bytes, and the reader behind them."""
        if self._end - self._start >= count:
            start, self._start = self._start, self._start + count
            return bytes(self._view[start : self._start])
        pieces, missing = [], count
        while missing:
            piece = bytes(self.some(missing))
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def some(self, most: int) -> memoryview:
        """At least one byte and at most `most`, good until the next call."""
        if self._start == self._end:
            self._fill(min(most, len(self._buffer)) if self._in_records else 1)
        start = self._start
        self._start = min(self._end, start + most)
        return self._view[start : self._start]

    def send(self, data: bytes) -> None:
        try:
            self.line.settimeout(self.patience)
            self.line.sendall(data)
        except TimeoutError as error:
            raise LineSilent from error
        except OSError as error:
            raise LineEnded from error

    def linger(self, seconds: float) -> None:
        """Waits for the peer to close, so that what was written last is not lost by a reset."""
        self.until = time.monotonic() + seconds
        try:
            while True:
                self.some(_BUFFER)
        except (LineEnded, LineSilent):
            return

    @property
    def unread(self) -> bytes:
        """What was read from the line and not yet from here."""
        return bytes(self._view[self._start : self._end])

    def arrived(self) -> bytes:
        """As `unread`, with what has come meanwhile; does not wait."""
        if self._is_readable() and self._end - self._start < len(self._buffer):
            kept = self._end - self._start
            self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start, self._end = 0, kept
            try:
                self.line.settimeout(0)
                count = self.line.recv_into(self._view[kept:])
                if not count:
                    raise LineEnded
                self._end += count
            except (BlockingIOError, ssl.SSLWantReadError):
                # A part of a TLS record: its rest is on the way.
                return self.unread
            except OSError as error:
                raise LineEnded from error
        return self.unread

    def _is_readable(self) -> bool:
        if isinstance(self.line, ssl.SSLSocket) and self.line.pending():
            return True
        # Not select: it knows no descriptor beyond 1023.
        asked = select.poll()
        asked.register(self.line, select.POLLIN)
        return bool(asked.poll(0))

    def _fill(self, least: int) -> None:
        """The buffer anew, with so many bytes at least."""
        self._start = self._end = 0
        while self._end < least:
            patience = self.patience
            if self.until is not None:
                patience = min(patience, self.until - time.monotonic())
            if patience <= 0:
                raise LineSilent
            try:
                self.line.settimeout(patience)
                count = self.line.recv_into(self._view[self._end :])
            except TimeoutError as error:
                raise LineSilent from error
            except OSError as error:
                raise LineEnded from error
            if not count:
                raise LineEnded
            self._end += count
