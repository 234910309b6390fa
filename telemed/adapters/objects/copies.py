"""Copies beside the objects, as a folder with a bound: the oldest go first, and nothing is lost with them."""

import logging
import secrets
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

# How much is written between two looks at what lies there, as a share of the bound.
_SWEEP = 0.05
_ABANDONED_SECONDS = 3600


class FolderCopies:
    """`most` in bytes. Several processes may share the folder: each keeps the bound for what it writes itself."""

    def __init__(self, root: Path, *, most: int) -> None:
        self._root, self._most = root, most
        self._since_sweep = 0

    def get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Not synced: what a power cut takes is made again. A full disk is no fault of the one who asked."""
        target = self._path(name)
        temporary = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(target)
        except OSError as fault:
            log.warning("a copy was not kept: %s", fault.strerror)
            with suppress(OSError):
                temporary.unlink()
            return
        self._since_sweep += len(data)
        if self._since_sweep > self._most * _SWEEP:
            self._since_sweep = 0
            self._sweep()

    def _sweep(self) -> None:
        now, total = time.time(), 0
        found = []
        for path in self._root.glob("*/*"):
            with suppress(FileNotFoundError):
                told = path.stat()
                if path.suffix == ".part" and now - told.st_mtime < _ABANDONED_SECONDS:
                    continue
                found.append((told.st_mtime, told.st_size, path))
                total += told.st_size
        for _, size, path in sorted(found):
            if total <= self._most:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name
