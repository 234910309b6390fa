"""The object store as a folder: `ab/cd/<file digest>.dcm`, created once and never written again."""

from contextlib import suppress
from pathlib import Path

from telemed.adapters.objects.disk import Disk, RealDisk
from telemed.adapters.objects.incoming import IncomingFolder
from telemed.adapters.objects.spool import room_needed
from telemed.domain.errors import Unavailable


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
        target = self._path(file_sha256)
        with room_needed():
            self._make_folder(target.parent)
            temporary = self._incoming.new_path()
            handle = self._disk.create(temporary)
            try:
                try:
                    self._disk.write(handle, data)
                    self._disk.fsync(handle)
                finally:
                    self._disk.close(handle)
                # Where it exists it is this object, being named by its digest; its maker may not have synced yet.
                with suppress(FileExistsError):
                    self._disk.link(temporary, target)
                self._disk.fsync_directory(target.parent)
            finally:
                self._disk.unlink(temporary)

    def get(self, file_sha256: str) -> bytes:
        try:
            return self._disk.read(self._path(file_sha256))
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
