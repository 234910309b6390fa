"""`telemed ecg import` as a person types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from telemed.application.install import add_institution
from telemed.bootstrap import build
from telemed.cli.ecg import app
from telemed.domain.errors import NotFound
from telemed.domain.people import InstitutionKind
from telemed.settings import Settings
from tests.unit.formats import samples

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files, beside an embedded installation with one township centre, "T1"."""
    monkeypatch.setenv("TELEMED_DATA_DIR", str(tmp_path / "house"))
    monkeypatch.setenv("TELEMED_LANGUAGE", "en")
    application = build(Settings.from_environment())
    with application.world.unit_of_work() as uow:
        root = add_institution(
            application.world, uow, kind=InstitutionKind.CONSORTIUM, code="C", name="虚构医共体"
        )
        add_institution(
            application.world, uow, kind=InstitutionKind.TOWNSHIP, code="T1", name="虚构卫生院", parent=root
        )
        uow.commit()
    application.close()
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def run(*words: object) -> tuple[int, list[dict[str, object]]]:
    done = CliRunner().invoke(
        app, ["import", *map(str, words), "--site", "T1", "--json"], catch_exceptions=False
    )
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_folder_is_imported_and_a_second_time_changes_nothing(drop: Path) -> None:
    header, files = samples.wfdb()
    (drop / "r.hea").write_bytes(header)
    (drop / "r.dat").write_bytes(files["r.dat"])
    (drop / "a.scp").write_bytes(samples.scp())
    (drop / "a.pdf").write_bytes(samples.PDF)
    status, lines = run(drop, "--patient-id", "7")
    assert status == 0
    assert sorted(str(line["status"]) for line in lines) == ["new", "new", "new"]
    pdf = next(line for line in lines if str(line["files"]).endswith("a.pdf']"))
    assert pdf["reasons"] == [
        {
            "code": "waveform.encapsulated_pdf",
            "text": "This ECG is a PDF document and holds no waveform.",
        }
    ]
    status, again = run(drop, "--patient-id", "7")
    assert status == 0
    assert [line["status"] for line in again] == ["repeat"] * 3
    assert [line["study_instance_uid"] for line in again] == [line["study_instance_uid"] for line in lines]


def test_a_refused_file_makes_the_status_one_and_has_its_sentence(drop: Path) -> None:
    (drop / "a.scp").write_bytes(samples.scp()[:500])
    status, (line,) = run(drop)
    assert (status, line["status"], line["code"]) == (1, "refused", "format.scp_cut")
    assert str(line["problem"]).startswith("The SCP-ECG file is cut")


def test_a_recording_without_a_time_is_given_one(drop: Path) -> None:
    header, files = samples.wfdb(time="")
    (drop / "r.hea").write_bytes(header)
    (drop / "r.dat").write_bytes(files["r.dat"])
    assert run(drop)[1][0]["code"] == "format.no_time"
    status, (line,) = run(drop, "--recorded-at", "2026-11-20T08:30")
    assert (status, line["status"]) == (0, "new")


def test_an_unknown_site_is_refused(drop: Path) -> None:
    (drop / "a.scp").write_bytes(samples.scp())
    with pytest.raises(NotFound):
        CliRunner().invoke(app, ["import", str(drop), "--site", "nowhere"], catch_exceptions=False)
