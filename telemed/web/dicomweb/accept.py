"""What an asker takes: the Accept header and the `accept` parameter (PS3.18 8.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from telemed.web.dicomweb.multipart import media_type

MULTIPART = "multipart/related"


@dataclass(frozen=True)
class Wanted:
    """One media range: `kind` is that of the content; `multipart` whether it is to come in parts.

    `*/*` takes both. `syntax` is "" where none is named, "*" where any will do.
    """

    kind: str
    multipart: bool
    single: bool
    syntax: str

    def takes(self, kind: str) -> bool:
        return self.kind in ("*/*", kind) or (
            self.kind.endswith("/*") and kind.startswith(self.kind.removesuffix("*"))
        )


def wanted(request: Request) -> Sequence[Wanted]:
    """Best first. Nothing said is everything taken; the parameter in the address wins over the header."""
    text = accept_text(request) or "*/*"
    ranges: list[tuple[float, Wanted]] = []
    for part in _parts(text):
        kind, parameters = media_type(part)
        weight = _weight(parameters.get("q", "1"))
        multipart = kind == MULTIPART
        content = parameters.get("type", "*/*").lower() if multipart else kind
        syntax = parameters.get("transfer-syntax", "")
        if weight > 0:
            ranges.append((weight, Wanted(content, multipart or kind == "*/*", not multipart, syntax)))
    return [one for _, one in sorted(ranges, key=lambda pair: -pair[0])]


def accept_text(request: Request) -> str:
    return request.query_params.get("accept") or request.headers.get("accept") or ""


def _parts(text: str) -> list[str]:
    """Split at commas outside of quotes."""
    parts, quoted, start = [], False, 0
    for place, char in enumerate(text):
        quoted ^= char == '"'
        if char == "," and not quoted:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
