"""A small HTTP/1.1 server for large binary bodies on loopback.

A body is received straight into one buffer of its declared length, and an answer is one write: what a general server
does more than that costs as much as a tenth of a run of the network. Bodies without Content-Length are refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

LARGEST_HEAD = 16 * 1024
LARGEST_BODY = 64 * 1024 * 1024
RECEIVE_S = 60.0
"""A request that has begun must be complete within so many seconds."""
LINGER_S = 2.0
_BLANK = b"\r\n\r\n"
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """`headers` by lower-case name; `path` without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytearray


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        return cls(status, json.dumps(value).encode("utf-8"), headers=headers or {})

    def encoded(self, keep_alive: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}",
            f"content-type: {self.kind}",
            f"content-length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        if not keep_alive:
            lines.append("connection: close")
        return b"".join(["\r\n".join(lines).encode("latin-1"), _BLANK, self.body])


@dataclass(frozen=True)
class Later:
    """An answer that `future` brings; `finish` turns it, done or failed, into a reply, on the loop's thread."""

    future: Future[Any]
    finish: Callable[[Future[Any]], Reply]


Handler = Callable[[Request], Reply | Later]


class BadRequest(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The protocol's error body: a string under `error`, and our code beside it."""
    return Reply.json({"error": message, "code": code}, status, headers)


class Connection(asyncio.BufferedProtocol):
    """One connection: a request is read whole and answered before the next is looked at."""

    def __init__(self, handler: Handler, open_ones: set[Connection]) -> None:
        self._handler, self._open = handler, open_ones
        self._loop = asyncio.get_running_loop()
        self._head = bytearray(LARGEST_HEAD)
        self._filled = 0
        self._body: bytearray | None = None
        self._line: tuple[str, str, dict[str, str]] = ("", "", {})
        self._rest = b""
        self._request: Request | None = None
        self._waiting: Future[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keep_alive, self._deaf = True, False
        self._transport: asyncio.Transport | None = None

    @property
    def busy(self) -> bool:
        return self._request is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._open.discard(self)
        self._transport = None
        self._stop_timer()
        if self._waiting is not None:
            self._waiting.cancel()  # nobody waits for it any more

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        if self._deaf:
            return memoryview(self._head)
        return memoryview(self._head if self._body is None else self._body)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        if not self._deaf:
            self._filled += nbytes
            self._advance()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _advance(self) -> None:
        if self._transport is None:
            return
        if self.busy:
            # Reading goes on while an answer is made, because that is how a caller's going away is seen.
            if self._filled == len(self._head):
                self._transport.pause_reading()
            return
        try:
            if self._body is None and not self._begin():
                self._start_timer()
                return
        except BadRequest as error:
            self._keep_alive, self._deaf = False, True
            self._write(failure(error.status, f"http.{error.status}", str(error)))
            return
        assert self._body is not None
        if self._filled < len(self._body):
            self._start_timer()
            return
        self._stop_timer()
        method, path, headers = self._line
        request = self._request = Request(method, path, headers, self._body)
        self._body, self._filled = None, len(self._rest)
        self._head[: self._filled] = self._rest
        self._answer(request)

    def _begin(self) -> bool:
        """Take the head off what has come; False where it is not yet complete."""
        assert self._transport is not None
        end = self._head.find(_BLANK, 0, self._filled)
        if end < 0:
            if self._filled == len(self._head):
                raise BadRequest(431, "the head of the request is too long")
            return False
        method, target, version, headers = parse_head(bytes(self._head[:end]))
        came = bytes(self._head[end + len(_BLANK) : self._filled])
        length = content_length(method, headers)
        self._keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self._line = method, target.partition("?")[0], headers
        self._rest = came[length:]
        self._filled = min(len(came), length)
        self._body = bytearray(length)
        self._body[: self._filled] = came[:length]
        if headers.get("expect", "").lower() == "100-continue" and self._filled < length:
            self._transport.write(b"HTTP/1.1 100 Continue" + _BLANK)
        return True

    def _answer(self, request: Request) -> None:
        reply = self._handler(request)
        if isinstance(reply, Reply):
            self._write(reply)
            return
        self._waiting, finish = reply.future, reply.finish

        def done(future: Future[Any]) -> None:
            if not future.cancelled() and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._done, future, finish)

        reply.future.add_done_callback(done)

    def _done(self, future: Future[Any], finish: Callable[[Future[Any]], Reply]) -> None:
        self._waiting = None
        if self._transport is not None:
            self._write(finish(future))

    def _write(self, reply: Reply) -> None:
        assert self._transport is not None
        self._transport.write(reply.encoded(self._keep_alive))
        self._request = None
        self._stop_timer()
        if self._deaf:
            # Closing with bytes unread would reset the connection, and the sender would never read why.
            self._transport.write_eof()
            self._timer = self._loop.call_later(LINGER_S, self.close)
            return
        if not self._keep_alive:
            self._transport.close()
            return
        self._transport.resume_reading()
        if self._filled:
            # Not called from here: a line of small requests would go ever deeper.
            self._loop.call_soon(self._advance)

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(RECEIVE_S, self.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    """(method, target, version, headers) of a request's head without its blank line. Raises BadRequest."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0") or not words[1].startswith("/"):
        raise BadRequest(400, "this is no HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        lowered = name.lower()
        if not colon or not name or name != name.strip() or "\n" in line:
            raise BadRequest(400, "a header line is not valid")
        if lowered in headers and lowered in ("content-length", "transfer-encoding"):
            raise BadRequest(400, f"{lowered} is there twice")
        headers[lowered] = value.strip()
    return words[0], words[1], words[2], headers


def content_length(method: str, headers: Mapping[str, str]) -> int:
    """Bytes of the body. Raises BadRequest: 411 without a length, 413 too large, 415 compressed, 400 no number."""
    if "transfer-encoding" in headers or (method == "POST" and "content-length" not in headers):
        raise BadRequest(411, "the request must state its Content-Length")
    if headers.get("content-encoding", "identity") != "identity":
        raise BadRequest(415, "compressed bodies are not taken")
    text = headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit():
        raise BadRequest(400, "Content-Length is no number")
    if int(text) > LARGEST_BODY:
        raise BadRequest(413, f"the body is larger than {LARGEST_BODY} bytes")
    return int(text)
