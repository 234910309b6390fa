"""The correction list: both sides of every doubt, and nothing merged without a person's decision."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread

from telemed.application.ports.dicom import StepQuery
from telemed.application.usual_critical_values import seed_critical_values
from telemed.domain.events import Kind
from tests.cast import CONTRACTED, HOSPITAL_A, TOWNSHIP_A1, UNCONTRACTED, Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import Way
from tests.integration.web.test_reassign import WHY, correct, order_for_right, row_of, told

FILM = {"patient_id": "FIC-P1", "patient_name": "测试甲", "study_uid": str(uid("a film study"))}


def two_films(cast: Cast, way: Way) -> tuple[str, str]:
    """A complete study of two films of the first person, in the list. Returns their UIDs."""
    way.order(modality="DX")
    films = [dr_bytes(seed=number, InstanceNumber=number, **FILM) for number in (1, 2)]
    sops = [way.send(film)["objects"][0]["sop_instance_uid"] for film in films]
    cast.clock.move(minutes=2)
    cast.run_jobs()
    rows = way.program("reporting").get("/api/v1/worklist")["rows"]
    way.case_id = next(row["id"] for row in rows if row["study_instance_uid"] == way.study_uid)
    return sops[0], sops[1]


def instances(way: Way, case_id: str) -> list[str]:
    case = way.program("reporting").get(f"/api/v1/cases/{case_id}")
    return [one["sop_instance_uid"] for series in case["series"] for one in series["instances"]]


def open_corrections(way: Way, who: str = "technician") -> Any:
    return way.program(who).get("/api/v1/corrections")["rows"]


def decide(way: Way, row: Any, decision: str, expect: int = 200, **more: str) -> Any:
    path = f"/api/v1/corrections/{row['id']}/resolve"
    return way.program("technician").post(path, {"decision": decision, "reason": WHY, **more}, expect=expect)


# --- one recording -----------------------------------------------------------------------------------------------


def test_a_single_recording_becomes_a_study_of_the_right_person_and_the_rest_stays(
    cast: Cast, way: Way
) -> None:
    stays, goes = two_films(cast, way)
    order_for_right(way)
    answer = correct(way, sop_instance_uid=goes, accession_number="")
    assert (answer["changed"], answer["withdrawn"]) == (True, 0)
    assert answer["study_instance_uid"] != way.study_uid
    assert instances(way, way.case_id) == [stays]
    assert instances(way, answer["case_id"]) == [goes]
    old, new = row_of(way, way.case_id), row_of(way, answer["case_id"])
    assert (old["patient"]["patient_id"], new["patient"]["patient_id"]) == ("FIC-P1", "FIC-P2")
    assert old["accession_number"] != new["accession_number"]
    technician = way.program("technician")
    arrived = {e["patient"]["patient_id"]: e["arrived"] for e in technician.get("/api/v1/exams")["exams"]}
    assert arrived == {"FIC-P1": 1, "FIC-P2": 1}
    (moved,) = technician.get("/dicom-web/instances?PatientID=FIC-P2")
    assert moved["00080018"]["Value"] == [goes]
    assert moved["0020000D"]["Value"] == [answer["study_instance_uid"]]
    # Again: nothing moves, and the answer is the same.
    again = correct(way, sop_instance_uid=goes, accession_number="")
    assert (again["changed"], again["case_id"]) == (False, answer["case_id"])


def test_a_single_recording_of_a_signed_study_withdraws_and_both_are_read_again(cast: Cast, way: Way) -> None:
    stays, goes = two_films(cast, way)
    order_for_right(way)
    way.sign()
    way.approve()
    cast.run_jobs()
    signed = way.case_id
    answer = correct(way, sop_instance_uid=goes, accession_number="")
    assert answer["withdrawn"] == 1
    assert told(way, "reviewing") == ["notice.report_withdrawn"]
    waiting = way.program("reporting").get("/api/v1/worklist")["rows"]
    left = next(row for row in waiting if row["study_instance_uid"] == way.study_uid)
    assert left["id"] not in (signed, answer["case_id"])
    assert (left["patient"]["patient_id"], instances(way, left["id"])) == ("FIC-P1", [stays])
    assert instances(way, answer["case_id"]) == [goes]
    assert instances(way, signed) == []


def test_a_moved_recording_sent_again_is_a_repeat_where_it_is_now(cast: Cast, way: Way) -> None:
    _, goes = two_films(cast, way)
    order_for_right(way)
    answer = correct(way, sop_instance_uid=goes, accession_number="")
    study = way.study_uid
    sent = way.send(dr_bytes(seed=2, InstanceNumber=2, **FILM))
    assert sent["objects"][0]["status"] == "repeat"
    assert sent["objects"][0]["study_instance_uid"] == answer["study_instance_uid"] != study


# --- the list ----------------------------------------------------------------------------------------------------


def held_back(cast: Cast, way: Way) -> Any:
    two_films(cast, way)
    foreign = FILM | {"patient_id": "FIC-P2", "patient_name": "虚构乙"}
    for number in (3, 4):
        film = dr_bytes(seed=number, PatientSex="M", PatientBirthDate="19510704", **foreign)
        assert way.send(film)["objects"][0]["status"] == "conflict"
    # Two objects under one foreign number are one question.
    (row,) = open_corrections(way)
    return row


def test_both_sides_of_a_held_back_object_stand_beside_each_other(cast: Cast, way: Way) -> None:
    row = held_back(cast, way)
    assert (row["code"], row["count"], row["decided"]) == ("notice.patient_conflict", 2, False)
    assert set(row["decisions"]) == {"same_person", "reassign", "leave"}
    detail = way.program("technician").get(f"/api/v1/corrections/{row['id']}")
    filed, received = detail["filed"], detail["received"]["person"]
    assert (filed["patient_id"], filed["name"], filed["sex"]) == ("FIC-P1", "测试甲", "F")
    assert (filed["birth_date"], filed["id_last4"]) == ("1960-02-29", CONTRACTED[-4:])
    assert received == {
        "patient_id": "FIC-P2",
        "name": "虚构乙",
        "sex": "M",
        "birth_date": "1951-07-04",
        "id_last4": "",
    }
    assert detail["differing"] == ["patient_id", "name", "birth_date", "sex"]


def test_held_back_objects_go_to_the_person_they_are_of(cast: Cast, way: Way) -> None:
    row = held_back(cast, way)
    order_for_right(way)
    answer = decide(way, row, "reassign", from_patient_id="FIC-P1", patient_id="FIC-P2")
    new = row_of(way, answer["case_id"])
    assert new["patient"]["patient_id"] == "FIC-P2"
    assert len(instances(way, answer["case_id"])) == 2
    assert len(instances(way, way.case_id)) == 2
    assert open_corrections(way) == []
    # The same click twice.
    assert decide(way, row, "reassign", from_patient_id="FIC-P1", patient_id="FIC-P2")["changed"] is False
    exams = way.program("technician").get("/api/v1/exams")["exams"]
    assert [exam["conflicts"] for exam in exams] == [0, 0]


def test_what_was_held_back_is_forwarded_and_made_ready_once_its_person_is_known(
    cast: Cast, way: Way
) -> None:
    admin, town = way.program("admin"), cast.sites[TOWNSHIP_A1].uid
    node = {"ae_title": "CITY_PACS", "host": "127.0.0.1", "port": 1, "institution": town}
    made = admin.post("/api/v1/admin/nodes", node, expect=201)
    admin.post("/api/v1/admin/forward-rules", {"node": made["id"], "institution": town}, expect=201)

    def waiting() -> int:
        return int(admin.get("/api/v1/admin/nodes")[0]["waiting"])

    def made_ready() -> list[str]:
        engine = cast.world.unit_of_work.engine  # type: ignore[attr-defined]
        asked = (
            "SELECT study_instance_uid FROM job JOIN study ON study.id = subject_id"
            " WHERE kind = 'prepare_pictures'"
        )
        with engine.connect() as connection:
            return sorted(connection.exec_driver_sql(asked).scalars())

    row = held_back(cast, way)
    assert (waiting(), len(made_ready())) == (2, 1)
    order_for_right(way)
    answer = decide(way, row, "reassign", from_patient_id="FIC-P1", patient_id="FIC-P2")
    assert (waiting(), len(made_ready())) == (4, 2)
    assert answer["study_instance_uid"] in made_ready()


def test_the_same_person_under_two_numbers_is_confirmed_once_for_all_that_follows(
    cast: Cast, way: Way
) -> None:
    row = held_back(cast, way)
    decide(way, row, "same_person")
    cast.run_jobs()
    assert len(instances(way, way.case_id)) == 4
    fifth = FILM | {"patient_id": "FIC-P2", "patient_name": "虚构乙"}
    assert way.send(dr_bytes(seed=5, **fifth))["objects"][0]["status"] == "new"
    assert open_corrections(way) == []


def test_what_is_left_as_it_is_stays_kept_and_unseen(cast: Cast, way: Way) -> None:
    row = held_back(cast, way)
    assert decide(way, row, "leave")["changed"] is False
    assert len(instances(way, way.case_id)) == 2
    assert open_corrections(way) == []
    (exam,) = way.program("technician").get("/api/v1/exams")["exams"]
    assert exam["conflicts"] == 2


def test_the_next_person_under_a_used_number_is_told_and_moved(cast: Cast, way: Way) -> None:
    way.arrive()
    way.send(ecg_bytes(patient_id="FIC-P1", patient_name="虚^构乙", seed="next", PatientSex="M"))
    cast.run_jobs()
    (row,) = open_corrections(way)
    assert row["code"] == "notice.patient_differs"
    detail = way.program("technician").get(f"/api/v1/corrections/{row['id']}")
    assert detail["differing"] == ["name", "sex"]
    order_for_right(way)
    answer = decide(
        way, row, "reassign", from_patient_id="FIC-P1", patient_id="FIC-P2", accession_number="FIC-0002"
    )
    assert row_of(way, answer["case_id"])["patient"]["name"] == "虚构乙"
    assert row_of(way, way.case_id)["patient"]["name"] == "测试甲"


def test_a_number_of_another_person_s_order_is_asked_about(cast: Cast, way: Way) -> None:
    order_for_right(way)
    way.send(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0002"))
    cast.run_jobs()
    (row,) = open_corrections(way)
    assert row["code"] == "notice.order_mismatch"
    detail = way.program("technician").get(f"/api/v1/corrections/{row['id']}")
    assert (detail["filed"]["patient_id"], detail["ordered"]["patient_id"]) == ("FIC-P1", "FIC-P2")
    assert (detail["filed"]["name"], detail["ordered"]["name"]) == ("测试甲", "虚构乙")


def test_without_a_number_nobody_is_guessed(cast: Cast, way: Way) -> None:
    way.send(ecg_bytes(patient_id="", patient_name="虚^构乙"))
    cast.run_jobs()
    (row,) = open_corrections(way)
    assert (row["code"], row["number_missing"]) == ("notice.patient_id_missing", True)
    order_for_right(way)
    filed = row["filed"]["patient_id"]
    answer = decide(way, row, "reassign", from_patient_id=filed, patient_id="FIC-P2")
    assert row_of(way, answer["case_id"])["patient"]["patient_id"] == "FIC-P2"


@pytest.mark.parametrize(
    ("decision", "more", "expect", "code"),
    [
        ("reassign", {}, 422, "error.field_required"),
        (
            "reassign",
            {"from_patient_id": "FIC-P7", "patient_id": "FIC-P2"},
            409,
            "error.patient_changed_since_shown",
        ),
        ("same_person", {"reason": ""}, 422, "error.comment_required"),
    ],
)
def test_a_decision_that_cannot_be_leaves_the_question_open(
    cast: Cast, way: Way, decision: str, more: dict[str, str], expect: int, code: str
) -> None:
    row = held_back(cast, way)
    order_for_right(way)
    assert decide(way, row, decision, expect, **more)["code"] == code
    assert [one["id"] for one in open_corrections(way)] == [row["id"]]


def test_a_mismatch_is_not_waved_away_as_a_notice(cast: Cast, way: Way) -> None:
    row = held_back(cast, way)
    for username in ("technician", "admin"):
        path = f"/api/v1/notices/{row['id']}/resolve"
        answer = way.program(username).post(path, expect=409)
        assert answer["code"] == "error.notice_needs_decision"


def test_the_right_person_is_found_by_number_characters_pinyin_and_initials(way: Way) -> None:
    order_for_right(way)
    way.order()
    for query in ("FIC-P2", "fic-p2", "虚构", "xugou", "xu gou", "xgy"):
        people = way.program("technician").get("/api/v1/patients", params={"q": query})["people"]
        assert [one["patient_id"] for one in people] == ["FIC-P2"], query
    (order,) = people[0]["orders"]
    assert (order["accession_number"], order["performed"]) == ("FIC-0002", False)
    assert people[0]["id_last4"] == UNCONTRACTED[-4:]
    for query in ("", "  ", "%", "_"):
        found = way.program("technician").get("/api/v1/patients", params={"q": query})["people"]
        assert found == [], query
    # Another institution's people are nobody's to find.
    assert way.program("technician-2").get("/api/v1/patients", params={"q": "FIC"})["people"] == []


def test_a_critical_value_is_said_of_the_right_person_and_taken_back_of_the_wrong_one(
    cast: Cast, way: Way
) -> None:
    way.arrive()
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(cast.world, uow, consortium_id=hospital.consortium_id, hospital_id=hospital.id)
        uow.commit()
    raised = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    checked = way.program("reviewing").post(f"/api/v1/critical/{raised['id']}/confirm")
    cast.clock.move(minutes=3)
    family = way.program("family")
    assert [one["id"] for one in family.get("/api/v1/critical")["rows"]] == [raised["id"]]
    order_for_right(way)
    answer = correct(way)
    # The wrong person's doctor: nothing to act on any more, and told so.
    assert family.get("/api/v1/critical")["rows"] == []
    assert "notice.critical_withdrawn" in told(way, "family")
    (open_,) = way.program("technician").get("/api/v1/critical")["rows"]
    assert open_["id"] != raised["id"]
    assert open_["patient"]["patient_id"] == "FIC-P2"
    assert open_["due_at"] == raised["due_at"]
    assert answer["case_id"] != way.case_id
    # The second look was when it was, and nobody looked again.
    assert (open_["checked_at"], open_["checked_by"]) == (checked["checked_at"], checked["checked_by"])
    with cast.world.unit_of_work(write=False) as uow:
        looks = [one for one in uow.events.after(0, 500) if one.kind is Kind.CRITICAL_CHECKED]
    assert len(looks) == 1
    # Of the closed case nothing more is said: it is the wrong person's.
    again = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"}, expect=409)
    assert again["code"] == "error.case_is_closed"


# --- what leaves the house ---------------------------------------------------------------------------------------


def test_dicomweb_gives_a_corrected_recording_under_the_right_person(cast: Cast, way: Way) -> None:
    _, goes = two_films(cast, way)
    technician, old = way.program("technician"), way.study_uid
    before = technician.get(f"/dicom-web/studies/{old}/metadata")
    series = next(one["0020000E"]["Value"][0] for one in before if one["00080018"]["Value"] == [goes])
    sent = technician.get(f"/dicom-web/studies/{old}/series/{series}/instances/{goes}")
    order_for_right(way)
    new = correct(way, sop_instance_uid=goes, accession_number="")["study_instance_uid"]
    (one,) = technician.get(f"/dicom-web/studies/{new}/metadata")
    assert one["00100020"]["Value"] == ["FIC-P2"]
    assert one["00100010"]["Value"][0]["Ideographic"] == "虚构乙"
    assert one["0020000D"]["Value"] == [new]
    moved = one["0020000E"]["Value"][0]
    got = technician.get(f"/dicom-web/studies/{new}/series/{moved}/instances/{goes}")
    ds = dcmread(BytesIO(got.content))
    assert (ds.PatientID, ds.StudyInstanceUID, ds.SOPInstanceUID) == ("FIC-P2", new, goes)
    assert ds.PixelData == dcmread(BytesIO(sent.content)).PixelData
    assert got.headers["etag"] != sent.headers["etag"]
    # Of the study that was, it is no part any more; the rest is as it was received.
    technician.get(f"/dicom-web/studies/{old}/series/{series}/instances/{goes}", expect=404)
    (rest,) = technician.get(f"/dicom-web/studies/{old}/metadata")
    assert rest["00100020"]["Value"] == ["FIC-P1"]
    # The stored bytes are those that came.
    digest = technician.get(f"/api/v1/studies/{new}")["digests"][0]["sha256"]
    assert hashlib.sha256(cast.world.objects.get(digest)).hexdigest() == digest
    assert dcmread(BytesIO(cast.world.objects.get(digest))).PatientID == "FIC-P1"


def test_a_worklist_line_used_for_somebody_else_is_asked_about_and_another_number_of_the_same_person_is_not(
    cast: Cast, way: Way
) -> None:
    way.order()
    with cast.world.unit_of_work(write=False) as uow:
        (device,) = uow.devices.by_ae_title("A1_ECG")
        (entry,) = uow.steps.open_for(device, StepQuery(), 10, cast.world.clock.now())
    # The machine wrote its own number beside the right UID and the right person.
    own = {"patient_name": "测试甲", "study_uid": entry.step.study_instance_uid}
    way.send(ecg_bytes(patient_id="FIC-P1", accession="000000001", **own))
    cast.run_jobs()
    assert open_corrections(way) == []
    order_for_right(way)
    with cast.world.unit_of_work(write=False) as uow:
        (entry,) = uow.steps.open_for(device, StepQuery(), 10, cast.world.clock.now())
    used = {"patient_name": "测试甲", "study_uid": entry.step.study_instance_uid}
    way.send(ecg_bytes(patient_id="FIC-P1", seed="another", **used))
    cast.run_jobs()
    (row,) = open_corrections(way)
    assert row["code"] == "notice.order_mismatch"
    detail = way.program("technician").get(f"/api/v1/corrections/{row['id']}")
    assert detail["ordered"]["patient_id"] == "FIC-P2"
