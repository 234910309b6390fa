"""The seconds after a signature: it can be taken back, nobody has it, and it takes effect whoever is there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import HOSPITAL_A, Cast
from tests.integration.web.conftest import Way


@pytest.fixture
def held(cast: Cast, way: Way) -> Way:
    """A case in the list of a hospital whose signatures can be taken back for ten seconds."""
    rules(cast, way)
    way.arrive()
    return way


def rules(cast: Cast, way: Way, **changes: Any) -> Any:
    body = {"signing_minutes": 15, "hold_seconds": 10, "second_signature": True, **changes}
    path = f"/api/v1/admin/institutions/{cast.sites[HOSPITAL_A].uid}/signing"
    return way.program("admin").put(path, body, expect=changes.get("expect", 200))


def views(way: Way) -> set[str]:
    doctor = way.program("reviewing")
    names = ("waiting", "mine", "review", "all", "done")
    found = {name: doctor.get("/api/v1/worklist", params={"view": name})["rows"] for name in names}
    return {name for name, listed in found.items() if any(row["id"] == way.case_id for row in listed)}


def received(way: Way) -> list[Any]:
    people = (way.program(name) for name in ("technician", "family"))
    return [row for person in people for row in person.get("/api/v1/inbox")["rows"]]


def test_the_release_waits_for_the_hold_and_happens_though_nobody_was_there(cast: Cast, held: Way) -> None:
    held.sign()
    approved = held.approve()
    assert (approved["state"], approved["report"]["state"]) == ("signing", "held")
    assert approved["report"]["released_at"] is None
    cast.run_jobs()
    assert received(held) == []
    # Nobody's work, and still in sight.
    assert views(held) == {"all"}
    exam = held.program("technician").get("/api/v1/exams")["exams"][0]
    assert (exam["state"], exam["report"]) == ("reading", None)
    # The workers were down for a while: it takes effect as soon as one is there, and once.
    cast.clock.move(minutes=20)
    cast.run_jobs()
    cast.run_jobs()
    case = held.program("reviewing").get(held.path)
    assert (case["state"], case["report"]["state"], case["report"]["hold_until"]) == ("final", "final", None)
    assert len(received(held)) == 2
    assert views(held) == {"done"}


def test_the_last_signature_is_taken_back_by_whoever_gave_it(cast: Cast, held: Way) -> None:
    held.sign()
    held.approve()
    refused = held.program("reporting").post(f"{held.path}/undo", expect=409)
    assert refused["code"] == "error.signature_applied"
    reviewer = held.program("reviewing")
    assert reviewer.get(held.path)["can"]["undo"] is True
    back = reviewer.post(f"{held.path}/undo")
    assert (back["state"], back["report"]["state"]) == ("awaiting_review", "awaiting_review")
    assert back["report"]["reviewed_by"] is None
    assert back["can"]["review"] is True
    cast.clock.move(minutes=1)
    cast.run_jobs()
    assert received(held) == []
    # Given again, it has a hold of its own.
    held.approve()
    cast.run_jobs()
    assert received(held) == []
    cast.clock.move(seconds=10)
    cast.run_jobs()
    assert len(received(held)) == 2
    assert reviewer.post(f"{held.path}/undo", expect=409)["code"] == "error.signature_applied"


def test_the_first_of_two_signatures_is_taken_back_until_it_is_answered(cast: Cast, held: Way) -> None:
    held.sign()
    doctor = held.program("reporting")
    for _ in range(2):
        back = doctor.post(f"{held.path}/undo")
        assert (back["state"], back["report"]["state"]) == ("reading", "draft")
        assert back["holder"]["mine"] is True
    assert held.sign()["can"]["undo"] is True
    cast.clock.move(seconds=10)
    assert doctor.get(held.path)["can"]["undo"] is False
    assert doctor.post(f"{held.path}/undo", expect=409)["code"] == "error.signature_applied"


def test_what_is_critical_is_not_held(cast: Cast, held: Way) -> None:
    rules(cast, held, second_signature=False)
    draft = held.write(critical=True, abnormal=True)
    case = held.program("reporting").post(f"{held.path}/sign", {"revision": draft["revision"]})
    assert (case["state"], case["can"]["undo"]) == ("final", False)
    cast.run_jobs()
    assert len(received(held)) == 2


def test_pictures_that_come_while_it_is_held_are_read_for_themselves(cast: Cast, held: Way) -> None:
    from tests.factories.dicom import ecg_bytes

    rules(cast, held, second_signature=False)
    held.sign()
    held.program("technician").upload(
        ecg_bytes(
            patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0001", study_uid=held.study_uid, seed=9
        )
    )
    cast.run_jobs()
    rows = held.program("reporting").get("/api/v1/worklist")["rows"]
    assert [row["id"] for row in rows] != [held.case_id]
    assert [row["study_instance_uid"] for row in rows] == [held.study_uid]
    cast.clock.move(seconds=10)
    cast.run_jobs()
    assert held.program("reporting").get(held.path)["state"] == "final"


def test_the_signing_period_is_a_rule_of_the_site(cast: Cast, held: Way) -> None:
    rules(cast, held, signing_minutes=5)
    draft = held.write()
    cast.clock.move(minutes=5)
    refused = held.program("reporting").post(f"{held.path}/sign", {"revision": draft["revision"]}, expect=403)
    assert refused["code"] == "error.reauthenticate"
    wrong = rules(cast, held, hold_seconds=121, expect=422)
    assert (wrong["code"], wrong["field"]) == ("error.number_out_of_range", "hold_seconds")


def test_an_exam_has_the_parts_its_centre_asks_for(held: Way) -> None:
    admin = held.program("admin")
    body = {"part": "recommendation", "demanded": "when_abnormal", "modality": "ecg"}
    row = admin.post("/api/v1/admin/required-parts", body, expect=201)
    assert held.program("reporting").get(held.path)["demanded"] == {
        "findings": "always",
        "impression": "always",
        "recommendation": "when_abnormal",
    }
    draft = held.write(recommendation=" ", abnormal=True)
    doctor = held.program("reporting")
    refused = doctor.post(f"{held.path}/sign", {"revision": draft["revision"]}, expect=422)
    assert (refused["code"], refused["field"]) == ("error.report_field_empty", "recommendation")
    draft = held.write(recommendation="", abnormal=False)
    admin.http.delete(f"/api/v1/admin/required-parts/{row['id']}")
    assert admin.get("/api/v1/admin/required-parts") == []
    assert doctor.post(f"{held.path}/sign", {"revision": draft["revision"]})["state"] == "awaiting_review"
