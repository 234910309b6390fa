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
    ".txt": "text/plain; charset=utf-8",
}


@router.get("/static/{path:path}", **public("style sheets and scripts hold nobody's data"))
def read_static(path: str) -> FileResponse:
    file = _inside(path)
    if file is None:
        raise HTTPException(404)
    built = path.startswith("app/assets/")
    lasting = "public, max-age=31536000, immutable" if built else "public, no-cache"
    return FileResponse(file, media_type=_KINDS[file.suffix], headers={"Cache-Control": lasting})


def _inside(path: str) -> Path | None:
    """The file, if it lies in the static folder and is of a kind that pages use."""
    if "\0" in path:
        return None
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC) or file.suffix not in _KINDS or not file.is_file():
        return None
    return file
