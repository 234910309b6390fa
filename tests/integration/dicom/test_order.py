"""write < fsync < rename < directory fsync < commit < status, seen through the seams of the real path.

A test that kills a process cannot show a missing fsync: the page cache survives it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dicom_node.server import DicomNode, Door
from telemed.adapters.objects.spool import DiskSpool, DiskSpoolPart
from telemed.domain.errors import DomainError
from telemed.imaging.header import dataset_offset, read_header
from tests.disks import Call, Journal, RecordingDisk
from tests.factories.dicom import ecg_bytes
from tests.integration.dicom.conftest import LIMITS
from tests.pdu import EXPLICIT, RawSender
from tests.receiving import site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from telemed.application.ports import SpoolPart, UnitOfWorkFactory
    from telemed.application.world import World


class RecordingUnits:
    """The real unit of work; a commit that wrote the object's row is noted."""

    def __init__(self, real: UnitOfWorkFactory, journal: Journal) -> None:
        self._real, self._journal = real, journal

    @contextmanager
    def __call__(self, *, write: bool = True, synced: bool = True) -> Iterator[Any]:
        with self._real(write=write, synced=synced) as uow:
            commit, add_object = uow.commit, uow.studies.add_object
            added: list[object] = []

            def noted_add(stored: Any) -> None:
                added.append(stored)
                add_object(stored)

            def noted_commit() -> None:
                commit()
                if added:
                    self._journal.note("commit")

            uow.studies.add_object, uow.commit = noted_add, noted_commit
            yield uow


def demand_order(calls: Sequence[Call]) -> None:
    """Fails unless every step of the one object comes, and comes after the one before it."""
    (target,) = [call.path for call in calls if call.what == "rename"]
    # Its name before the rename ends the name after it.
    source = Path(target).name.partition(".")[2]
    folder = str(Path(target).parent)
    own = [
        (place, call.what)
        for place, call in enumerate(calls)
        if call.what in ("rename", "commit", "status")
        or (call.what in ("write", "fsync") and Path(call.path).name == source)
        or (call.what == "fsync_directory" and call.path == folder)
    ]
    places: dict[str, list[int]] = {}
    for place, what in own:
        places.setdefault(what, []).append(place)
    steps = ["write", "fsync", "rename", "fsync_directory", "commit", "status"]
    assert sorted(places) == sorted(steps)
    for earlier, later in pairwise(steps):
        assert max(places[earlier]) < min(places[later]), f"{earlier} must come before {later}"


def send_one(tmp_path: Path, make_world: Any = None) -> list[Call]:
    """Sends one ECG over a real association; what was done for it, from its first byte to the answer."""
    journal = Journal()
    with site(tmp_path, RecordingDisk(journal)) as town:
        world = replace(town.world, unit_of_work=RecordingUnits(town.world.unit_of_work, journal))
        world = make_world(world, town, journal) if make_world else world
        node = DicomNode(
            world=world,
            ae_title="TELEMED",
            doors=[Door(host="127.0.0.1", port=0)],
            limits=LIMITS,
            # Fires before the response is handed to the line: the earliest moment a sender could know.
            before_answer=lambda _: journal.note("status"),
        )
        journal.calls.clear()
        node.start()
        try:
            file = ecg_bytes()
            header = read_header(file)
            with RawSender(node.ports[0]) as sender:
                assert sender.associate({1: (header.sop_class_uid, EXPLICIT)}).kind == 2
                data_set = file[dataset_offset(file) :]
                status = sender.store(1, header.sop_class_uid, header.sop_instance_uid, data_set)
                assert status == 0
        finally:
            node.stop(grace_seconds=1)
    return journal.calls


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    return send_one(tmp_path_factory.mktemp("order"))


def test_success_is_said_only_when_everything_before_it_is_done(recorded: list[Call]) -> None:
    demand_order(recorded)


STEPS = ["write", "fsync", "rename", "fsync_directory", "commit", "status"]


@pytest.mark.parametrize(("first", "second"), list(pairwise(STEPS)))
def test_the_check_fails_on_any_swap_of_neighbours(recorded: list[Call], first: str, second: str) -> None:
    swapped = list(recorded)
    at = {what: max(n for n, call in enumerate(swapped) if call.what == what) for what in (first, second)}
    swapped[at[first]], swapped[at[second]] = swapped[at[second]], swapped[at[first]]
    with pytest.raises(AssertionError):
        demand_order(swapped)


@pytest.mark.parametrize("missing", STEPS)
def test_the_check_fails_when_a_step_is_missing(recorded: list[Call], missing: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        demand_order([call for call in recorded if call.what != missing])


class RenamesFirst(DiskSpool):
    """Wrong on purpose: the name is there before the bytes are."""

    def make_durable(self, parts: Sequence[SpoolPart]) -> None:
        for part in parts:
            assert isinstance(part, DiskSpoolPart)
            folder = self._folder(part.file_sha256)
            handle = part._handle
            part.move(folder)
            self._disk.fsync(handle)
            self._disk.fsync_directory(folder)


class SyncsAfterTheAnswer(DiskSpool):
    """Wrong on purpose: success is said while the bytes are in the page cache alone."""

    def make_durable(self, parts: Sequence[SpoolPart]) -> None:
        for part in parts:
            assert isinstance(part, DiskSpoolPart)
            part.move(self._folder(part.file_sha256))


@pytest.mark.parametrize("wrong", [RenamesFirst, SyncsAfterTheAnswer])
def test_a_spool_that_hurries_is_found_out(tmp_path: Path, wrong: type[DiskSpool]) -> None:
    def hurried(world: World, town: Any, journal: Journal) -> World:
        return replace(world, spool=wrong(town.root / "hurried", RecordingDisk(journal), low_water=0))

    calls = send_one(tmp_path, hurried)
    with pytest.raises(AssertionError):
        demand_order(calls)


def test_a_commit_that_fails_is_never_a_success(tmp_path: Path) -> None:
    class Failing:
        def __init__(self, real: UnitOfWorkFactory) -> None:
            self._real = real

        @contextmanager
        def __call__(self, *, write: bool = True, synced: bool = True) -> Iterator[Any]:
            with self._real(write=write, synced=synced) as uow:
                if write:
                    uow.commit = _fail  # type: ignore[method-assign]
                yield uow

    def broken(world: World, *_: object) -> World:
        return replace(world, unit_of_work=Failing(world.unit_of_work))

    with pytest.raises(AssertionError, match="272 == 0"):  # 0x0110, processing failure
        send_one(tmp_path, broken)


def _fail() -> None:
    raise DomainError("error.database_unavailable")
