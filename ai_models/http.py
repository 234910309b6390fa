"""A small HTTP/1.1 server for large binary bodies on loopback.

A body is received straight into one buffer, and an answer is one write: what a general server does more than that
costs as much as a tenth of a run of the network. The buffer of a large body grows with what arrives, not with what is
promised. Bodies without Content-Length are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ai_models.http_message import (
    BLANK,
    BadRequest,
    Reply,
    Request,
    content_length,
    guarded,
    parse_head,
    refusal,
)
from ai_models.reception import Budget, room

LARGEST_HEAD = 16 * 1024
RECEIVE_S = 60.0
"""A request that has begun must be complete within so many seconds."""
LINGER_S = 2.0
MOST_CONNECTIONS = 512
IDLE_S = 10.0
"""A connection that was silent for so long gives way to a new one when there are too many."""


@dataclass(frozen=True)
class Later:
    """An answer that `future` brings; `finish` turns it, done or failed, into a reply, on the loop's thread."""

    future: Future[Any]
    finish: Callable[[Future[Any]], Reply]


Handler = Callable[[Request], Reply | Later]


class Connection(asyncio.BufferedProtocol):
    """One connection: a request is read whole and answered before the next is looked at."""

    def __init__(self, handler: Handler, open_ones: set[Connection], budget: Budget) -> None:
        self._handler, self._open, self._budget = handler, open_ones, budget
        self._loop = asyncio.get_running_loop()
        self._head = bytearray(LARGEST_HEAD)
        self._filled = 0
        self._body: bytearray | None = None
        self._length = self._room = 0
        self._silent_since = self._loop.time()
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

    @property
    def silent_since(self) -> float | None:
        """The loop's time at which the last answer was given, while nothing has come since."""
        return (
            None if self.busy or self._deaf or self._filled or self._body is not None else self._silent_since
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        full = len(self._open) >= MOST_CONNECTIONS and not self._make_room()
        self._open.add(self)
        if full:
            self._refuse(BadRequest(503, f"there are {MOST_CONNECTIONS} connections already"))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._open.discard(self)
        self._transport = None
        self._stop_timer()
        # Nobody waits for it any more; what runs already keeps its body until it is done.
        if self._waiting is None or self._waiting.cancel():
            self._release()

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        if self._deaf:
            return memoryview(self._head)
        if self._body is None:
            return memoryview(self._head)[self._filled :]
        if len(self._body) < self._room:
            self._body.extend(bytes(self._room - len(self._body)))
        return memoryview(self._body)[self._filled :]

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
            if self._filled < self._length:
                if self._filled == self._room:
                    self._reserve()
                self._start_timer()
                return
        except BadRequest as error:
            self._refuse(error)
            return
        assert self._body is not None
        self._stop_timer()
        method, path, headers = self._line
        request = self._request = Request(method, path, headers, self._body)
        self._body, self._filled = None, len(self._rest)
        self._head[: self._filled] = self._rest
        self._answer(request)

    def _begin(self) -> bool:
        """Take the head off what has come; False where it is not yet complete."""
        assert self._transport is not None
        end = self._head.find(BLANK, 0, self._filled)
        if end < 0:
            if self._filled == len(self._head):
                raise BadRequest(431, "the head of the request is too long")
            return False
        method, target, version, headers = parse_head(bytes(self._head[:end]))
        came = bytes(self._head[end + len(BLANK) : self._filled])
        length = self._length = content_length(method, headers)
        self._reserve()
        self._keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self._line = method, target.partition("?")[0], headers
        self._rest = came[length:]
        self._filled = min(len(came), length)
        self._body = bytearray(self._room)
        self._body[: self._filled] = came[:length]
        if headers.get("expect", "").lower() == "100-continue" and self._filled < length:
            self._transport.write(b"HTTP/1.1 100 Continue" + BLANK)
        return True

    def _reserve(self) -> None:
        """Have more room in the body. Raises BadRequest where all bodies together hold as much as they may."""
        more = room(self._room, self._length) - self._room
        if not self._budget.take(more):
            raise BadRequest(429, f"the requests that are here hold {self._budget.limit} bytes; try again")
        self._room += more

    def _release(self) -> None:
        self._budget.give(self._room)
        self._body, self._room = None, 0

    def _make_room(self) -> bool:
        """Close the connection that was silent longest, where one was silent long enough."""
        silent = [(since, id(one), one) for one in self._open if (since := one.silent_since) is not None]
        if not silent or min(silent)[0] > self._loop.time() - IDLE_S:
            return False
        min(silent)[2].close()
        return True

    def _refuse(self, error: BadRequest) -> None:
        self._keep_alive, self._deaf = False, True
        self._write(refusal(error.status, str(error)))

    def _answer(self, request: Request) -> None:
        reply = guarded(lambda: self._handler(request))
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
        if self._transport is None:
            self._release()
        else:
            self._write(guarded(lambda: finish(future)))

    def _write(self, reply: Reply) -> None:
        assert self._transport is not None
        self._transport.write(reply.encoded(self._keep_alive))
        self._request = None
        self._silent_since = self._loop.time()
        self._release()
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
