"""Messages of HTTP/1.1: what a request says before its body, and what an answer looks like on the line."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024 * 1024
MOST_DIGITS = 18
"""Of a length; more are no length, and the interpreter refuses to read thousands of them."""
BLANK = b"\r\n\r\n"
ONLY_ONCE = frozenset({"content-length", "transfer-encoding", "inference-header-content-length"})
"""Headers that say where something ends: two of them are two messages to two readers."""
_REASONS = {status.value: status.phrase for status in HTTPStatus}
T = TypeVar("T")


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
        return b"".join(["\r\n".join(lines).encode("latin-1"), BLANK, self.body])


class BadRequest(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The protocol's error body: a string under `error`, and our code beside it."""
    return Reply.json({"error": message, "code": code}, status, headers)


def refusal(status: int, message: str) -> Reply:
    """The reply to what is no request, or came when there was no room for it."""
    return failure(status, f"http.{status}", message, {"Retry-After": "1"} if status in (429, 503) else {})


def guarded(work: Callable[[], T]) -> T | Reply:
    """What `work` returns; where it fails, a sentence for the caller and the place of the fault in the log.

    Without the fault's message: what is wrong with an input may quote the input.
    """
    try:
        return work()
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("a request failed:\n%s%s.%s", where, type(error).__module__, type(error).__qualname__)
        return failure(500, "http.500", "the inference service failed; see its log")


def number_of(text: str) -> int | None:
    """The number that ASCII digits write, at most `MOST_DIGITS` of them; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


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
        if lowered in headers and lowered in ONLY_ONCE:
            raise BadRequest(400, f"{lowered} is there twice")
        headers[lowered] = value.strip()
    return words[0], words[1], words[2], headers


def content_length(method: str, headers: Mapping[str, str]) -> int:
    """Bytes of the body. Raises BadRequest: 411 without a length, 413 too large, 415 compressed, 400 no number."""
    if "transfer-encoding" in headers or (method == "POST" and "content-length" not in headers):
        raise BadRequest(411, "the request must state its Content-Length")
    if headers.get("content-encoding", "identity") != "identity":
        raise BadRequest(415, "compressed bodies are not taken")
    length = number_of(headers.get("content-length", "0"))
    if length is None:
        raise BadRequest(400, f"Content-Length is no number of at most {MOST_DIGITS} digits")
    if length > LARGEST_BODY:
        raise BadRequest(413, f"the body is larger than {LARGEST_BODY} bytes")
    return length
