"""Static files: what carries its digest in its name is kept for ever, the rest is asked for each time."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from telemed.web.guard import public
from telemed.web.pages.assets import STATIC

router = APIRouter(include_in_schema=False)

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain; charset=utf-8",
}
# Made when the scripts are built; browsers take brotli over TLS only.
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
# The decoders of compressed pictures are WebAssembly. It may run in their worker alone, whose policy is that of its
# own answer; the pages stay without. The worker reads nothing but its own parts: the page hands it the bytes.
DECODER = "app/assets/decode-worker-"
DECODER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


@router.get("/static/{path:path}", **public("style sheets and scripts hold nobody's data"))
def read_static(request: Request, path: str) -> FileResponse:
    file = _inside(path)
    if file is None:
        raise HTTPException(404)
    built = path.startswith("app/assets/")
    lasting = "public, max-age=31536000, immutable" if built else "public, no-cache"
    headers = {"Cache-Control": lasting}
    if path.startswith(DECODER):
        headers["Content-Security-Policy"] = DECODER_POLICY
    kind = _KINDS[file.suffix]
    if built:
        headers["Vary"] = "Accept-Encoding"
        file, encoding = _smallest(file, request.headers.get("accept-encoding", ""))
        if encoding:
            headers["Content-Encoding"] = encoding
    return FileResponse(file, media_type=kind, headers=headers)


def _smallest(file: Path, accepted: str) -> tuple[Path, str]:
    """The form that was compressed when the scripts were built, where the browser takes it; else the file itself."""
    weights = dict(_weighed(part) for part in accepted.lower().split(","))
    for encoding, suffix in _ENCODINGS.items():
        packed = file.with_name(file.name + suffix)
        if weights.get(encoding, 0) > 0 and packed.is_file():
            return packed, encoding
    return file, ""


def _weighed(part: str) -> tuple[str, float]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return name.strip(), float(weight or 1)
    except ValueError:
        return name.strip(), 0


def _inside(path: str) -> Path | None:
    """The file, if it lies in the static folder and is of a kind that pages use."""
    if "\0" in path:
        return None
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC) or file.suffix not in _KINDS or not file.is_file():
        return None
    return file
