"""A request to make a recording again stands at its site until it was made, or somebody there says why not."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from tests.cast import Cast
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.web.conftest import Program, Way
from tests.integration.web.test_reassign import correct, order_for_right

FIRST: dict[str, Any] = {"patient_id": "FIC-P1", "patient_name": "测试甲", "accession": "FIC-0001"}


def states(way: Way) -> list[tuple[str, str]]:
    found = way.program("technician").get("/api/v1/exams")["exams"]
    return [(one["study_instance_uid"], one["state"]) for one in found]


def told(way: Way, who: str) -> list[str]:
    return [one["code"] for one in way.program(who).get("/api/v1/notices")["notices"]]


def days_later(cast: Cast, app: FastAPI, way: Way, days: int) -> None:
    """Everybody signs in again."""
    cast.clock.move(days=days)
    for who in ("technician", "reporting"):
        way.program(who).http.headers["Authorization"] = Program(app, who).http.headers["Authorization"]


def send_back(cast: Cast, way: Way, file: bytes) -> str:
    way.order(modality="DX", description="胸部正位")
    way.send(file)
    cast.clock.move(minutes=2)
    cast.run_jobs()
    doctor = way.program("reporting")
    (row,) = doctor.get("/api/v1/worklist")["rows"]
    way.case_id = row["id"]
    doctor.post(f"{way.path}/repeat", {"reason": "体位不正", "code": "image.position"})
    return way.study_uid


def test_a_film_of_friday_stands_on_mondays_page_until_it_was_made(
    cast: Cast, app: FastAPI, way: Way
) -> None:
    film = send_back(cast, way, dr_bytes(**FIRST))
    assert told(way, "technician") == ["notice.repeat_requested"]
    days_later(cast, app, way, 3)
    technician = way.program("technician")
    technician.upload(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲"))
    cast.run_jobs()
    (first, _) = states(way)
    # An ECG of the same person is no answer, and newer than what stands above it.
    assert first == (film, "repeat")
    answer = technician.upload(dr_bytes(**FIRST, seed=5))["objects"][0]["study_instance_uid"]
    cast.clock.move(minutes=2)
    cast.run_jobs()
    exams = {one["study_instance_uid"]: one for one in technician.get("/api/v1/exams")["exams"]}
    settled, came = exams[film], exams[answer]
    assert (settled["state"], settled["repeat"]["open"]) == ("repeated", False)
    assert settled["repeat"]["answer_at"] == came["received_at"]
    assert (told(way, "technician"), told(way, "reporting")) == ([], [])
    # Both cases say of each other; what the site was told is no notice to a reader.
    doctor = way.program("reporting")
    before = doctor.get(way.path)
    assert (before["repeat"]["answer_at"], before["notices"]) == (came["received_at"], [])
    rows = doctor.get("/api/v1/worklist")["rows"]
    new = doctor.get(f"/api/v1/cases/{next(r['id'] for r in rows if r['study_instance_uid'] == answer)}")
    assert [(one["reason"], one["open"]) for one in new["repeats"]] == [("体位不正", False)]
    # The new film was another person's: the first patient is still to be called.
    way.study_uid = answer
    order_for_right(way)
    correct(way)
    assert states(way)[0] == (film, "repeat")
    assert told(way, "technician").count("notice.repeat_requested") == 1


def test_what_will_not_be_made_again_is_closed_with_a_reason_that_the_doctor_is_told(
    cast: Cast, app: FastAPI, way: Way
) -> None:
    film = send_back(cast, way, dr_bytes(**FIRST))
    path = f"/api/v1/studies/{film}/repeat/close"
    technician = way.program("technician")
    assert technician.post(path, {"reason": " "}, expect=422)["field"] == "reason"
    way.program("technician-2").post(path, {"reason": "虚构"}, expect=404)
    days_later(cast, app, way, 2)
    for _ in range(2):
        closed: dict[str, Any] = technician.post(path, {"reason": "患者已转院"})
        assert (closed["state"], closed["repeat"]["closed_because"]) == ("repeated", "患者已转院")
    assert states(way) == [(film, "repeated")]
    assert (told(way, "technician"), told(way, "reporting")) == ([], ["notice.repeat_closed"])
    # Settled two days ago it is no longer of today.
    days_later(cast, app, way, 2)
    assert states(way) == []


def test_one_recording_for_two_requests_is_assigned_by_a_person(cast: Cast, way: Way) -> None:
    doctor, technician = way.program("reporting"), way.program("technician")
    sent = []
    for seed in (1, 2):
        technician.upload(ecg_bytes(**FIRST, seed=seed))
        cast.run_jobs()
        (row,) = doctor.get("/api/v1/worklist")["rows"]
        doctor.post(f"/api/v1/cases/{row['id']}/repeat", {"reason": "导联脱落"})
        sent.append(row["study_instance_uid"])
    cast.clock.move(minutes=5)
    technician.upload(ecg_bytes(**FIRST, seed=3))
    cast.run_jobs()
    exams = technician.get("/api/v1/exams")["exams"]
    assert [(one["study_instance_uid"], one["state"]) for one in exams[:2]] == [(s, "repeat") for s in sent]
    assert all(one["repeat"]["answer_at"] is not None for one in exams[:2])
    closed = technician.post(f"/api/v1/studies/{sent[0]}/repeat/close")
    assert (closed["repeat"]["open"], closed["repeat"]["closed_because"]) == (False, "")
    assert (states(way)[0], told(way, "reporting")) == ((sent[1], "repeat"), [])
