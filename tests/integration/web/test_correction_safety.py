"""What is dangerous in a recording is not lost, and not left behind, when it turns out to be another person's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from telemed.application.complete import complete_study
from telemed.application.infer import infer_case
from telemed.application.usual_critical_values import seed_critical_values
from telemed.domain.case import Case, CaseState
from telemed.domain.order import Priority
from telemed.domain.resident import Contract
from tests.cast import HOSPITAL_A, UNCONTRACTED, Cast
from tests.factories.dicom import ecg_bytes, uid
from tests.integration.web.conftest import Way
from tests.integration.web.test_backfill import approve
from tests.integration.web.test_reassign import correct, order_for_right

RECORDING = {"patient_id": "FIC-P1", "patient_name": "测试甲", "study_uid": str(uid("two recordings"))}


def send(cast: Cast, way: Way, seed: str, *, run: bool = True) -> str:
    """One more recording of the study. Returns its UID."""
    sop: str = way.send(ecg_bytes(seed=seed, **RECORDING))["objects"][0]["sop_instance_uid"]
    if run:
        cast.run_jobs()
        way.case_id = cases(cast)[-1].uid
    return sop


def cases(cast: Cast, study_id: int = 1) -> list[Case]:
    with cast.world.unit_of_work(write=False) as uow:
        return sorted(uow.cases.of_study(study_id), key=lambda case: case.id)


def raise_critical(cast: Cast, way: Way) -> None:
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(cast.world, uow, consortium_id=hospital.consortium_id, hospital_id=hospital.id)
        uow.commit()
    raised = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    way.program("reviewing").post(f"/api/v1/critical/{raised['id']}/confirm")


@pytest.mark.parametrize("follow_up", [False, True])
def test_a_critical_value_of_one_of_two_recordings_is_said_of_both_persons(
    cast: Cast, way: Way, follow_up: bool
) -> None:
    way.order()
    send(cast, way, "first")
    if follow_up:
        # Told in the case before; the one that is left is only being read.
        way.sign()
        way.approve()
        raise_critical(cast, way)
        moved = send(cast, way, "second")
    else:
        moved = send(cast, way, "second")
        raise_critical(cast, way)
    order_for_right(way)
    correct(way, sop_instance_uid=moved, accession_number="")
    found = way.program("technician").get("/api/v1/critical")["rows"]
    assert sorted(row["patient"]["patient_id"] for row in found) == ["FIC-P1", "FIC-P2"]
    told = way.program("family").get("/api/v1/critical")["rows"]
    assert [row["patient"]["patient_id"] for row in told] == ["FIC-P1"]


@pytest.mark.parametrize("signed", [False, True])
def test_a_critical_value_that_was_done_with_for_the_wrong_person_is_said_of_the_right_one(
    cast: Cast, way: Way, signed: bool
) -> None:
    way.arrive()
    raise_critical(cast, way)
    family, technician = way.program("family"), way.program("technician")
    (wrong,) = family.get("/api/v1/critical")["rows"]
    path = f"/api/v1/critical/{wrong['id']}"
    family.post(f"{path}/acknowledge", {"how": "screen", "read_back": "三度房室传导阻滞"})
    family.post(f"{path}/act", {"id": "press-once", "kind": "called_120"})
    family.post(f"{path}/close", {"note": "已送县医院"})
    if signed:
        way.sign()
        way.approve()
    order_for_right(way)
    with_family_doctor(cast, UNCONTRACTED)
    answer = correct(way)
    # Whoever looks after the right person has not been told yet, and hears of it under the clock that ran.
    for program in (family, technician):
        (right,) = program.get("/api/v1/critical")["rows"]
        assert (right["patient"]["patient_id"], right["case_id"]) == ("FIC-P2", answer["case_id"])
        assert (right["state"], right["due_at"]) == ("released", wrong["due_at"])
    # The former one keeps what was done, as withdrawn; whoever did it is told, by name and as an institution.
    former = family.get(path)
    assert (former["state"], former["patient"]["patient_id"]) == ("withdrawn", "FIC-P1")
    assert (former["closing_note"], former["closed_by"]) == ("已送县医院", "虚构家医")
    codes = [one["code"] for one in family.get("/api/v1/notices")["notices"]]
    assert codes.count("notice.critical_withdrawn") == 1
    here = [
        one["text"]
        for one in technician.get("/api/v1/notices")["notices"]
        if one["code"] == "notice.critical_withdrawn_here"
    ]
    assert len(here) == 1
    assert "FIC-0001" in here[0]


def with_family_doctor(cast: Cast, card: str) -> None:
    """A contract with the doctor everybody here has."""
    doctor, person = cast.people["family"], cast.residents[card]
    with cast.world.unit_of_work() as uow:
        uow.residents.add_contract(
            Contract(
                uid=cast.world.identifiers.uid(),
                resident_id=person.id,
                family_doctor_id=doctor.id,
                institution_id=doctor.institution_id,
                consortium_id=person.consortium_id,
                valid_from=date(2026, 1, 1),
                valid_to=None,
            )
        )
        uow.commit()


@pytest.mark.parametrize("signed", [False, True])
def test_what_the_machine_found_is_as_urgent_for_the_right_person(cast: Cast, way: Way, signed: bool) -> None:
    cast.analyser.flags = ("AFIB",)
    way.arrive(priority="stat")
    if signed:
        way.sign()
        way.approve()
    order_for_right(way)
    way.order(
        accession_number="FIC-0004",
        patient={"patient_id": "FIC-P2", "name": "虚构乙", "sex": "M", "birth_date": "1951-07-04"},
    )
    correct(way, accession_number="FIC-0004")
    case = cases(cast)[-1]
    # The urgency of the other person's order is not theirs; the finding is.
    assert (case.priority, case.effective_priority) == (Priority.ROUTINE, Priority.URGENT)
    assert case.raised_because == "AFIB"


def test_what_a_recording_raised_goes_with_it_and_does_not_stay(cast: Cast, way: Way) -> None:
    way.order()
    send(cast, way, "first")
    cast.analyser.flags = ("AFIB",)
    moved = send(cast, way, "second")
    with cast.world.unit_of_work() as uow:
        # The machine heard it in the second alone.
        first = next(row for row in uow.analyses.of_case(1) if row.sop_instance_uid != moved)
        first.answer = {**first.answer, "findings": []}
        uow.commit()
    order_for_right(way)
    correct(way, sop_instance_uid=moved, accession_number="")
    left, gone = cases(cast)[0], cases(cast, 2)[0]
    assert (left.effective_priority, left.raised_because) == (Priority.ROUTINE, "")
    assert (gone.effective_priority, gone.raised_because) == (Priority.URGENT, "AFIB")


def test_a_follow_up_says_why_it_is_urgent(cast: Cast, way: Way) -> None:
    cast.analyser.flags = ("AFIB",)
    way.order()
    send(cast, way, "first")
    way.sign()
    way.approve()
    send(cast, way, "second", run=False)
    complete_study(cast.world, study_id=1)
    follow_up = cases(cast)[-1]
    assert (follow_up.effective_priority, follow_up.raised_because) == (Priority.URGENT, "AFIB")


def test_a_corrected_study_is_in_a_list_though_its_last_case_waits_for_a_repeat(cast: Cast, way: Way) -> None:
    way.order()
    send(cast, way, "first")
    way.program("reporting").post(f"{way.path}/claim")
    way.program("reporting").post(f"{way.path}/repeat", {"reason": "导联脱落"})
    send(cast, way, "second")
    way.sign()
    way.approve()
    order_for_right(way)
    answer = correct(way)
    repeat, signed, new = cases(cast)
    assert (repeat.state, signed.state, new.state) == (
        CaseState.REPEAT_REQUESTED,
        CaseState.CLOSED,
        CaseState.WAITING,
    )
    assert answer["case_id"] == new.uid
    with cast.world.unit_of_work() as uow:
        # However it came about: the last case is a closed one.
        uow.cases.get(new.id).close()
        uow.commit()
    send(cast, way, "third")
    late = cases(cast)[-1]
    with cast.world.unit_of_work(write=False) as uow:
        assert uow.patients.get(late.patient_id).patient_id == "FIC-P2"
        assert late.procedure_id == uow.studies.get(1).procedure_id
    assert (late.state, late.follows_case_id) == (CaseState.WAITING, repeat.id)


@pytest.mark.parametrize("signed", [False, True])
def test_an_answer_about_a_recording_that_was_moved_meanwhile_is_not_filed(
    cast: Cast, way: Way, signed: bool
) -> None:
    way.order()
    first = send(cast, way, "first")
    moved = send(cast, way, "second")
    order_for_right(way)
    if signed:
        way.sign()
        way.approve()
    analyser: Any = cast.analyser
    plain = analyser.analyse
    cast.analyser.flags = ("AFIB",)

    def meanwhile(*given: Any, **named: Any) -> Any:
        analyser.analyse = plain
        correct(way, sop_instance_uid=moved, accession_number="")
        return plain(*given, **named)

    analyser.analyse = meanwhile
    before = cases(cast)[0]
    # Of the next version, whose answers are all new.
    cast.analyser.model = replace(cast.analyser.model, version="1.1", sha256="cd" * 32)
    approve(cast)
    infer_case(cast.world, case_id=before.id)
    with cast.world.unit_of_work(write=False) as uow:
        case = uow.cases.get(before.id)
        versions = {(row.sop_instance_uid, row.model_version) for row in uow.analyses.of_case(case.id)}
    if signed:
        assert case.state is CaseState.CLOSED
        assert versions == {(first, "1.0"), (moved, "1.0")}
        assert case.effective_priority is Priority.ROUTINE
    else:
        assert versions == {(first, "1.0"), (first, "1.1")}
