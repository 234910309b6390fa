"""The folder of files still being written, shared by several processes; leftovers of dead ones are removed."""

import fcntl
import os
import secrets
from itertools import count
from pathlib import Path

from telemed.adapters.objects.disk import Disk

_LOCK = ".lock"


class IncomingFolder:
    """Each process marks its files with a token and holds a lock of that token as long as it lives.

    A process id alone would not do: it is used again, and after a restart of the machine soon.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path, self._disk = path, disk
        self._token = secrets.token_hex(8)
        self._numbers = count()
        self._lock = self._hold()
        self.removed_leftovers = self._sweep()

    def new_name(self) -> str:
        # A forked child shares token and lock, and counts on its own: its process id keeps the names apart.
        return f"{self._token}-{os.getpid()}-{next(self._numbers)}"

    def new_path(self) -> Path:
        return self.path / self.new_name()

    def close(self) -> None:
        """Gives the lock up; files still here are leftovers from now on."""
        if self._lock >= 0:
            self._disk.unlink(self.path / (self._token + _LOCK))
            os.close(self._lock)
            self._lock = -1

    def _hold(self) -> int:
        path = self.path / (self._token + _LOCK)
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                if os.stat(path).st_ino == os.fstat(handle).st_ino:  # noqa: PTH116 (beside fstat)
                    return handle
            except FileNotFoundError:
                pass
            # Another's sweep came between opening and locking and took the file for a dead one's.
            os.close(handle)

    def _sweep(self) -> int:
        names = sorted(self._disk.names(self.path))
        alive = {self._token}
        for name in names:
            token, dot, _ = name.partition(_LOCK)
            if dot and token != self._token:
                if _is_held(self.path / name):
                    alive.add(token)
                else:
                    self._disk.unlink(self.path / name)
        removed = 0
        for name in names:
            if not name.endswith(_LOCK) and name.split("-")[0] not in alive:
                self._disk.unlink(self.path / name)
                removed += 1
        return removed


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
