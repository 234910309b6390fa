"""Every call that decides whether bytes survive a power cut, behind one seam.

A kill test cannot show a missing fsync: the page cache outlives the process. A test that records the calls made
here can.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

# More pieces than that no system takes in one call (IOV_MAX).
_AT_ONCE = 1024


class Disk(Protocol):
    """Failures are OSError, as the system gives them."""

    def make_directory(self, path: Path) -> bool:
        """True if it was not there before. Parents are not made."""

    def create(self, path: Path) -> int:
        """Opens a new file for writing and reading; FileExistsError if there is one."""

    def write(self, handle: int, *pieces: bytes | memoryview) -> None:
        """All of them, one after the other."""

    def fsync(self, handle: int) -> None: ...

    def close(self, handle: int) -> None: ...

    def read_head(self, handle: int, limit: int) -> bytes: ...

    def read(self, path: Path) -> bytes: ...

    def mapped(self, path: Path) -> mmap.mmap:
        """For reading; the caller closes it. ValueError where the file is empty."""

    def rename(self, source: Path, target: Path) -> None: ...

    def link(self, source: Path, target: Path) -> None:
        """Create-only: FileExistsError where `target` is there already."""

    def fsync_directory(self, path: Path) -> None: ...

    def unlink(self, path: Path) -> None:
        """No error where there is nothing."""

    def names(self, path: Path) -> Iterator[str]: ...

    def free_bytes(self, path: Path) -> int: ...


class RealDisk:
    def make_directory(self, path: Path) -> bool:
        try:
            path.mkdir()
        except FileExistsError:
            return False
        return True

    def create(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, handle: int, *pieces: bytes | memoryview) -> None:
        rest = [piece for piece in pieces if piece]
        while rest:
            written = os.writev(handle, rest[:_AT_ONCE])
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if written:
                rest[0] = memoryview(rest[0])[written:]

    def fsync(self, handle: int) -> None:
        os.fsync(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def read_head(self, handle: int, limit: int) -> bytes:
        return os.pread(handle, limit, 0)

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def mapped(self, path: Path) -> mmap.mmap:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)  # noqa: PTH104 - a system call, for every object

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)

    def fsync_directory(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def names(self, path: Path) -> Iterator[str]:
        with os.scandir(path) as entries:
            for entry in entries:
                yield entry.name

    def free_bytes(self, path: Path) -> int:
        room = os.statvfs(path)
        return room.f_bavail * room.f_frsize
