"""Reading what lies in a model's folder: what is not there is an answer, what may not be read is an error."""

from __future__ import annotations

import os
from pathlib import Path

from ai_models.errors import ModelRefused


def folders(parent: Path) -> list[Path]:
    """The folders in `parent`, sorted; none where it does not exist.

    Raises ModelRefused("model.unreadable_file", file, detail): `Path.glob` would pass over it in silence.
    """
    try:
        with os.scandir(parent) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(parent, error) from error


def content(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none. Raises ModelRefused("model.unreadable_file", file, detail)."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelRefused:
    return ModelRefused("model.unreadable_file", file=str(path), detail=error.strerror or str(error))
