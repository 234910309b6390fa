"""Disks for tests, behind the same seam as the real one: one that writes down every call, one that fills up."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telemed.adapters.objects.disk import RealDisk

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Call:
    """One step towards durability: `what` happened to `path` (its target, for a rename)."""

    what: str
    path: str = ""


@dataclass
class Journal:
    """What happened, in its order, on the disk, in the database and on the line."""

    calls: list[Call] = field(default_factory=list)

    def note(self, what: str, path: Path | str = "") -> None:
        self.calls.append(Call(what, str(path)))


class RecordingDisk(RealDisk):
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._paths: dict[int, Path] = {}

    def create(self, path: Path) -> int:
        handle = super().create(path)
        self._paths[handle] = path
        return handle

    def write(self, handle: int, *pieces: bytes | memoryview) -> None:
        super().write(handle, *pieces)
        self._journal.note("write", self._paths[handle])

    def fsync(self, handle: int) -> None:
        super().fsync(handle)
        self._journal.note("fsync", self._paths[handle])

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._journal.note("rename", target)

    def fsync_directory(self, path: Path) -> None:
        super().fsync_directory(path)
        self._journal.note("fsync_directory", path)


class FillingDisk(RealDisk):
    """Takes `room` bytes more; reports `free` bytes as free, whatever is true."""

    def __init__(self, *, room: int | None = None, free: int = 1 << 40) -> None:
        self.room, self.free = room, free
        self.taken_in = 0

    def write(self, handle: int, *pieces: bytes | memoryview) -> None:
        data = b"".join(pieces)
        if self.room is not None:
            if len(data) > self.room:
                super().write(handle, data[: self.room])
                self.room = 0
                raise OSError(errno.ENOSPC, "No space left on device")
            self.room -= len(data)
        self.taken_in += len(data)
        super().write(handle, data)

    def free_bytes(self, path: Path) -> int:
        return self.free
