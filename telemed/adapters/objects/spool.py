"""The durable landing place of objects: a folder on a local disk.

    incoming/<token>-<pid>-<n>              while bytes arrive
    ab/<file digest>.<token>-<pid>-<n>      durable

A durable name carries its sender's own part after the digest: two institutions may send the same file, and one
of them giving up its copy must never take the other's.
"""

import errno
import hashlib
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from telemed.adapters.objects.disk import Disk, RealDisk
from telemed.adapters.objects.incoming import IncomingFolder
from telemed.application.ports import SpoolPart
from telemed.domain.errors import OutOfResources

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

# Below this nothing more is taken: the database and the object store want room to finish what was promised.
LOW_WATER = 256 << 20
# After so many bytes of one object the room is looked at again.
_LOOK_AGAIN = 8 << 20
# So much of each object stays at hand while it arrives: its header is read from there.
_KEPT = 16 << 10
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskSpool:
    def __init__(self, root: Path, disk: Disk | None = None, *, low_water: int = LOW_WATER) -> None:
        self._root, self._disk, self._low_water = root, disk or RealDisk(), low_water
        root.mkdir(parents=True, exist_ok=True)
        # By the first two digits of a digest. Made once: putting a path together costs as much as a system call.
        self._folders = {name: root / name for name in (f"{n:02x}" for n in range(256))}
        for folder in (root / "incoming", *self._folders.values()):
            self._disk.make_directory(folder)
        # Every folder an object can land in is on the disk before the first object comes.
        self._disk.fsync_directory(root)
        self._incoming = IncomingFolder(root / "incoming", self._disk)
        self.removed_leftovers = self._incoming.removed_leftovers

    def close(self) -> None:
        self._incoming.close()

    def free_bytes(self) -> int:
        return self._disk.free_bytes(self._root)

    def open_part(self) -> "DiskSpoolPart":
        self._demand_room()
        with room_needed():
            return DiskSpoolPart(self._disk, self._incoming.new_path(), self._demand_room)

    def _demand_room(self) -> None:
        if self.free_bytes() < self._low_water:
            raise OutOfResources("error.disk_full")

    def make_durable(self, parts: Sequence[SpoolPart]) -> None:
        """Write < fsync < rename < one sync per folder touched. After an error none of the parts is left."""
        own = [part for part in parts if isinstance(part, DiskSpoolPart)]
        if len(own) != len(parts):
            raise TypeError("a part of another spool")
        try:
            with room_needed():
                for part in own:
                    part.sync()
                touched = {}
                for part in own:
                    touched[part.file_sha256[:2]] = folder = self._folder(part.file_sha256)
                    part.move(folder)
                for name in sorted(touched):
                    self._disk.fsync_directory(touched[name])
        except BaseException:
            for part in own:
                part.discard()
            raise

    def read(self, file_sha256: str) -> bytes:
        for path in self._copies(file_sha256):
            try:
                return self._disk.read(path)
            except FileNotFoundError:
                # It was placed in the object store between the look and the reading.
                continue
        raise KeyError(file_sha256)

    def open(self, file_sha256: str) -> BinaryIO:
        for path in self._copies(file_sha256):
            try:
                return path.open("rb")
            except FileNotFoundError:
                continue
        raise KeyError(file_sha256)

    def path(self, file_sha256: str) -> Path | None:
        return next(iter(self._copies(file_sha256)), None)

    def copies(self, file_sha256: str) -> int:
        return len(self._copies(file_sha256))

    def remove(self, file_sha256: str) -> None:
        for path in self._copies(file_sha256):
            self._disk.unlink(path)

    def remove_damaged(self, file_sha256: str) -> None:
        for path in self._copies(file_sha256):
            try:
                with path.open("rb") as file:
                    whole = hashlib.file_digest(file, "sha256").hexdigest() == file_sha256
            except FileNotFoundError:
                continue
            if not whole:
                self._disk.unlink(path)

    def held(self) -> Iterator[str]:
        """The digests of all that is durable here."""
        for folder in self._folders.values():
            for name in self._disk.names(folder):
                yield name.partition(".")[0]

    def _folder(self, file_sha256: str) -> Path:
        return self._folders[file_sha256[:2]]

    def _copies(self, file_sha256: str) -> list[Path]:
        folder = self._folder(file_sha256)
        return [folder / name for name in self._disk.names(folder) if name.startswith(file_sha256 + ".")]


class DiskSpoolPart:
    """One object on its way in. Not shared between threads."""

    def __init__(self, disk: Disk, path: Path, demand_room: Callable[[], None] = lambda: None) -> None:
        """`demand_room` raises OutOfResources; it is asked again and again while a large object arrives."""
        self._demand_room = demand_room
        self.file_sha256 = self.dataset_sha256 = ""
        self.size = 0
        self._disk, self._path = disk, path
        self._file_digest = hashlib.sha256()
        # None: the file's serves for both.
        self._dataset_digest: Digest | None = hashlib.sha256()
        # Goes to the disk with what follows it.
        self._meta = b""
        self._head = bytearray()
        self._handle = disk.create(path)
        self._gone = False

    def write_meta(self, data: bytes, *, of_the_object: bool = False) -> None:
        if of_the_object:
            self._dataset_digest = None
        self._meta += data
        self._count(data)

    def write(self, *pieces: bytes | memoryview) -> None:
        self._append(*pieces)
        for piece in pieces:
            self._count(piece)
            if self._dataset_digest is not None:
                self._dataset_digest.update(piece)

    def finish(self) -> None:
        if self._meta:
            self._append()
        self.file_sha256 = self._file_digest.hexdigest()
        digest = self._dataset_digest or self._file_digest
        self.dataset_sha256 = digest.hexdigest()

    def sync(self) -> None:
        if not self.file_sha256:
            raise ValueError("the part is not finished")
        self._disk.fsync(self._handle)
        self._close()

    def move(self, folder: Path) -> None:
        target = folder / f"{self.file_sha256}.{self._path.name}"
        self._disk.rename(self._path, target)
        self._path = target

    def discard(self) -> None:
        if not self._gone:
            self._gone = True
            self._close()
            self._disk.unlink(self._path)

    def head(self, limit: int) -> bytes:
        if min(limit, self.size) <= len(self._head):
            return bytes(self._head[:limit])
        if self._handle < 0:
            return self.content()[:limit]
        return self._disk.read_head(self._handle, limit)

    @contextmanager
    def mapped(self) -> Iterator[mmap.mmap]:
        with self._disk.mapped(self._path) as found:
            yield found

    def content(self) -> bytes:
        return self._disk.read(self._path)

    def _append(self, *pieces: bytes | memoryview) -> None:
        more = sum(map(len, pieces))
        try:
            if (self.size + more) // _LOOK_AGAIN > self.size // _LOOK_AGAIN:
                self._demand_room()
            with room_needed():
                self._disk.write(self._handle, self._meta, *pieces)
        except BaseException:
            self.discard()
            raise
        self._meta = b""

    def _count(self, data: bytes | memoryview) -> None:
        if len(self._head) < _KEPT:
            self._head += data[: _KEPT - len(self._head)]
        self._file_digest.update(data)
        self.size += len(data)

    def _close(self) -> None:
        if self._handle >= 0:
            handle, self._handle = self._handle, -1
            self._disk.close(handle)


class _RoomNeeded:
    """Not a generator: it stands around every write."""

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise OutOfResources("error.disk_full") from error


_room_needed = _RoomNeeded()


def room_needed() -> _RoomNeeded:
    """A full disk is told as such; every other failure of a disk stays what it is."""
    return _room_needed
