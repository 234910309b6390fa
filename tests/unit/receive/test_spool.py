"""The spool: what is durable stays, what is not leaves nothing, and nobody removes what is another's."""

import errno
import hashlib
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from telemed.adapters.objects.directory import DirectoryStore
from telemed.adapters.objects.disk import RealDisk
from telemed.adapters.objects.spool import DiskSpool, DiskSpoolPart
from telemed.domain.errors import OutOfResources
from tests.disks import FillingDisk, Journal, RecordingDisk


def part_of(spool: DiskSpool, data: bytes, meta: bytes = b"meta") -> DiskSpoolPart:
    part = spool.open_part()
    part.write_meta(meta)
    part.write(data)
    part.finish()
    return part


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.fixture
def spool(tmp_path: Path) -> DiskSpool:
    return DiskSpool(tmp_path / "spool", low_water=0)


def test_both_digests_and_the_size(spool: DiskSpool) -> None:
    part = part_of(spool, b"data set")
    assert part.file_sha256 == hashlib.sha256(b"metadata set").hexdigest()
    assert part.dataset_sha256 == hashlib.sha256(b"data set").hexdigest()
    assert (part.size, part.head(4), part.content()) == (12, b"meta", b"metadata set")


def test_durable_bytes_are_read_by_their_digest_and_gone_when_removed(spool: DiskSpool) -> None:
    part = part_of(spool, b"one")
    spool.make_durable([part])
    assert spool.read(part.file_sha256) == b"metaone"
    assert list(spool.held()) == [part.file_sha256]
    path = spool.path(part.file_sha256)
    assert path is not None
    assert path.parent.name == part.file_sha256[:2]
    spool.remove(part.file_sha256)
    spool.remove(part.file_sha256)
    assert spool.path(part.file_sha256) is None
    with pytest.raises(KeyError):
        spool.read(part.file_sha256)


def test_an_unfinished_part_is_never_made_durable(spool: DiskSpool) -> None:
    part = spool.open_part()
    part.write(b"half")
    with pytest.raises(ValueError, match="not finished"):
        spool.make_durable([part])
    assert files(spool._root) == []


def test_a_batch_shares_its_directory_syncs(tmp_path: Path) -> None:
    journal = Journal()
    spool = DiskSpool(tmp_path / "spool", RecordingDisk(journal), low_water=0)
    parts = [part_of(spool, b"the same bytes") for _ in range(5)]
    journal.calls.clear()
    spool.make_durable(parts)
    assert [call.what for call in journal.calls] == ["fsync"] * 5 + ["rename"] * 5 + ["fsync_directory"]


def test_discarding_one_copy_leaves_the_other(spool: DiskSpool) -> None:
    first, second = part_of(spool, b"same"), part_of(spool, b"same")
    spool.make_durable([first, second])
    second.discard()
    second.discard()
    assert spool.read(first.file_sha256) == b"metasame"


def test_below_the_low_water_mark_nothing_is_taken(tmp_path: Path) -> None:
    disk = FillingDisk(free=999)
    spool = DiskSpool(tmp_path / "spool", disk, low_water=1000)
    with pytest.raises(OutOfResources, match=r"error\.disk_full"):
        spool.open_part()
    assert (disk.taken_in, files(tmp_path)) == (0, [])
    disk.free = 1000
    spool.open_part().discard()


@pytest.mark.parametrize("room", [0, 2, 6])
def test_a_disk_that_fills_up_while_writing_leaves_nothing(tmp_path: Path, room: int) -> None:
    spool = DiskSpool(tmp_path / "spool", FillingDisk(room=room), low_water=0)
    part = spool.open_part()
    with pytest.raises(OutOfResources, match=r"error\.disk_full"):
        part.write(b"12345")
        part.write(b"67890")
    assert files(tmp_path) == []


class FailsAt(RealDisk):
    def __init__(self, step: str, number: int) -> None:
        self.step, self.number = step, number

    def _count(self, step: str) -> None:
        if step == self.step:
            self.number -= 1
            if self.number == 0:
                raise OSError(errno.ENOSPC, "No space left on device")

    def fsync(self, handle: int) -> None:
        self._count("fsync")
        super().fsync(handle)

    def rename(self, source: Path, target: Path) -> None:
        self._count("rename")
        super().rename(source, target)

    def fsync_directory(self, path: Path) -> None:
        self._count("fsync_directory")
        super().fsync_directory(path)


# The first directory sync is the spool's own, at its start.
@pytest.mark.parametrize(
    ("step", "number"), [("fsync", 1), ("fsync", 2), ("rename", 2), ("fsync_directory", 2)]
)
def test_a_round_that_fails_at_any_step_leaves_nothing_of_its_batch(
    tmp_path: Path, step: str, number: int
) -> None:
    spool = DiskSpool(tmp_path / "spool", FailsAt(step, number), low_water=0)
    parts = [part_of(spool, data) for data in (b"one", b"two", b"three")]
    with pytest.raises(OutOfResources):
        spool.make_durable(parts)
    assert files(tmp_path) == []


def test_another_failure_of_the_disk_is_not_called_full(tmp_path: Path) -> None:
    class Broken(RealDisk):
        def write(self, handle: int, *pieces: bytes | memoryview) -> None:
            raise OSError(errno.EIO, "Input/output error")

    part = DiskSpool(tmp_path / "spool", Broken(), low_water=0).open_part()
    with pytest.raises(OSError, match="Input/output"):
        part.write(b"1")
    assert files(tmp_path) == []


def _hold(root: Path, ready: "multiprocessing.Queue[str]") -> None:
    part = DiskSpool(root, low_water=0).open_part()
    part.write(b"half an object")
    ready.put("written")
    signal.pause()


def test_leftovers_go_with_their_process_and_not_before(tmp_path: Path) -> None:
    """Another process writes; it is killed without a chance to clean up."""
    context = multiprocessing.get_context("spawn")
    ready: multiprocessing.Queue[str] = context.Queue()
    other = context.Process(target=_hold, args=(tmp_path, ready))
    other.start()
    try:
        assert ready.get(timeout=60) == "written"
        alive = DiskSpool(tmp_path, low_water=0)
        assert (alive.removed_leftovers, len(files(tmp_path))) == (0, 1)
        assert other.pid is not None
        os.kill(other.pid, signal.SIGKILL)
        other.join()
        after = DiskSpool(tmp_path, low_water=0)
        assert (after.removed_leftovers, files(tmp_path)) == (1, [])
        alive.close()
        after.close()
    finally:
        other.kill()
        other.join()
        ready.close()
        ready.join_thread()


def test_a_sweep_keeps_what_this_very_spool_made_durable(tmp_path: Path) -> None:
    first = DiskSpool(tmp_path, low_water=0)
    part = part_of(first, b"safe")
    first.make_durable([part])
    first.close()
    assert DiskSpool(tmp_path, low_water=0).read(part.file_sha256) == b"metasafe"


def test_the_store_writes_once_and_in_order(tmp_path: Path) -> None:
    journal, name = Journal(), hashlib.sha256(b"bytes").hexdigest()
    store = DirectoryStore(tmp_path / "objects", RecordingDisk(journal))
    store.put(name, b"bytes")
    target = tmp_path / "objects" / name[:2] / name[2:4] / f"{name}.dcm"
    assert target.read_bytes() == b"bytes"
    steps = [call.what for call in journal.calls]
    assert steps == ["fsync_directory", "fsync_directory", "write", "fsync", "fsync_directory"]
    assert journal.calls[-1].path == str(target.parent)
    store.put(name, b"other")
    assert store.get(name) == b"bytes"
    assert [path.name for path in files(tmp_path / "objects")] == [target.name]
    with pytest.raises(KeyError):
        store.get("ffff" + "0" * 60)


def test_a_full_store_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "objects", FillingDisk(room=3))
    with pytest.raises(OutOfResources):
        store.put("abcd" + "0" * 60, b"bytes")
    assert files(tmp_path) == []
