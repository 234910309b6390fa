"""Where the built scripts and styles of a page are."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parent.parent / "static"
_BUILT = STATIC / "app"


@dataclass(frozen=True)
class Asset:
    js: str
    css: tuple[str, ...]


@cache
def _manifest(_stamp: int) -> dict[str, Any]:
    # `_stamp` is the file's age: a build made while the server runs is seen without a restart.
    manifest: dict[str, Any] = json.loads((_BUILT / ".vite" / "manifest.json").read_text("utf-8"))
    return manifest


def asset(entry: str) -> Asset:
    """The files of `src/<entry>/main.ts`; without a build, a URL that is not there: the page works without it."""
    key = f"src/{entry}/main.ts"
    try:
        manifest = _manifest((_BUILT / ".vite" / "manifest.json").stat().st_mtime_ns)
    except FileNotFoundError:
        return Asset(js=f"/static/app/{entry}.js", css=())
    return Asset(js=f"/static/app/{manifest[key]['file']}", css=tuple(_styles(manifest, key, set())))


def _styles(manifest: dict[str, Any], key: str, seen: set[str]) -> list[str]:
    """The entry's own styles and those of the chunks it shares with others."""
    if key in seen:
        return []
    seen.add(key)
    styles = [f"/static/app/{name}" for name in manifest[key].get("css", ())]
    for other in manifest[key].get("imports", ()):
        styles += _styles(manifest, other, seen)
    return list(dict.fromkeys(styles))
