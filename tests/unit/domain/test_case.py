"""The reading task: its claim, its urgency, its deadline."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.case import CLAIM_LEASE, CaseState
from telemed.domain.critical import Tier
from telemed.domain.errors import Conflict
from telemed.domain.order import Priority
from tests.unit.domain.builders import DR_REPORTING, DR_REVIEWING, MINUTE, NOON, case

LEASE_ENDS = NOON + CLAIM_LEASE


def test_a_claim_takes_the_case_for_the_length_of_the_lease() -> None:
    found = case()
    found.claim(DR_REPORTING, NOON)
    assert (found.state, found.claimed_by, found.lease_until) == (
        CaseState.READING,
        DR_REPORTING,
        LEASE_ENDS,
    )
    found.demand_held_by(DR_REPORTING, LEASE_ENDS - MINUTE)


def test_a_case_in_anothers_hands_cannot_be_claimed() -> None:
    found = case()
    found.claim(DR_REPORTING, NOON)
    with pytest.raises(Conflict, match=r"^error.case_is_claimed$"):
        found.claim(DR_REVIEWING, LEASE_ENDS - MINUTE)
    assert (found.claimed_by, found.lease_until) == (DR_REPORTING, LEASE_ENDS)


def test_claiming_the_own_case_again_renews_the_lease() -> None:
    found = case()
    found.claim(DR_REPORTING, NOON)
    found.claim(DR_REPORTING, NOON + MINUTE)
    assert found.lease_until == LEASE_ENDS + MINUTE


def test_a_lease_is_over_at_its_last_instant_and_another_may_take_the_case() -> None:
    found = case()
    found.claim(DR_REPORTING, NOON)
    assert not found.held_by_other(DR_REVIEWING, LEASE_ENDS)
    with pytest.raises(Conflict, match=r"^error.case_not_claimed_by_you$"):
        found.demand_held_by(DR_REPORTING, LEASE_ENDS)
    found.claim(DR_REVIEWING, LEASE_ENDS)
    assert found.claimed_by == DR_REVIEWING


def test_nobody_holds_a_case_against_oneself() -> None:
    found = case()
    found.claim(DR_REPORTING, NOON)
    assert not found.held_by_other(DR_REPORTING, NOON)
    assert found.held_by_other(DR_REVIEWING, NOON)


def test_writing_needs_the_own_claim() -> None:
    found = case()
    with pytest.raises(Conflict, match=r"^error.case_not_claimed_by_you$"):
        found.demand_held_by(DR_REPORTING, NOON)
    found.claim(DR_REPORTING, NOON)
    with pytest.raises(Conflict, match=r"^error.case_not_claimed_by_you$"):
        found.demand_held_by(DR_REVIEWING, NOON)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (CaseState.FINAL, "error.case_is_final"),
        (CaseState.REPEAT_REQUESTED, "error.case_waits_for_repeat"),
    ],
)
def test_a_finished_case_and_one_that_waits_for_a_repeat_cannot_be_claimed(
    state: CaseState, code: str
) -> None:
    found = case(state=state)
    with pytest.raises(Conflict, match=f"^{re.escape(code)}$"):
        found.claim(DR_REPORTING, NOON)
    assert (found.state, found.claimed_by) == (state, None)


def test_a_claim_leaves_a_case_under_review_there() -> None:
    found = case(state=CaseState.AWAITING_REVIEW)
    found.claim(DR_REVIEWING, NOON)
    assert found.state is CaseState.AWAITING_REVIEW


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CaseState.READING, CaseState.WAITING),
        (CaseState.AWAITING_REVIEW, CaseState.AWAITING_REVIEW),
        (CaseState.FINAL, CaseState.FINAL),
    ],
)
def test_giving_a_case_back_frees_it_and_moves_only_a_reading_back(
    before: CaseState, after: CaseState
) -> None:
    found = case(state=before, claimed_by=DR_REPORTING, lease_until=LEASE_ENDS)
    found.release()
    assert (found.state, found.claimed_by, found.lease_until) == (after, None, None)


@given(st.lists(st.sampled_from(Priority)))
def test_a_case_moves_up_and_never_down(priorities: list[Priority]) -> None:
    found = case(effective_priority=Priority.URGENT)
    for priority in priorities:
        before = found.effective_priority
        moved = found.raise_to(priority, f"because {priority}")
        assert moved == (priority < before)
        assert found.effective_priority <= before
    assert found.effective_priority == min([Priority.URGENT, *priorities])
    assert found.priority is Priority.ROUTINE


def test_the_reason_stays_that_of_the_last_move() -> None:
    found = case()
    found.raise_to(Priority.URGENT, "AFIB")
    found.raise_to(Priority.URGENT, "MI")
    assert found.raised_because == "AFIB"
    # An order that comes later is more urgent, and takes nothing of what was found.
    assert found.raise_to(Priority.STAT, "")
    assert (found.effective_priority, found.raised_because) == (Priority.STAT, "AFIB")


def test_for_the_right_person_the_other_order_s_urgency_falls_away_and_a_doctor_s_word_does_not() -> None:
    right: dict[str, Any] = {
        "patient_id": 2,
        "procedure_id": 2,
        "priority": Priority.ROUTINE,
        "deadline": NOON,
    }
    ordered, told = case(), case()
    ordered.raise_to(Priority.URGENT, "AFIB")
    ordered.raise_to(Priority.STAT, "")
    ordered.correct(**right)
    assert (ordered.effective_priority, ordered.raised_because) == (Priority.ROUTINE, "")
    told.mark_critical(Tier.CRITICAL)
    told.mark_critical(None)
    told.correct(**right)
    assert (told.effective_priority, told.raised_because) == (Priority.STAT, "critical")


@given(st.lists(st.integers(-600, 600)))
def test_a_deadline_never_moves_later(minutes: list[int]) -> None:
    found = case(deadline=NOON)
    for minute in minutes:
        found.move_deadline(NOON + minute * MINUTE)
    assert found.deadline == NOON + min([0, *minutes]) * MINUTE
