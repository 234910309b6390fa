"""The object store as a folder: `ab/cd/<file digest>.dcm`, created once and never written again."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from telemed.adapters.objects.disk import Disk, RealDisk
from telemed.adapters.objects.incoming import IncomingFolder
from telemed.adapters.objects.spool import room_needed
from telemed.domain.errors import Unavailable

# Of an object of any size so much is in memory.
_PIECE = 1 << 20


class DirectoryStore:
    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._root, self._disk = root, disk or RealDisk()
        root.mkdir(parents=True, exist_ok=True)
        (root / "incoming").mkdir(exist_ok=True)
        self._incoming = IncomingFolder(root / "incoming", self._disk)
        # Folders whose own entries this process has synced.
        self._durable_folders: set[Path] = set()

    def close(self) -> None:
        self._incoming.close()

    def put(self, file_sha256: str, data: bytes) -> None:
        self.put_from(file_sha256, BytesIO(data))

    def put_from(self, file_sha256: str, source: BinaryIO) -> None:
        target = self._path(file_sha256)
        with room_needed():
            self._make_folder(target.parent)
            temporary = self._incoming.new_path()
            handle = self._disk.create(temporary)
            try:
                try:
                    source.seek(0)
                    while piece := source.read(_PIECE):
                        self._disk.write(handle, piece)
                    self._disk.fsync(handle)
                finally:
                    self._disk.close(handle)
                try:
                    self._disk.link(temporary, target)
                except FileExistsError:
                    # Its maker may not have synced yet; it is this object, unless it was damaged since.
                    if not _is_whole(target, file_sha256):
                        self._disk.rename(temporary, target)
                self._disk.fsync_directory(target.parent)
            finally:
                self._disk.unlink(temporary)

    def get(self, file_sha256: str) -> bytes:
        try:
            return self._disk.read(self._path(file_sha256))
        except FileNotFoundError:
            raise KeyError(file_sha256) from None

    def open(self, file_sha256: str) -> BinaryIO:
        try:
            return self._path(file_sha256).open("rb")
        except FileNotFoundError:
            raise KeyError(file_sha256) from None

    def has(self, file_sha256: str) -> bool:
        return self._path(file_sha256).exists()

    def check(self) -> None:
        try:
            self._disk.free_bytes(self._root)
        except OSError as error:
            raise Unavailable("error.objects_unavailable") from error

    def _path(self, file_sha256: str) -> Path:
        return self._root / file_sha256[:2] / file_sha256[2:4] / f"{file_sha256}.dcm"

    def _make_folder(self, folder: Path) -> None:
        """Synced even where another process made it: it may not have come so far."""
        if folder in self._durable_folders:
            return
        for path in (folder.parent, folder):
            self._disk.make_directory(path)
            self._disk.fsync_directory(path.parent)
        self._durable_folders.add(folder)


def _is_whole(path: Path, file_sha256: str) -> bool:
    """Named by its digest."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == file_sha256
