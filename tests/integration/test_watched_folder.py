"""The folder that machines write into: nothing half is taken, nothing is lost, nothing is done twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from telemed.adapters.watched_folder import WatchedFolder
from telemed.application.import_ecg import Imported, ImportFile, import_files
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.study import Reception
from tests.receiving import Site, site
from tests.unit.formats import samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADER, SIGNALS = samples.wfdb()
SETTLE = 3.0


class Watched:
    """A folder, its watcher, and a clock that is set by hand."""

    def __init__(self, here: Site, folder: Path) -> None:
        self.here, self.folder, self.now = here, folder, 0.0
        self.available = True
        self.restart()

    def restart(self) -> None:
        self.watcher = WatchedFolder(self.folder, self._take, _explain, settle_s=SETTLE)

    def after(self, seconds: float) -> list[Imported]:
        self.now += seconds
        return self.watcher.sweep(self.now)

    def settled(self) -> list[Imported]:
        """The look that sees the file, and the one that finds it unchanged."""
        return self.after(1) + self.after(SETTLE)

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def names(self, below: str = "") -> list[str]:
        return sorted(path.name for path in (self.folder / below).iterdir() if path.is_file())

    def _take(self, files: Sequence[ImportFile]) -> list[Imported]:
        if not self.available:
            return [Imported(names=(file.name,), fault=Unavailable("error.unavailable")) for file in files]
        here = self.here
        return import_files(
            here.world, institution_id=here.institution_id, consortium_id=here.consortium_id, files=files
        )


def _explain(fault: DomainError) -> str:
    return f"because {fault.code}"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "house").mkdir()
    with site(tmp_path / "house") as here:
        yield Watched(here, tmp_path / "drop")


def test_a_whole_file_is_taken_and_moved(watched: Watched) -> None:
    watched.write("a.scp", samples.scp())
    assert watched.after(0) == []
    (answer,) = watched.after(SETTLE)
    assert answer.fault is None
    assert (watched.names(), watched.names("done"), watched.names("refused")) == ([], ["a.scp"], [])
    assert watched.here.count("stored_object") == 1


def test_a_file_that_still_grows_is_left_alone(watched: Watched) -> None:
    data = samples.scp()
    for cut in (100, 5000, len(data) - 1):
        watched.write("a.scp", data[:cut])
        assert watched.after(SETTLE + 1) == []
    watched.write("a.scp", data)
    assert watched.after(SETTLE - 1) == []
    (answer,) = watched.after(SETTLE)
    assert answer.fault is None


@pytest.mark.parametrize("name", [".hidden.scp", "a.scp.part", "a.scp.TMP", "~a.scp"])
def test_names_of_unfinished_copies_are_left_alone_until_they_are_renamed(
    watched: Watched, name: str
) -> None:
    watched.write(name, samples.scp())
    assert watched.settled() == []
    (watched.folder / name).rename(watched.folder / "whole.scp")
    assert len(watched.settled()) == 1


def test_a_refused_file_lies_beside_its_reason(watched: Watched) -> None:
    watched.write("cut.scp", samples.scp()[:2000])
    watched.settled()
    assert watched.names("refused") == ["cut.scp", "cut.scp.txt"]
    assert (watched.folder / "refused" / "cut.scp.txt").read_text("utf-8").splitlines() == [
        "because format.scp_cut",
        "format.scp_cut",
    ]
    assert watched.here.count("stored_object") == 0


def test_a_cut_between_import_and_move_ends_in_a_repeat(watched: Watched, tmp_path: Path) -> None:
    data = samples.scp()
    watched.write("a.scp", data)
    watched.settled()
    # As if the move had not happened before the power went.
    (watched.folder / "done" / "a.scp").rename(watched.folder / "a.scp")
    watched.restart()
    (answer,) = watched.settled()
    assert answer.received is not None
    assert answer.received.reception is Reception.REPEAT
    assert watched.names("done") == ["a.scp"]
    assert watched.here.count("stored_object") == 1


def test_files_stay_while_the_house_does_not_answer(watched: Watched) -> None:
    watched.available = False
    watched.write("a.scp", samples.scp())
    (answer,) = watched.settled()
    assert answer.again_later
    assert watched.names() == ["a.scp"]
    watched.available = True
    (answer,) = watched.after(1)
    assert answer.fault is None
    assert watched.names() == []


def test_an_older_file_of_the_same_name_is_not_overwritten(watched: Watched) -> None:
    written = {samples.scp(), samples.scp(patient=samples.PATIENT + samples.tag(31, b"2"))}
    assert len(written) == 2
    for data in written:
        watched.write("ecg.scp", data)
        watched.settled()
    assert {path.read_bytes() for path in (watched.folder / "done").iterdir()} == written


def test_a_record_of_two_files_waits_for_its_other_half(watched: Watched) -> None:
    watched.write("r.hea", HEADER)
    assert watched.settled() == []
    watched.write("r.dat", SIGNALS["r.dat"])
    (answer,) = watched.settled()
    assert answer.names == ("r.hea", "r.dat")
    assert watched.names("done") == ["r.dat", "r.hea"]


def test_a_half_that_stays_alone_is_refused_in_the_end(watched: Watched) -> None:
    watched.write("r.dat", SIGNALS["r.dat"])
    watched.write("nothing.xml", b"")
    assert watched.settled() == []
    answers = watched.after(SETTLE * 20)
    assert sorted(answer.fault.code for answer in answers if answer.fault) == [
        "format.unknown",
        "format.wfdb_header_missing",
    ]
    assert watched.names() == []


def test_links_and_folders_are_not_followed(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.scp").write_bytes(samples.scp())
    (watched.folder / "link.scp").symlink_to(tmp_path / "elsewhere.scp")
    (watched.folder / "sub").mkdir()
    assert watched.settled() == []
