"""Programs that some tests need and a machine may lack."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest


def require(program: str, *, package: str, folders: str = "") -> str:
    """The path of a program; without it the test is skipped in one line, and fails where CI must have it.

    `folders` is a glob for places outside PATH, such as "/usr/lib/postgresql/*/bin"; the highest version wins.
    """
    places = sorted(map(str, Path("/").glob(folders.lstrip("/"))), reverse=True) if folders else []
    found = shutil.which(program, path=_system_path()) or shutil.which(program, path=os.pathsep.join(places))
    if not found:
        lacking(f"needs {program}: install the package {package}")
    return found


def lacking(message: str) -> NoReturn:
    """Skips in one line; fails where CI must have it."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def _system_path() -> str:
    """Without this environment's own scripts: pynetdicom brings programs of the same names as DCMTK's."""
    own = Path(sys.executable).parent
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(place for place in places if Path(place) != own)
