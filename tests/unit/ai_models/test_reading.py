"""From DICOM objects to answers, and the command that does it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from typer.testing import CliRunner

from ai_models.ecg.signal import LEADS
from ai_models.engine import Engine
from ai_models.reading import ModelReader
from telemed.application.import_ecg import GivenPatient, to_objects
from telemed.cli.ai import app
from telemed.domain.errors import Unreadable
from tests.unit.ai_models.synthetic import samples
from tests.unit.formats import samples as files
from tests.unit.formats.test_ecg_object import NOON

DX = "1.2.840.10008.5.1.4.1.1.1.1"


@pytest.fixture(scope="session")
def mortara() -> bytes:
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    assert path is not None
    return Path(str(path)).read_bytes()


@pytest.fixture(scope="session")
def models(engine: Engine) -> ModelReader:
    return ModelReader(engine)


def written(ds: Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def film() -> bytes:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = DX, "2.25.4711", "DX"
    return written(ds)


def test_a_real_device_recording_is_read(models: ModelReader, mortara: bytes) -> None:
    answer = models.read(mortara)
    assert answer.in_domain
    assert {finding.name for finding in answer.findings} == {"NORM", "MI", "STTC", "CD", "HYP", "AFIB"}
    assert 30 < answer.measurements["heart_rate_bpm"] < 200


def test_a_film_without_a_picture_is_out_of_every_film_models_domain(
    models: ModelReader, film: bytes
) -> None:
    answers = models.read_all(film)
    assert {answer.model.name for answer in answers if answer.model} == {"chest-pneumonia-child", "chest-tb"}
    assert {(answer.in_domain, answer.reason) for answer in answers} == {(False, "pixel.no_pixels")}


def test_a_kind_of_object_that_no_model_reads_is_told_so(models: ModelReader) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.2", "2.25.4712", "CT"
    answer = models.read(ds)
    assert (answer.in_domain, answer.reason, answer.model, answer.findings) == (False, "no_model", None, ())
    assert models.identity_for("DX") is None
    assert models.identity_for("ECG") == models.ecg.identity


def test_an_ecg_without_twelve_leads_is_out_of_domain_not_an_error(
    models: ModelReader, mortara: bytes
) -> None:
    ds = dcmread(BytesIO(mortara))
    del ds.WaveformSequence
    answer = models.read(written(ds))
    assert (answer.in_domain, answer.reason) == (False, "waveform.no_waveform")


@pytest.mark.parametrize(
    ("paper", "reason"),
    [(files.PDF, "waveform.encapsulated_pdf"), (files.picture(), "waveform.no_waveform")],
)
def test_every_model_says_of_a_paper_ecg_that_it_holds_no_waveform(
    models: ModelReader, paper: bytes, reason: str
) -> None:
    (made,) = to_objects(paper, "paper", patient=GivenPatient(patient_id="P-1", recorded_at=NOON))
    answers = models.read_all(made)
    assert [(answer.in_domain, answer.reason, answer.findings) for answer in answers] == [
        (False, reason, ())
    ] * 3
    assert len({answer.model.name for answer in answers if answer.model}) == 3


@pytest.mark.parametrize("data", [b"", b"just a text file\n" * 20, b"\x89PNG\r\n\x1a\n" + b"\0" * 400])
def test_bytes_that_are_no_dicom_are_unreadable(models: ModelReader, data: bytes) -> None:
    with pytest.raises(Unreadable):
        models.read(data)


def test_a_cut_recording_is_unreadable(models: ModelReader, mortara: bytes) -> None:
    with pytest.raises(Unreadable):
        models.read(mortara[: len(mortara) // 2])


def run(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines() if line]


def test_read_prints_one_line_a_file_and_model(tmp_path: Path, mortara: bytes, film: bytes) -> None:
    (tmp_path / "a.dcm").write_bytes(mortara)
    (tmp_path / "b.dcm").write_bytes(film)
    code, (ecg, measured, said, *films) = run("read", str(tmp_path), "--json")
    assert code == 0
    names = ["ecg-superclass", "ecg-delineation", "ecg-statements"]
    assert [line["model"]["name"] for line in (ecg, measured, said)] == names
    assert said["statements"][0]["text"] == {"zh": "窦性心律", "en": "Sinus rhythm"}
    assert {"heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg"} <= set(
        measured["measurements"]
    )
    assert set(measured["leads"]) == set(LEADS)
    assert (measured["findings"], "waves" in measured) == ([], False)
    assert (ecg["path"], ecg["modality"]) == (str(tmp_path / "a.dcm"), "ECG")
    assert ecg["sop_instance_uid"] == str(dcmread(BytesIO(mortara)).SOPInstanceUID)
    assert set(ecg["model"]) == {
        *("name", "version", "sha256", "preprocessing", "precision", "provider", "runtime", "device")
    }
    assert ecg["in_domain"] is True
    assert ecg["reason"] is None
    assert set(ecg["findings"][0]) == {"name", "probability", "threshold", "flag", "code"}
    assert set(ecg["findings"][0]["code"]) == {"system", "code", "display"}
    assert "waves" not in ecg
    assert films
    for dx in films:
        assert (dx["in_domain"], dx["reason"], dx["findings"]) == (False, "pixel.no_pixels", [])


def test_a_file_that_cannot_be_read_is_a_line_and_exit_status_1(tmp_path: Path, mortara: bytes) -> None:
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "b.dcm").write_bytes(mortara)
    code, (bad, good, measured, said, missing) = run(
        "read", str(tmp_path / "a.txt"), str(tmp_path / "b.dcm"), str(tmp_path / "none.dcm"), "--json"
    )
    assert code == 1
    assert bad["error"]
    assert missing["error"]
    assert good["in_domain"] is True
    assert measured["in_domain"] is True
    assert said["in_domain"] is True


def test_an_ecg_of_another_format_is_read_like_the_object_it_becomes(tmp_path: Path) -> None:
    header, signals = wfdb_files()
    (tmp_path / "r.hea").write_bytes(header)
    (tmp_path / "r.dat").write_bytes(signals)
    code, lines = run("read", str(tmp_path), "--json")
    assert code == 0
    assert {line["path"] for line in lines} == {str(tmp_path / "r.hea")}
    assert [line["in_domain"] for line in lines] == [True] * 3
    assert lines[1]["measurements"]["heart_rate_bpm"] == pytest.approx(72, abs=0.5)
    (tmp_path / "r.dat").unlink()
    code, (missing,) = run("read", str(tmp_path), "--json")
    assert code == 1
    assert "r.dat" in missing["error"]


def wfdb_files() -> tuple[bytes, bytes]:
    raw = np.round(samples() * 1000).astype("<i2")
    lines = [
        f"r 12 500 {raw.shape[1]}",
        *(f"r.dat 16 1000/mV 16 0 {row[0]} 0 0 {lead}" for lead, row in zip(LEADS, raw, strict=True)),
    ]
    return "\n".join(lines).encode() + b"\n", raw.T.tobytes()


def test_waves_are_rows_of_a_lead_and_a_wave(tmp_path: Path, mortara: bytes) -> None:
    (tmp_path / "a.dcm").write_bytes(mortara)
    code, (ecg, measured, said) = run("read", str(tmp_path), "--json", "--waves")
    assert code == 0
    assert "waves" not in ecg
    assert "waves" not in said
    assert {row["lead"] for row in measured["waves"]} == set(LEADS)
    assert {row["wave"] for row in measured["waves"]} == {"P", "QRS", "T"}
    for row in measured["waves"]:
        assert set(row) == {"lead", "wave", "onset_ms", "peak_ms", "offset_ms"}
        assert 0 <= row["onset_ms"] <= row["peak_ms"] <= row["offset_ms"] <= 10_000


def test_a_bare_picture_that_is_none_is_an_error_and_one_without_age_is_out_of_domain(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    code, (line,) = run("read", str(tmp_path / "broken.png"), "--age", "40", "--view", "PA", "--json")
    assert code == 1
    assert line["error"]
    Image.new("L", (200, 200), 90).save(tmp_path / "film.png")
    code, lines = run("read", str(tmp_path / "film.png"), "--json")
    assert code == 0
    assert lines
    assert all((line["in_domain"], line["findings"]) == (False, []) for line in lines)


def test_models_lists_the_verified_registry(engine: Engine) -> None:
    code, (rows,) = run("models", "--json")
    assert code == 0
    row = rows[0]
    assert row["sha256"] == engine.identity(row["name"]).sha256
    assert set(row) >= {"name", "version", "sha256", "task", "input", "precision", "provider", "card"}
    assert all(Path(card).is_file() for card in row["card"].values())


def test_evaluate_says_where_the_recordings_should_lie(tmp_path: Path) -> None:
    nowhere = {"--data": str(tmp_path / "recordings"), "--films": str(tmp_path / "films")}
    result = CliRunner().invoke(app, ["evaluate", *(word for pair in nowhere.items() for word in pair)])
    assert result.exit_code == 0
    assert all(folder in result.stderr for folder in nowhere.values())
