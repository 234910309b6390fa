"""An archive is read again: what is asked for, in which class, and what a model that is out does to a case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from telemed.application import infer
from telemed.application.backfill import Standing, ask_again, standing
from telemed.application.document import report_document
from telemed.application.infer import give_up_inference, give_up_rereading, infer_case
from telemed.application.jobs import LAST_ATTEMPT, RANK, JobKind
from telemed.domain.analysis import Analysis
from telemed.domain.case import AiState, Case
from telemed.domain.errors import InvalidInput, Unavailable
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
    with pytest.raises(InvalidInput) as refused:
        ask_again(cast.world, modality="XX")
    assert refused.value.code == "error.no_model_reads" and refused.value.params == {"modality": "XX"}
    assert ask_again(cast.world, modality=" ecg") == 1
    assert ask_again(cast.world, modality="ECG") == 0  # asked twice is asked once
    assert standing(cast.world, modality="ECG") == Standing(open=1, failed=0, out=0)
    assert standing(cast.world, modality="DX") == Standing(open=0, failed=0, out=0)
    with cast.world.unit_of_work(write=False) as uow:
        (asked,) = [event for event in uow.events.after(0, 500) if event.kind is Kind.REREADING_ASKED]
    assert asked.actor_user_id is None and asked.consortium_id == cast.sites[TOWNSHIP_A1].consortium_id
    assert asked.facts == {"modality": "ECG", "models": ["cd" * 32], "cases": 1}
    cast.analyser.asked.clear()
    cast.run_jobs()
    assert [(version, urgency) for _, version, urgency in cast.analyser.asked] == [("2.0", Urgency.BACKFILL)]
    assert standing(cast.world, modality="ECG").open == 0
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
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    approve(cast)
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


def test_a_model_that_is_gone_gives_up_the_reading_and_leaves_the_case_its_state(
    cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case(cast, way)
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    approve(cast)
    assert ask_again(cast.world, modality="ECG") == 1
    # The model goes between the asking and the reading: no attempt more, and nothing is taken from the case.
    monkeypatch.setattr(cast.analyser, "models_for", lambda _modality: [])
    cast.run_jobs()
    assert standing(cast.world, modality="ECG") == Standing(open=0, failed=1, out=0)
    assert the_case(cast).ai_state is AiState.DONE
    with cast.world.unit_of_work() as uow:
        kept = uow.cases.get(case.id)
        kept.ai_state = AiState.PENDING
        uow.commit()
    give_up_rereading(cast.world, case_id=case.id, error="inference.unreachable")
    assert the_case(cast).ai_state is AiState.DONE  # every object that is shown has its answer
    with cast.world.unit_of_work() as uow:
        uow.cases.get(case.id).ai_state = AiState.OFF
        uow.commit()
    give_up_rereading(cast.world, case_id=case.id, error="inference.unreachable")
    assert the_case(cast).ai_state is AiState.OFF


def test_the_same_job_on_another_rung_doubles_nothing(
    cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timing at the start chooses the rung: after a kill the job may run again on another file."""
    case = read_case(cast, way)
    real = cast.analyser.analyse

    def on_another_rung(*given: Any, **said: Any) -> Analysis:
        answer = real(*given, **said)
        assert answer.model is not None
        return replace(answer, model=replace(answer.model, precision="int8", sha256="ee" * 32))

    monkeypatch.setattr(cast.analyser, "analyse", on_another_rung)
    cast.analyser.asked.clear()
    infer_case(cast.world, case_id=case.id)
    assert cast.analyser.asked == []

    # Two at once: the other one has answered between this one's look and its lock.
    monkeypatch.setattr(infer, "_ask", with_nothing_known(infer._ask))
    infer_case(cast.world, case_id=case.id)
    assert len(cast.analyser.asked) == 1
    assert rungs(cast, case) == ["fp32"]

    # A new version is another speaker, whichever file it runs on; the record says which.
    cast.analyser.model = replace(cast.analyser.model, version="2.0", sha256="cd" * 32)
    approve(cast)
    assert ask_again(cast.world, modality="ECG") == 1
    cast.run_jobs()
    assert rungs(cast, case) == ["fp32", "int8"]


def with_nothing_known(ask: Any) -> Any:
    return lambda world, stored, models, urgency, known: ask(world, stored, models, urgency, set())


def rungs(cast: Cast, case: Case) -> list[str]:
    with cast.world.unit_of_work(write=False) as uow:
        return [row.answer["model"]["precision"] for row in uow.analyses.of_case(case.id)]


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
        for _ in range(LAST_ATTEMPT):
            cast.run_jobs()
            cast.clock.move(hours=1)
        out = fault.code == TAKEN_OUT
        assert standing(cast.world, modality="ECG") == Standing(open=0, failed=int(not out), out=int(out))
        assert the_case(cast).ai_state is AiState.DONE
    with cast.world.unit_of_work(write=False) as uow:
        (failed,) = uow.jobs.failed()
        told = [event.facts["code"] for event in uow.events.after(0, 500) if event.kind is Kind.NOTICE_RAISED]
        assert [row.model_version for row in uow.analyses.of_case(1)] == ["1.0"]
    assert (failed.kind, failed.last_error) == (JobKind.REINFER_CASE, "inference.unreachable")
    assert [code for code in told if code.startswith(("notice.model", "notice.job"))] == [
        "notice.model_taken_out",
        "notice.job_failed",
    ]
    with cast.world.unit_of_work() as uow:
        case = uow.cases.get(1)
        (report,) = uow.reports.of_case(1)
        # Whatever became of the machine since: what is printed says who took part.
        case.ai_state = AiState.FAILED
        document = report_document(cast.world, uow, case, report, language="zh-CN")
    assert "fictional-ecg 1.0" in document.ai_note
