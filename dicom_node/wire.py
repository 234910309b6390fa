"""A line as bytes: large reads, PDU after PDU, and no copy of what only passes through."""

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable

# One read takes what is there, up to this much: a few system calls for a picture in place of thousands.
_BUFFER = 1 << 18
# Until somebody has said who it is: whoever only connects costs little.
_FIRST = 1 << 12
# With less than that in front of it a read begins at the buffer's beginning.
_ROOM = 1 << 15
_HEAD = 6
# By so much a limit may be outlived before the system is told of a shorter one.
_SLACK_SECONDS = 0.25


class LineEnded(Exception):
    """The peer closed the line, or it broke."""


class LineSilent(Exception):
    """The peer sent nothing for as long as it is given."""


class Wire:
    """Reading waits at most `patience` seconds for the next byte, and not beyond `until` where that is set.

    Every system call lets another line's thread go first, so there are few of them: the system itself waits for
    all that is known to come, and a time limit is told to it only where it has changed.
    """

    def __init__(self, line: socket.socket, patience: float) -> None:
        self.line = line
        self.patience = patience
        self.until: float | None = None
        # Before bytes that `some` gave are written over by what comes next.
        self.before_reading: Callable[[], None] = _nothing
        # TLS gives its records of 16 kB one by one; whoever takes bytes has work to do for each piece.
        self._in_records = isinstance(line, ssl.SSLSocket)
        if not self._in_records:
            # A socket with a time limit in Python asks the system before every call whether it may be made.
            line.settimeout(None)
        self._limits: dict[int, float] = {}
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
            self._fill(min(most, len(self._buffer)))
        start = self._start
        self._start = min(self._end, start + most)
        return self._view[start : self._start]

    def send(self, data: bytes) -> None:
        try:
            self._limit(socket.SO_SNDTIMEO, self.patience)
            self.line.sendall(data)
        except (TimeoutError, BlockingIOError) as error:
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
        if has_come(self.line, 0) and self._end - self._start < len(self._buffer):
            kept = self._end - self._start
            self._buffer[:kept] = self._buffer[self._start : self._end]
            self._start, self._end = 0, kept
            try:
                if self._in_records:
                    self.line.settimeout(0)
                count = self.line.recv_into(
                    self._view[kept:], 0, 0 if self._in_records else socket.MSG_DONTWAIT
                )
                if not count:
                    raise LineEnded
                self._end += count
            except (BlockingIOError, ssl.SSLWantReadError):
                # A part of a TLS record: its rest is on the way.
                return self.unread
            except OSError as error:
                raise LineEnded from error
        return self.unread

    def _fill(self, least: int) -> None:
        """So many bytes at least, behind those that were taken already or in their place."""
        if len(self._buffer) - self._end < max(least, _ROOM):
            self.before_reading()
            self._start = self._end = 0
        enough = self._end + least
        while self._end < enough:
            patience = self.patience
            if self.until is not None:
                patience = min(patience, self.until - time.monotonic())
            if patience <= 0:
                raise LineSilent
            try:
                self._limit(socket.SO_RCVTIMEO, patience)
                count = self._receive(self._view[self._end :], enough - self._end)
            except TimeoutError as error:
                raise LineSilent from error
            except OSError as error:
                raise LineEnded from error
            if not count:
                raise LineEnded
            self._end += count

    def _receive(self, into: memoryview, least: int) -> int:
        """Raises TimeoutError where nothing came; less than `least` where no more came in time."""
        if self._in_records:
            return self.line.recv_into(into)
        try:
            if least > _FIRST:
                return self.line.recv_into(into, least, socket.MSG_WAITALL)
            return self.line.recv_into(into)
        except BlockingIOError as error:
            raise TimeoutError from error

    def _limit(self, which: int, seconds: float) -> None:
        """For the calls that follow. A limit that is a little longer than asked for does no harm."""
        if self._in_records:
            self.line.settimeout(seconds)
            return
        known = self._limits.get(which, 0.0)
        if not seconds <= known <= seconds + _SLACK_SECONDS:
            self._limits[which] = seconds
            # struct timeval; zero would mean without end.
            parts = divmod(max(1, int(seconds * 1e6)), 1_000_000)
            self.line.setsockopt(socket.SOL_SOCKET, which, struct.pack("@ll", *parts))


def has_come(line: socket.socket, seconds: float) -> bool:
    """Whether there is something to read within so many seconds, be it the line's end."""
    if isinstance(line, ssl.SSLSocket) and line.pending():
        return True
    # Not select: it knows no descriptor beyond 1023.
    asked = select.poll()
    asked.register(line, select.POLLIN)
    return bool(asked.poll(seconds * 1000))


def _nothing() -> None:
    return
