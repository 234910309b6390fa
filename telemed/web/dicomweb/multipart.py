"""multipart/related as it arrives (RFC 2046 5.1): parts are handed on while they come, never held whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto

# Header lines of one part, and blanks behind a boundary: more is no part of a client in good faith.
MOST_HEADER_BYTES = 16 << 10
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


class MalformedMultipart(ValueError):
    """The bytes follow no multipart syntax, or end before the closing boundary."""


@dataclass(frozen=True)
class PartBegan:
    """Names of headers are in lower case."""

    headers: dict[str, str]


@dataclass(frozen=True)
class PartData:
    data: bytes


@dataclass(frozen=True)
class PartEnded:
    pass


Event = PartBegan | PartData | PartEnded


class _At(Enum):
    PREAMBLE = auto()
    BOUNDARY = auto()
    HEADERS = auto()
    FIRST = auto()
    BODY = auto()
    EPILOGUE = auto()


class MultipartReader:
    """Feed it bytes cut anywhere; it holds back no more than could still become a boundary."""

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        # The first boundary may stand at the very beginning, without the line end before it.
        self._held = bytearray(b"\r\n")
        self._at = _At.PREAMBLE

    def feed(self, data: bytes) -> Iterator[Event]:
        """Raises MalformedMultipart."""
        self._held += data
        while True:
            before = self._at
            yield from self._step()
            if self._at is before:
                return

    def close(self) -> None:
        """The body has ended. Raises MalformedMultipart where the closing boundary is missing."""
        if self._at is not _At.EPILOGUE:
            raise MalformedMultipart("the closing boundary is missing")

    def _step(self) -> Iterator[Event]:
        match self._at:
            case _At.PREAMBLE | _At.BODY:
                yield from self._content()
            case _At.BOUNDARY:
                self._boundary()
            case _At.HEADERS:
                yield from self._headers()
            case _At.FIRST:
                self._first()
            case _At.EPILOGUE:
                self._held.clear()

    def _content(self) -> Iterator[Event]:
        in_part = self._at is _At.BODY
        found = self._held.find(self._delimiter)
        ready = found if found >= 0 else max(0, len(self._held) - len(self._delimiter) + 1)
        if ready and in_part:
            yield PartData(bytes(memoryview(self._held)[:ready]))
        del self._held[:ready]
        if found >= 0:
            del self._held[: len(self._delimiter)]
            self._at = _At.BOUNDARY
            if in_part:
                yield PartEnded()

    def _boundary(self) -> None:
        """Behind a boundary stand two hyphens (the last one), or blanks and the line's end."""
        if self._held[:2] == b"--":
            self._at = _At.EPILOGUE
        elif self._held == b"-":
            return
        else:
            line, end, _ = self._held.partition(b"\r\n")
            if line.removesuffix(b"\r").strip(b" \t") or len(line) > MOST_HEADER_BYTES:
                raise MalformedMultipart("something else follows a boundary")
            if end:
                # The line's end stays: a part without headers then ends them like any other.
                del self._held[: len(line)]
                self._at = _At.HEADERS

    def _headers(self) -> Iterator[Event]:
        end = self._held.find(b"\r\n\r\n")
        if (end if end >= 0 else len(self._held)) > MOST_HEADER_BYTES:
            raise MalformedMultipart("the headers of a part are too long")
        if end < 0:
            return
        headers = {}
        for line in self._held[:end].decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        del self._held[: end + 2]
        self._at = _At.FIRST
        yield PartBegan(headers)

    def _first(self) -> None:
        """The line end behind the headers begins the content, or already the boundary of an empty part."""
        if self._held.startswith(self._delimiter):
            self._at = _At.BODY
        elif not self._delimiter.startswith(self._held):
            del self._held[:2]
            self._at = _At.BODY


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """A Content-Type as (type/subtype in lower case, parameters with names in lower case)."""
    message = Message()
    message["Content-Type"] = header
    found = message.get_params(failobj=[], header="Content-Type")
    parameters = {str(name).lower(): str(value) for name, value in found[1:]}
    return header.partition(";")[0].strip().lower(), parameters


def valid_boundary(boundary: str) -> bool:
    return _BOUNDARY.fullmatch(boundary) is not None
