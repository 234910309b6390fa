"""A real recording, sent by a program no one here wrote, read and signed in a browser, back where it belongs."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from telemed.demo.consortium import TOWNSHIP, add_resident
from telemed.demo.dicom_objects import to_file
from telemed.demo.examples import _example
from telemed.demo.roles import Person, wait_for
from telemed.demo.studies import ExampleStudy
from tests.e2e.conftest import House, SignIn


def send(house: House, study: ExampleStudy, folder: Path) -> str:
    paths = []
    for number, dataset in enumerate(study.datasets):
        path = folder / f"{study.name}-{number}.dcm"
        path.write_bytes(to_file(dataset))
        paths.append(path)
    answer = house.storescu(*paths)
    assert answer.returncode == 0, answer.stderr
    return study.study_instance_uid


def listed(reader: Person, uid: str, *, state: str) -> dict[str, Any] | None:
    rows = reader.get("/api/v1/worklist", view="all", limit="200")["rows"]
    row: dict[str, Any] | None = next((r for r in rows if r["study_instance_uid"] == uid), None)
    return row if row is not None and row["ai"]["state"] == state else None


@pytest.mark.dcmtk
def test_a_recording_sent_by_storescu_stands_in_the_list_with_its_findings(
    house: House, recorded_ecg: ExampleStudy, tmp_path: Path
) -> None:
    uid = send(house, recorded_ecg, tmp_path)
    reader = house.person("reporting")
    row = wait_for("the case with AI", lambda: listed(reader, uid, state="done"), 30)
    case = reader.get(f"/api/v1/cases/{row['id']}")
    answers = {answer["model"]["name"]: answer for answer in case["analyses"]}
    assert set(answers) == {"ecg-superclass", "ecg-delineation", "ecg-statements"}
    assert all(answer["in_domain"] for answer in answers.values())
    measured = answers["ecg-delineation"]["measurements"]
    assert {"heart_rate_bpm", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg"} <= set(measured)
    answer = answers["ecg-superclass"]
    assert {finding["name"] for finding in answer["findings"]} >= {"NORM", "MI", "STTC", "CD", "HYP"}
    assert re.fullmatch("[0-9a-f]{64}", answer["model"]["sha256"])
    assert "ecg.sinus_rhythm" in {one["code"] for one in answers["ecg-statements"]["statements"]}
    assert row["order_source"] == "study"


@pytest.mark.dcmtk
def test_an_unknown_machine_is_refused_and_told_apart_from_a_wrong_name_of_ours(
    house: House, recorded_ecg: ExampleStudy, tmp_path: Path
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(to_file(recorded_ecg.datasets[0]))
    stranger = house.storescu(path, calling="STRANGER")
    assert stranger.returncode != 0
    assert "Calling AE Title Not Recognized" in stranger.stderr
    misdirected = house.storescu(path, called="ELSEWHERE")
    assert misdirected.returncode != 0
    assert "Called AE Title Not Recognized" in misdirected.stderr


@pytest.mark.dcmtk
@pytest.mark.browser
def test_an_ecg_is_read_and_signed_in_the_browser_and_comes_back(
    house: House, recorded_ecg: ExampleStudy, sign_in: SignIn, tmp_path: Path
) -> None:
    example = _example(1, recorded_ecg)
    assert example.resident is not None and example.order is not None
    add_resident(house.application.world, example.resident)
    technician = house.person("technician")
    technician.post("/api/v1/orders", example.order)

    page = sign_in("reporting")
    expect(page.locator(".line.live")).to_be_visible()
    uid = send(house, recorded_ecg, tmp_path)
    # The list moves by itself: the study came through another process.
    row = page.locator(".rows .row", has_text=example.resident.name).first
    expect(row).to_be_visible()
    reader = house.person("reporting")
    case = wait_for("the case with AI", lambda: listed(reader, uid, state="done"), 30)

    page.goto(f"{house.base}/reading/cases/{case['id']}")
    expect(page.locator(".identity h1")).to_have_text(example.resident.name)
    expect(page.locator("canvas").first).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("#report-impression")).not_to_have_value("")
    page.keyboard.press("Control+Enter")
    wait_for("the first signature", lambda: _state(reader, case["id"], "awaiting_review"), 20)

    second = sign_in("reviewing")
    second.goto(f"{house.base}/reading/cases/{case['id']}")
    expect(second.locator(".identity h1")).to_have_text(example.resident.name)
    second.keyboard.press("Control+Enter")
    wait_for("the report", lambda: _state(reader, case["id"], "final"), 20)

    township = sign_in("technician", 1366, 768)
    line = township.locator("tr, li, .exam", has_text=example.resident.name).first
    expect(line.locator("a[href*='/pdf']")).to_be_visible(timeout=30_000)

    doctor = house.person("family")
    copy = wait_for("the copy", lambda: _copy(doctor, uid), 20)
    family = sign_in("family", 360, 740)
    expect(family.get_by_text(example.resident.name).first).to_be_visible()
    overflow = family.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    assert doctor.bytes(copy["pdf_url"]).startswith(b"%PDF")


def _state(reader: Person, case_id: str, state: str) -> bool | None:
    return True if reader.get(f"/api/v1/cases/{case_id}")["state"] == state else None


def _copy(doctor: Person, uid: str) -> dict[str, Any] | None:
    rows = doctor.get("/api/v1/inbox")["rows"]
    return next((row for row in rows if row["study_instance_uid"] == uid), None)


def test_the_site_that_sent_nothing_sees_nothing(house: House) -> None:
    other = house.person("technician2")
    assert other.get("/api/v1/exams")["exams"] == []
    with house.application.world.unit_of_work(write=False) as uow:
        assert uow.institutions.by_code(TOWNSHIP) is not None
