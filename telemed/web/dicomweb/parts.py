"""Answers in several parts, made one after the other while they are sent."""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from fastapi.responses import Response, StreamingResponse

# Rights end: what was fetched is asked for again, and kept by nobody but the asker.
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
# So much of a large part is in memory at once.
_PIECE = 1 << 20


class Sliced(Protocol):
    """Bytes that are read where they are asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


@dataclass(frozen=True)
class Part:
    kind: str
    data: bytes | memoryview | Sliced
    syntax: str = ""
    location: str = ""

    @property
    def content_type(self) -> str:
        return f"{self.kind}; transfer-syntax={self.syntax}" if self.syntax else self.kind


def several(kind: str, parts: Iterable[Part], headers: dict[str, str] | None = None) -> Response:
    """`kind` is the media type that the whole is announced with."""
    boundary = secrets.token_hex(16)
    return StreamingResponse(
        _written(boundary, parts),
        headers=PRIVATE
        | (headers or {})
        | {"Content-Type": f'multipart/related; type="{kind}"; boundary={boundary}'},
    )


def single(part: Part, headers: dict[str, str] | None = None, held: ExitStack | None = None) -> Response:
    """`held` is what the part is read from: closed when all of it is sent."""
    told = PRIVATE | (headers or {}) | {"Content-Type": part.content_type}
    if held is None:
        return Response(bytes(part.data[:]), headers=told)
    return StreamingResponse(_single(part, held), headers=told | {"Content-Length": str(len(part.data))})


def alone(part: Part, held: ExitStack) -> Iterator[Part]:
    """A part that is read from what is `held`, for `several`."""
    with held:
        yield part


def _single(part: Part, held: ExitStack) -> Iterator[bytes]:
    with held:
        yield from _pieces(part)


def _pieces(part: Part) -> Iterator[bytes]:
    for start in range(0, len(part.data), _PIECE):
        yield bytes(part.data[start : start + _PIECE])


def _written(boundary: str, parts: Iterable[Part]) -> Iterator[bytes]:
    begin = f"--{boundary}\r\n"
    for part in parts:
        lines = [f"Content-Type: {part.content_type}", f"Content-Length: {len(part.data)}"]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        yield (begin + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        yield from _pieces(part)
        begin = f"\r\n--{boundary}\r\n"
    yield f"\r\n--{boundary}--\r\n".encode()
