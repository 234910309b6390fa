"""`telemed ai backfill` tells how far it is; stopped, only the telling stops, and asked again it goes on."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from telemed.application.backfill import Standing, standing
from telemed.application.handlers import HANDLERS
from telemed.application.run_jobs import run_due
from telemed.cli import backfill
from telemed.cli.ai import app as commands
from telemed.domain.errors import Unavailable
from telemed.domain.inference import TAKEN_OUT
from tests.cast import Cast
from tests.factories.dicom import ecg_bytes
from tests.integration.web.conftest import Way
from tests.integration.web.test_backfill import approve

CASES = 3


@pytest.fixture
def archive(cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Cases that an older model has read; a newer one is approved since."""
    for number in range(CASES):
        way.send(ecg_bytes(patient_id=f"FIC-P{number}", patient_name="测试甲", accession=""))
    cast.run_jobs()
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    approve(cast)
    cast.analyser.asked.clear()
    house = SimpleNamespace(world=cast.world, close=lambda: None)
    monkeypatch.setattr(backfill, "build", lambda *_, **__: house)
    monkeypatch.setenv("TELEMED_LANGUAGE", "en")
    return cast


def open_cases(cast: Cast) -> int:
    return standing(cast.world, modality="ECG").open


def lines(monkeypatch: pytest.MonkeyPatch, cast: Cast, *, stopped_after: int = CASES) -> list[str]:
    """What the command writes while a worker reads one case between two looks; then somebody stops it."""
    read = 0

    def between(_seconds: float) -> None:
        nonlocal read
        if read == stopped_after:
            raise KeyboardInterrupt
        read, left = read + 1, open_cases(cast)
        # What is made of an answer comes before the next case of the archive.
        while open_cases(cast) == left and run_due(cast.world, HANDLERS, limit=1):
            pass

    monkeypatch.setattr(backfill.time, "sleep", between)
    return CliRunner().invoke(commands, ["backfill"]).output.splitlines()


def test_progress_is_told_case_by_case_and_a_stop_loses_nothing(
    archive: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lines(monkeypatch, archive, stopped_after=1)
    assert first[:2] == [
        "3 cases asked for now, 3 to be read. Workers read them after all other work.",
        "1 of 3 read",
    ]
    assert "2 of 3 read" not in first
    again = lines(monkeypatch, archive)
    assert again == [
        "0 cases asked for now, 2 to be read. Workers read them after all other work.",
        "1 of 2 read",
        "2 of 2 read",
    ]
    # Each case once, over the stop and the second asking.
    assert [version for _, version, _ in archive.analyser.asked] == ["2.0"] * CASES
    assert lines(monkeypatch, archive) == [
        "0 cases asked for now, 0 to be read. Workers read them after all other work."
    ]


def test_what_nobody_read_is_told_and_is_no_success(archive: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.analyser.fault = Unavailable(TAKEN_OUT, name="fictional-ecg", reason="no memory for this node")
    monkeypatch.setattr(backfill.time, "sleep", lambda _seconds: archive.run_jobs())
    for _ in range(2):  # asked again, the same cases are asked for anew and counted once
        done = CliRunner().invoke(commands, ["backfill", "--modality", "ecg"])
        assert done.exit_code == 1
        assert done.stdout.splitlines() == [
            "3 cases asked for now, 3 to be read. Workers read them after all other work.",
            "0 of 3 read",
        ]
        assert "0 read; 0 could not be read again, 3 were not read because" in done.stderr
    archive.analyser.fault = None
    done = CliRunner().invoke(commands, ["backfill"])
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "3 of 3 read")
    assert standing(archive.world, modality="ECG") == Standing(open=0, failed=0, out=0)
