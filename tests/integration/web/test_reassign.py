"""An ECG under the previous patient's name, before and after the signature; both persons are right afterwards."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.cast import FORMER, UNCONTRACTED, Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import ORDER, Way

RIGHT = {
    "accession_number": "FIC-0002",
    "patient": {
        "patient_id": "FIC-P2",
        "name": "虚构乙",
        "sex": "M",
        "birth_date": "1951-07-04",
        "id_card_number": UNCONTRACTED,
    },
    "priority": "urgent",
    "clinical_history": "心悸",
}
WHY = "技师选错了工作列表项"
BODY = {"from_patient_id": "FIC-P1", "patient_id": "FIC-P2", "accession_number": "FIC-0002", "reason": WHY}


def order_for_right(way: Way) -> None:
    way.order(**RIGHT)


def correct(way: Way, expect: int = 200, **changes: Any) -> Any:
    path = f"/api/v1/studies/{way.study_uid}/reassign"
    return way.program("technician").post(path, BODY | changes, expect=expect)


def row_of(way: Way, case_id: str) -> Any:
    rows = way.program("reporting").get("/api/v1/worklist?view=all")["rows"]
    return next(row for row in rows if row["id"] == case_id)


def digests(way: Way) -> Any:
    return way.program("technician").get(f"/api/v1/studies/{way.study_uid}")["digests"]


def told(way: Way, username: str) -> list[str]:
    return [one["code"] for one in way.program(username).get("/api/v1/notices")["notices"]]


def test_before_a_signature_the_same_case_is_read_again_for_the_right_person(way: Way) -> None:
    way.arrive()
    order_for_right(way)
    draft = way.write()
    before = digests(way)
    answer = correct(way)
    assert (answer["changed"], answer["withdrawn"], answer["case_id"]) == (True, 0, way.case_id)
    row = row_of(way, way.case_id)
    assert (row["patient"]["patient_id"], row["patient"]["name"]) == ("FIC-P2", "虚构乙")
    assert (row["accession_number"], row["history"], row["order_source"]) == ("FIC-0002", "心悸", "api")
    assert (row["priority"], row["effective_priority"]) == ("urgent", "urgent")
    assert (row["state"], row["holder"]) == ("waiting", None)
    assert digests(way) == before
    # The reader had it open: told, and the revision they saw cannot be signed.
    assert told(way, "reporting") == ["notice.patient_corrected"]
    way.program("reporting").post(f"{way.path}/claim")
    refused = way.program("reporting").post(f"{way.path}/sign", {"revision": draft["revision"]}, expect=409)
    assert refused["code"] == "error.report_changed_since_shown"


def test_the_machine_s_answer_stays_with_the_recording(cast: Cast, way: Way) -> None:
    cast.analyser.flags = ("AFIB",)
    way.arrive()
    asked = len(cast.analyser.asked)
    order_for_right(way)
    correct(way, accession_number="")
    row = row_of(way, way.case_id)
    # Raised by the machine, not by an order: it stays.
    assert (row["ai"]["flags"], row["effective_priority"], row["priority"]) == (["AFIB"], "urgent", "routine")
    cast.run_jobs()
    assert len(cast.analyser.asked) == asked


def test_after_the_signature_the_report_is_withdrawn_and_everyone_who_met_it_is_told(
    cast: Cast, way: Way
) -> None:
    report = way.release()
    order_for_right(way)
    for username in ("family", "technician"):
        delivery = way.program(username).get("/api/v1/inbox")["rows"][0]
        way.program(username).post(f"/api/v1/inbox/{delivery['id']}/acknowledge")
    # Somebody who only looked.
    way.program("colleague").get(way.path)
    # Somebody whose page fetched it ahead, and who saw nothing of it.
    way.program("trainee").get(way.path, params={"ahead": 1})
    before, old_case = digests(way), way.case_id
    answer = correct(way)
    assert answer["withdrawn"] == 1
    assert answer["case_id"] != old_case

    for username in ("reporting", "reviewing", "colleague", "family"):
        assert told(way, username) == ["notice.report_withdrawn"], username
        (notice,) = way.program(username).get("/api/v1/notices")["notices"]
        assert report["verification_code"] in notice["text"]
        assert notice["about"] == {"name": "测试甲", "patient_id": "FIC-P1"}
    # The requesting institution as such; whoever corrected it need not be told by name.
    assert told(way, "technician") == ["notice.report_withdrawn"]
    assert told(way, "technician-2") == told(way, "trainee") == []

    closed = way.program("reporting").get(f"/api/v1/cases/{old_case}")
    assert (closed["state"], closed["patient"]["patient_id"]) == ("closed", "FIC-P1")
    assert closed["series"] == []
    assert (closed["report"]["state"], closed["report"]["withdrawal_reason"]) == ("withdrawn", WHY)
    assert not any(closed["can"].values())
    # Nothing of the right person's recording is left on the wrong person's case, and nothing said twice.
    assert (closed["analyses"], closed["notices"]) == ([], [])
    way.program("reporting").post(f"/api/v1/cases/{old_case}/claim", expect=409)

    row = row_of(way, answer["case_id"])
    assert (row["patient"]["patient_id"], row["accession_number"]) == ("FIC-P2", "FIC-0002")
    assert (row["state"], row["priority"]) == ("waiting", "urgent")
    opened = way.program("reporting").get(f"/api/v1/cases/{answer['case_id']}")
    assert (opened["read_again"], opened["notices"], opened["report"]) == (True, [], None)
    assert len(opened["analyses"]) == 1
    assert digests(way) == before


def test_the_withdrawn_report_says_so_wherever_it_is_looked_at(cast: Cast, way: Way) -> None:
    report = way.release()
    order_for_right(way)
    url, code = report["pdf_url"], report["verification_code"]
    original = way.program("family").get(url)
    correct(way)
    page = way.program("reporting").http.get(f"/verify/{code}?language=en")
    assert "was withdrawn on" in page.text
    assert "This report is valid" not in page.text
    # The name on the paper, not the one whose exam it was.
    assert "测**" in page.text
    for username in ("family", "technician", "reporting"):
        answer = way.program(username).get(url)
        assert answer.headers["etag"] != original.headers["etag"]
        assert answer.content != original.content
        assert "本报告已撤回" in pdf_text(answer.content)
    # What was signed is kept as it was signed.
    with cast.world.unit_of_work(write=False) as uow:
        found = uow.reports.by_verification_code(code)
        assert found is not None
        assert found.digest() == found.content_sha256
        assert cast.world.objects.get(found.pdf_sha256) == original.content


def pdf_text(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


def test_both_timelines_are_right_afterwards(cast: Cast, way: Way) -> None:
    way.release()
    order_for_right(way)
    answer = correct(way)
    family, technician = way.program("family"), way.program("technician")
    # The wrong person's doctor has nothing of the right person's exam any more.
    assert family.get("/api/v1/inbox")["rows"] == []
    family.get(f"/api/v1/cases/{answer['case_id']}", expect=404)
    family.get(f"/dicom-web/studies/{way.study_uid}/metadata", expect=404)
    family.get(f"/api/v1/objects/{way.sop_uid}/waveform", expect=404)
    assert technician.get("/api/v1/inbox")["rows"] == []
    (exam,) = technician.get("/api/v1/exams")["exams"]
    assert (exam["patient"]["patient_id"], exam["state"], exam["report"]) == ("FIC-P2", "waiting", None)
    (study,) = technician.get("/dicom-web/studies?PatientID=FIC-P2&includefield=all")
    assert study["0020000D"]["Value"] == [way.study_uid]
    assert study["00080050"]["Value"] == ["FIC-0002"]
    assert technician.http.get("/dicom-web/studies?PatientID=FIC-P1").status_code == 204

    way.case_id = answer["case_id"]
    way.sign()
    way.approve()
    cast.run_jobs()
    (row,) = technician.get("/api/v1/inbox")["rows"]
    assert (row["patient"]["patient_id"], row["report"]["state"]) == ("FIC-P2", "final")
    # The right person has no contract: nobody else gets it, and the wrong one's doctor least of all.
    assert family.get("/api/v1/inbox")["rows"] == []
    (exam,) = technician.get("/api/v1/exams")["exams"]
    assert (exam["state"], exam["report"]["id"]) == ("reported", row["report"]["id"])


def test_the_same_wish_again_changes_nothing_and_a_stale_one_is_refused(cast: Cast, way: Way) -> None:
    way.release()
    order_for_right(way)
    way.order(
        accession_number="FIC-0003",
        patient={**ORDER["patient"], "patient_id": "FIC-P3", "name": "测试丙", "id_card_number": FORMER},
    )
    first = correct(way)
    with cast.world.unit_of_work(write=False) as uow:
        last = uow.events.last_id()
    again = correct(way)
    assert (again["changed"], again["case_id"], again["withdrawn"]) == (False, first["case_id"], 0)
    with cast.world.unit_of_work(write=False) as uow:
        assert uow.events.last_id() == last
    # Somebody else's page still showed the first person.
    stale = correct(way, 409, patient_id="FIC-P3", accession_number="")
    assert stale["code"] == "error.patient_changed_since_shown"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "  "}, "error.comment_required"),
        ({"patient_id": "FIC-P1"}, "error.reassign_same_person"),
        ({"patient_id": "FIC-NOBODY"}, "error.patient_unknown"),
        ({"accession_number": "FIC-9999"}, "error.order_unknown"),
        ({"accession_number": "FIC-0001"}, "error.order_of_other_patient"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_moves(way: Way, changes: dict[str, str], code: str) -> None:
    way.arrive()
    order_for_right(way)
    assert correct(way, 422, **changes)["code"] == code
    assert row_of(way, way.case_id)["patient"]["patient_id"] == "FIC-P1"
    assert told(way, "reporting") == []


def test_the_event_says_who_and_why(cast: Cast, way: Way) -> None:
    way.release()
    order_for_right(way)
    correct(way)
    with cast.world.unit_of_work(write=False) as uow:
        study = uow.studies.by_instance_uid(cast.people["technician"].institution_id, way.study_uid)
        assert study is not None
        events = {event.kind.value: event for event in uow.events.of_study(study.id)}
        people = [uow.patients.by_local_id(study.institution_id, number) for number in ("FIC-P1", "FIC-P2")]
    moved = events["study.reassigned"]
    assert moved.actor_user_id == cast.people["technician"].id
    assert moved.facts["reason"] == WHY
    assert [moved.facts["from_patient"], moved.facts["to_patient"]] == [p.uid for p in people if p]
    assert events["report.withdrawn"].actor_user_id == cast.people["technician"].id


def test_later_objects_under_the_old_number_join_the_study_of_the_right_person(cast: Cast, way: Way) -> None:
    way.study_uid = str(uid("late study"))
    film = {"study_uid": way.study_uid, "patient_id": "FIC-P1", "patient_name": "测试甲"}
    way.order(modality="DX")
    way.send(dr_bytes(seed=1, **film))
    cast.clock.move(minutes=2)
    cast.run_jobs()
    order_for_right(way)
    correct(way, accession_number="")
    answer = way.send(dr_bytes(seed=2, **film))
    assert answer["objects"][0]["status"] == "new"
    cast.clock.move(minutes=2)
    cast.run_jobs()
    study = way.program("technician").get(f"/api/v1/studies/{way.study_uid}")
    assert (study["arrived"], study["conflicts"]) == (2, 0)
    assert study["patient"]["patient_id"] == "FIC-P2"
    # Of a third person it is still not anybody's to decide but a person's.
    third = dr_bytes(seed=3, **film | {"patient_id": "FIC-P9"})
    assert way.send(third)["objects"][0]["status"] == "conflict"


def test_the_order_whose_line_was_taken_is_open_on_the_worklist_again(cast: Cast, way: Way) -> None:
    way.order()
    order_for_right(way)
    device = next(d for d in devices(cast) if d.ae_title == "A1_ECG")
    first, second = open_steps(cast, device)
    way.send(
        ecg_bytes(
            patient_id="FIC-P1",
            patient_name="测试甲",
            accession="FIC-0001",
            study_uid=first.study_instance_uid,
        )
    )
    cast.run_jobs()
    assert [step.id for step in open_steps(cast, device)] == [second.id]
    correct(way)
    (left,) = open_steps(cast, device)
    assert left.id == first.id
    assert left.study_instance_uid != way.study_uid


def devices(cast: Cast) -> Any:
    with cast.world.unit_of_work(write=False) as uow:
        return uow.devices.by_ae_title("A1_ECG")


def open_steps(cast: Cast, device: Any) -> Any:
    from telemed.application.ports.dicom import StepQuery

    with cast.world.unit_of_work(write=False) as uow:
        return [entry.step for entry in uow.steps.open_for(device, StepQuery(), 10, cast.world.clock.now())]


def sought(way: Way, text: str) -> list[tuple[str, str]]:
    rows = way.program("reporting").post("/api/v1/worklist/search", {"text": text})["rows"]
    return [(row["id"], row["state"]) for row in rows]


def test_the_search_finds_it_under_the_right_name_alone(cast: Cast, way: Way) -> None:
    way.arrive()
    order_for_right(way)
    correct(way)
    assert sought(way, "测试甲") == []
    for text in ("虚构乙", "FIC-P2", "FIC-0002", "xgy"):
        assert sought(way, text) == [(way.case_id, "waiting")], text


def test_priors_are_those_of_the_right_person(cast: Cast, way: Way) -> None:
    way.release()
    signed = way.case_id
    order_for_right(way)
    moved = correct(way)["case_id"]
    assert sought(way, "测试甲") == [(signed, "closed")]
    assert sought(way, "虚构乙") == [(moved, "waiting")]
    cast.clock.move(minutes=40)
    way.send(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", seed="the wrong person's next"))
    way.send(ecg_bytes(patient_id="FIC-P2", patient_name="虚构乙", seed="the right person's next"))
    cast.run_jobs()
    rows = way.program("reporting").get("/api/v1/worklist")["rows"]
    next_ones = {row["patient"]["patient_id"]: row for row in rows if row["id"] != moved}
    assert next_ones["FIC-P1"]["priors"]["count"] == 0
    assert next_ones["FIC-P2"]["priors"]["count"] == 1
    path = "/api/v1/cases/{}/priors"
    reader = way.program("reporting")
    assert reader.get(path.format(next_ones["FIC-P1"]["id"]))["rows"] == []
    (prior,) = reader.get(path.format(next_ones["FIC-P2"]["id"]))["rows"]
    assert prior["id"] == moved


def test_two_signed_cases_of_one_study_are_both_withdrawn_and_read_again_as_one(cast: Cast, way: Way) -> None:
    recording = {"patient_id": "FIC-P1", "patient_name": "测试甲", "study_uid": str(uid("two readings"))}
    way.order()
    way.send(ecg_bytes(seed="first", **recording))
    for _ in range(2):
        cast.run_jobs()
        rows = way.program("reporting").get("/api/v1/worklist")["rows"]
        way.case_id = next(row["id"] for row in rows if row["study_instance_uid"] == way.study_uid)
        way.sign()
        way.approve()
        way.send(ecg_bytes(seed="second", **recording))
    cast.run_jobs()
    order_for_right(way)
    answer = correct(way)
    assert answer["withdrawn"] == 2
    opened = way.program("reporting").get(f"/api/v1/cases/{answer['case_id']}")
    assert opened["patient"]["patient_id"] == "FIC-P2"
    assert sum(len(series["instances"]) for series in opened["series"]) == 2
    answered = [one["sop_instance_uid"] for one in opened["analyses"]]
    assert sorted(answered) == sorted(set(answered))
    assert len(answered) == 2
    assert {state for _, state in sought(way, "测试甲")} == {"closed"}


def test_whoever_looked_with_a_viewer_alone_is_told_too(way: Way) -> None:
    way.arrive()
    order_for_right(way)
    # A viewer asks by the study's UID and knows of no case.
    way.program("colleague").get(f"/dicom-web/studies/{way.study_uid}/metadata")
    correct(way)
    assert told(way, "colleague") == ["notice.patient_corrected"]
    assert told(way, "reviewing") == []
