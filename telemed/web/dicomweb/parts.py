"""Answers in several parts, made one after the other while they are sent."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi.responses import Response, StreamingResponse

# Rights end: what was fetched is asked for again, and kept by nobody but the asker.
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Accept"}


@dataclass(frozen=True)
class Part:
    kind: str
    data: bytes | memoryview
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


def single(part: Part, headers: dict[str, str] | None = None) -> Response:
    return Response(bytes(part.data), headers=PRIVATE | (headers or {}) | {"Content-Type": part.content_type})


def _written(boundary: str, parts: Iterable[Part]) -> Iterator[bytes]:
    begin = f"--{boundary}\r\n"
    for part in parts:
        lines = [f"Content-Type: {part.content_type}", f"Content-Length: {len(part.data)}"]
        if part.location:
            lines.append(f"Content-Location: {part.location}")
        yield (begin + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        yield bytes(part.data)
        begin = f"\r\n--{boundary}\r\n"
    yield f"\r\n--{boundary}--\r\n".encode()
