"""Whose recording it is: what may be decided, what is remembered, what becomes of case and report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telemed.domain.case import CRITICAL, CaseState
from telemed.domain.correction import (
    DECISIONS,
    Decision,
    Reassignment,
    accepted_numbers,
    checked_reason,
    demand_as_shown,
    demand_possible,
    written_number,
)
from telemed.domain.errors import Conflict, InvalidInput
from telemed.domain.order import Priority
from telemed.domain.report import ReportState
from telemed.domain.scheduling import ScheduledStep, StepState
from telemed.i18n import catalogue, languages
from tests.unit.domain.builders import case, report, study

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
STUDY, OTHER = 1, 2


def made(received_as: str, *, to: int = STUDY, object_id: int | None = None) -> Reassignment:
    return Reassignment(
        uid="r",
        institution_id=1,
        consortium_id=1,
        from_study_id=STUDY,
        study_id=to,
        object_id=object_id,
        from_patient_id=1,
        to_patient_id=2,
        received_as=received_as,
        reason="虚构",
        made_by=1,
        made_at=NOW,
    )


def test_the_number_a_study_came_under_is_expected_in_it_for_ever() -> None:
    assert accepted_numbers(STUDY, "P2", [made("P1")]) == {"P2", "P1"}
    # There and back again: what machines write is still the first one.
    assert written_number(STUDY, "P2", [made("P1")]) == "P1"
    assert accepted_numbers(STUDY, "P1", [made("P1"), made("P1")]) == {"P1"}


def test_a_single_recording_that_left_says_nothing_of_the_rest() -> None:
    gone = [made("", to=OTHER, object_id=7)]
    assert accepted_numbers(STUDY, "P1", gone) == {"P1"}
    assert written_number(STUDY, "P1", gone) == "P1"


def test_a_confirmed_number_is_expected_and_is_not_what_the_study_came_under() -> None:
    confirmed = [made("P3", object_id=7)]
    assert accepted_numbers(STUDY, "P1", confirmed) == {"P1", "P3"}
    assert written_number(STUDY, "P1", confirmed) == "P1"


def test_only_what_the_page_offers_can_be_decided() -> None:
    for code, offered in DECISIONS.items():
        for decision in Decision:
            if decision in offered:
                demand_possible(code, decision)
            else:
                with pytest.raises(InvalidInput, match=r"error\.decision_impossible"):
                    demand_possible(code, decision)
    with pytest.raises(InvalidInput):
        demand_possible("notice.late_objects", Decision.LEAVE)


@pytest.mark.parametrize("language", languages)
def test_every_doubt_and_every_decision_has_its_words(language: str) -> None:
    texts = catalogue(language)
    assert set(DECISIONS) <= set(texts)
    assert {f"ui.correction.decision.{decision.value}" for decision in Decision} <= set(texts)


@pytest.mark.parametrize("reason", ["", "  ", "长" * 401])
def test_a_correction_needs_its_reason(reason: str) -> None:
    with pytest.raises(InvalidInput):
        checked_reason(reason)
    assert checked_reason(" 选错了人 ") == "选错了人"


def test_what_changed_since_it_was_shown_is_not_corrected_unseen() -> None:
    demand_as_shown("P1", "P1")
    with pytest.raises(Conflict, match="patient_changed_since_shown"):
        demand_as_shown("P2", "P1")


def test_a_corrected_case_takes_the_right_order_s_urgency_and_keeps_a_doctor_s() -> None:
    urgent = case(
        priority=Priority.STAT, effective_priority=Priority.STAT, state=CaseState.READING, claimed_by=5
    )
    later = urgent.deadline + timedelta(hours=1)
    urgent.correct(patient_id=9, procedure_id=8, priority=Priority.ROUTINE, deadline=later)
    assert (urgent.patient_id, urgent.procedure_id) == (9, 8)
    assert urgent.effective_priority is Priority.ROUTINE
    assert urgent.deadline < later
    assert (urgent.state, urgent.claimed_by) == (CaseState.WAITING, None)
    # What a machine found is found again by whoever corrects; what a doctor said stands.
    raised = case(priority=Priority.ROUTINE, effective_priority=Priority.URGENT, raised_because=CRITICAL)
    raised.correct(patient_id=9, procedure_id=8, priority=Priority.ROUTINE, deadline=raised.deadline)
    assert raised.effective_priority is Priority.URGENT
    raised.correct(patient_id=9, procedure_id=8, priority=Priority.STAT, deadline=raised.deadline)
    assert raised.effective_priority is Priority.STAT


def test_a_requested_repeat_stays_requested_of_the_right_person() -> None:
    repeat = case(state=CaseState.REPEAT_REQUESTED)
    repeat.correct(patient_id=9, procedure_id=8, priority=Priority.ROUTINE, deadline=repeat.deadline)
    assert repeat.state is CaseState.REPEAT_REQUESTED


def test_a_closed_case_is_nobody_s_to_claim() -> None:
    closed = case()
    closed.close()
    with pytest.raises(Conflict, match="case_is_closed"):
        closed.claim(1, NOW)


def test_a_withdrawn_report_keeps_its_seal_and_takes_no_further_word() -> None:
    signed = report(findings="所见", impression="印象")
    signed.sign(1, signed.revision, NOW, needs_review=False)
    seal = signed.content_sha256
    assert signed.withdraw(7, "他人的检查", NOW)
    assert not signed.withdraw(8, "again", NOW + timedelta(hours=1))
    assert (signed.state, signed.withdrawn_by, signed.withdrawn_at) == (ReportState.WITHDRAWN, 7, NOW)
    assert signed.digest() == seal
    for act in (
        lambda: signed.sign(1, signed.revision, NOW, needs_review=False),
        lambda: signed.review(2, signed.revision, NOW),
        lambda: signed.send_back(2, "comment", NOW),
    ):
        with pytest.raises(Conflict):
            act()


def test_a_draft_about_something_else_is_not_signed_as_it_was_seen() -> None:
    draft = report(findings="所见", impression="印象")
    seen = draft.revision
    draft.outdate(NOW)
    with pytest.raises(Conflict, match="report_changed_since_shown"):
        draft.sign(1, seen, NOW, needs_review=False)


def test_a_study_that_sheds_objects_is_another_generation() -> None:
    whole = study(object_count=3, generation=2)
    whole.shed(1)
    assert (whole.object_count, whole.generation) == (2, 3)


def test_a_line_of_the_worklist_that_was_used_for_somebody_else_is_open_again() -> None:
    step = ScheduledStep(
        uid="s",
        procedure_id=1,
        institution_id=1,
        consortium_id=1,
        study_instance_uid="2.25.1",
        step_id="S1",
        modality="ECG",
        scheduled_at=NOW,
        state=StepState.COMPLETED,
    )
    step.reopen("2.25.2")
    assert (step.state, step.study_instance_uid) == (StepState.SCHEDULED, "2.25.2")
