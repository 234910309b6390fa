"""Static files: what carries its digest in its name is kept for ever, the rest is asked for each time."""

from pathlib import Path

from fastapi import APIRouter
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
# The decoders of compressed pictures are WebAssembly. It may run in their worker alone, whose policy is that of its
# own answer; the pages stay without. The worker reads nothing but its own parts: the page hands it the bytes.
_DECODER = "app/assets/decode-worker-"
_DECODER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


@router.get("/static/{path:path}", **public("style sheets and scripts hold nobody's data"))
def read_static(path: str) -> FileResponse:
    file = _inside(path)
    if file is None:
        raise HTTPException(404)
    built = path.startswith("app/assets/")
    lasting = "public, max-age=31536000, immutable" if built else "public, no-cache"
    headers = {"Cache-Control": lasting}
    if path.startswith(_DECODER):
        headers["Content-Security-Policy"] = _DECODER_POLICY
    return FileResponse(file, media_type=_KINDS[file.suffix], headers=headers)


def _inside(path: str) -> Path | None:
    """The file, if it lies in the static folder and is of a kind that pages use."""
    if "\0" in path:
        return None
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC) or file.suffix not in _KINDS or not file.is_file():
        return None
    return file
