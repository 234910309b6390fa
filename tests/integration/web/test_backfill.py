"""An archive is read again: what is asked for, in which class, and what a model that is out does to a case."""

from __future__ import annotations

from dataclasses import replace

from fastapi import FastAPI
from fastapi.testclient import TestClient

from telemed.application.backfill import ask_again, still_to_do
from telemed.application.document import report_document
from telemed.application.infer import give_up_inference, infer_case
from telemed.application.jobs import RANK, JobKind
from telemed.domain.case import AiState, Case
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from telemed.domain.inference import TAKEN_OUT, ModelApproval, Urgency
from telemed.domain.order import Priority
from tests.cast import TOWNSHIP_A1, Cast
from tests.integration.web.conftest import Way


def the_case(cast: Cast) -> Case:
    with cast.world.unit_of_work(write=False) as uow:
        return uow.cases.get(1)


def read_case(cast: Cast, way: Way) -> Case:
    way.order()
    way.send()
    cast.run_jobs()
    return the_case(cast)


def approve(cast: Cast) -> None:
    model, site = cast.analyser.model, cast.sites[TOWNSHIP_A1]
    with cast.world.unit_of_work() as uow:
        uow.analyses.add_approval(
            ModelApproval(
                uid=cast.world.identifiers.uid(),
                institution_id=site.id,
                consortium_id=site.consortium_id or 0,
                model_name=model.name,
                model_version=model.version,
                model_sha256=model.sha256,
                approved_by=cast.people["admin"].id,
                approved_at=cast.world.clock.now(),
            )
        )
        uow.commit()


def test_what_the_model_in_service_has_answered_is_not_asked_again(cast: Cast, way: Way) -> None:
    assert read_case(cast, way).ai_state is AiState.DONE
    assert ask_again(cast.world, modality="ECG") == 0


def test_a_new_model_reads_the_archive_once_it_is_approved_and_after_all_else(cast: Cast, way: Way) -> None:
    read_case(cast, way)
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    assert ask_again(cast.world, modality="ECG") == 0  # nobody has read its card
    approve(cast)
    assert ask_again(cast.world, modality="DX") == 0
    assert ask_again(cast.world, modality="ECG") == 1
    assert ask_again(cast.world, modality="ECG") == 0  # asked twice is asked once
    assert still_to_do(cast.world) == 1
    cast.analyser.asked.clear()
    cast.run_jobs()
    assert [(version, urgency) for _, version, urgency in cast.analyser.asked] == [("2.0", Urgency.BACKFILL)]
    assert still_to_do(cast.world) == 0
    with cast.world.unit_of_work(write=False) as uow:
        found = {record.model_sha256 for record in uow.analyses.of_case(the_case(cast).id)}
    assert found == {"ab" * 32, "cd" * 32}
    assert ask_again(cast.world, modality="ECG") == 0
    assert RANK[JobKind.REINFER_CASE] == max(RANK.values())


def test_a_case_is_routine_and_an_emergency_is_urgent(cast: Cast, way: Way) -> None:
    read_case(cast, way)
    assert {urgency for *_, urgency in cast.analyser.asked} == {Urgency.ROUTINE}
    with cast.world.unit_of_work() as uow:
        assert uow.cases.get(1).raise_to(Priority.STAT, "test")
        uow.commit()
    cast.analyser.asked.clear()
    infer_case(cast.world, case_id=1)
    assert {urgency for *_, urgency in cast.analyser.asked} == {Urgency.STAT}


def test_a_model_that_was_taken_out_leaves_the_case_readable_and_tells_a_person_once(
    cast: Cast, way: Way, app: FastAPI
) -> None:
    cast.analyser.fault = Unavailable(TAKEN_OUT, name="fictional-ecg", reason="no memory for this node")
    case = read_case(cast, way)
    assert case.ai_state is AiState.FAILED
    assert case.state.value == "waiting"
    with cast.world.unit_of_work(write=False) as uow:
        codes = [event.facts.get("reason") for event in uow.events.after(0, 500) if event.facts.get("reason")]
        raised = [
            event for event in uow.events.after(0, 500) if event.facts.get("code") == "notice.model_taken_out"
        ]
    assert TAKEN_OUT in codes
    assert len(raised) == 1
    way.case_id = case.uid
    told = way.program("reporting").get(way.path)["ai_reason"]
    assert "fictional-ecg" in told and "no memory for this node" in told
    cast.analyser.fault = None
    assert ask_again(cast.world, modality="ECG") == 1
    cast.run_jobs()
    assert the_case(cast).ai_state is AiState.DONE
    assert way.program("reporting").get(way.path)["ai_reason"] == ""
    assert TestClient(app).get("/metrics").status_code == 200


def test_a_case_that_no_attempt_could_read_says_so_with_the_last_attempts_code(cast: Cast, way: Way) -> None:
    cast.analyser.fault = Unavailable("inference.unreachable", url="-", detail="-")
    case = read_case(cast, way)
    way.case_id = case.uid
    give_up_inference(cast.world, case_id=case.id, error="inference.unreachable")
    assert the_case(cast).ai_state is AiState.FAILED
    assert "推理服务器" in way.program("reporting").get(way.path)["ai_reason"]


def test_a_service_that_dies_in_between_leaves_no_finding_doubled_and_none_missing(
    cast: Cast, way: Way
) -> None:
    cast.analyser.fault = Unavailable("inference.unreachable", url="-", detail="-")
    case = read_case(cast, way)
    with cast.world.unit_of_work(write=False) as uow:
        assert not uow.analyses.of_case(case.id)
    assert case.ai_state is AiState.PENDING
    cast.analyser.fault = None
    # The second time as after a worker that was killed behind its commit, before the job's end.
    for _ in range(2):
        infer_case(cast.world, case_id=case.id)
    with cast.world.unit_of_work(write=False) as uow:
        assert len(uow.analyses.of_case(case.id)) == 1
        told = [event for event in uow.events.of_study(case.study_id) if event.kind is Kind.CASE_INFERRED]
    assert len(told) == 1
    assert the_case(cast).ai_state is AiState.DONE


def test_a_broken_model_takes_nothing_from_a_case_that_has_its_answers(cast: Cast, way: Way) -> None:
    way.release()
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    approve(cast)
    for fault in (
        Unavailable(TAKEN_OUT, name="fictional-ecg", reason="no memory for this node"),
        Unavailable("inference.unreachable", url="-", detail="-"),
    ):
        cast.analyser.fault = fault
        assert ask_again(cast.world, modality="ECG") == 1
        cast.run_jobs()
        give_up_inference(cast.world, case_id=1, error="inference.unreachable")
        assert the_case(cast).ai_state is AiState.DONE
    with cast.world.unit_of_work() as uow:
        case = uow.cases.get(1)
        (report,) = uow.reports.of_case(1)
        # Whatever became of the machine since: what is printed says who took part.
        case.ai_state = AiState.FAILED
        document = report_document(cast.world, uow, case, report, language="zh-CN")
    assert "fictional-ecg 1.0" in document.ai_note
