"""Critical values: the check, the card, the order of states, the ladder, the machine's proposals."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemed.domain.critical import (
    Check,
    CriticalPolicy,
    CriticalRule,
    CriticalState,
    CriticalValue,
    EscalationStep,
    How,
    Milestone,
    ReadBack,
    Tier,
    due_steps,
    policy_for,
)
from telemed.domain.errors import Conflict, InvalidInput
from tests.unit.domain.builders import DR_REPORTING, DR_REVIEWING, MINUTE, NOON

NURSE = 21


def value(**changes: Any) -> CriticalValue:
    given: dict[str, Any] = {
        "uid": "critical",
        "case_id": 7,
        "institution_id": 1,
        "consortium_id": 9,
        "reporting_institution_id": 2,
        "rule_id": 3,
        "code": "ecg.vf",
        "tier": Tier.CRITICAL,
        "finding_zh": "心室颤动",
        "finding_en": "Ventricular fibrillation",
        "note": "",
        "raised_by": DR_REPORTING,
        "raised_at": NOON,
        "due_at": NOON + 10 * MINUTE,
    }
    return CriticalValue(**{**given, **changes})


def rule(**changes: Any) -> CriticalRule:
    given: dict[str, Any] = {
        "uid": "rule",
        "consortium_id": 9,
        "code": "ecg.test",
        "edition": 1,
        "modality": "ECG",
        "tier": Tier.CRITICAL,
        "text_zh": "虚构",
        "text_en": "Fictional",
        "created_at": NOON,
    }
    return CriticalRule(**{**given, **changes})


def step(rank: int, minutes: int, **changes: Any) -> EscalationStep:
    return EscalationStep(
        uid=f"step-{rank}", consortium_id=9, rank=rank, code=f"step-{rank}", minutes=minutes, **changes
    )


def policy(**changes: Any) -> CriticalPolicy:
    return CriticalPolicy(uid="policy", consortium_id=9, **changes)


def read_back(**changes: Any) -> ReadBack:
    given: dict[str, Any] = {
        "received_by": "虚构护士",
        "received_at": NOON + MINUTE,
        "how": How.PHONE,
        "words": "心室颤动,马上抢救",
    }
    return ReadBack(**{**given, **changes})


NIGHT = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai


@pytest.mark.parametrize(
    ("hour_utc", "night"), [(13, False), (14, True), (18, True), (21, True), (22, False), (4, False)]
)
def test_the_night_is_the_site_s_own_and_runs_over_midnight(hour_utc: int, night: bool) -> None:
    assert policy().is_night(datetime(2026, 11, 21, hour_utc, tzinfo=UTC), "Asia/Shanghai") is night


def test_a_night_within_one_day() -> None:
    early = policy(night_from="00:00", night_to="06:00")
    assert early.is_night(datetime(2026, 11, 21, 16, 0, tzinfo=UTC), "Asia/Shanghai")
    assert not early.is_night(NIGHT, "Asia/Shanghai")


def test_another_doctor_confirms_at_any_time() -> None:
    assert value().check_kind_for(DR_REVIEWING, policy(), NOON, "Asia/Shanghai") is Check.ANOTHER_DOCTOR


def test_the_same_doctor_confirms_only_at_night_and_where_the_site_allows_it() -> None:
    allows, forbids = policy(same_doctor_at_night=True), policy()
    found = value().check_kind_for(DR_REPORTING, allows, NIGHT, "Asia/Shanghai")
    assert found is Check.SAME_DOCTOR_AT_NIGHT
    for rules, instant in ((allows, NOON), (forbids, NIGHT)):
        with pytest.raises(Conflict) as refused:
            value().check_kind_for(DR_REPORTING, rules, instant, "Asia/Shanghai")
        assert refused.value.code == "error.critical_needs_another_doctor"


def test_from_the_raise_to_the_end() -> None:
    one = value()
    one.release(DR_REVIEWING, Check.ANOTHER_DOCTOR, NOON)
    one.acknowledge(NURSE, read_back(), NOON + 2 * MINUTE)
    assert (one.received_by, one.received_at, one.how) == ("虚构护士", NOON + MINUTE, How.PHONE)
    one.act(NOON + 3 * MINUTE)
    one.act(NOON + 4 * MINUTE)
    assert one.acted_at == NOON + 3 * MINUTE
    one.close(NURSE, " 已转院 ", NOON + 5 * MINUTE)
    assert (one.state, one.closing_note) == (CriticalState.CLOSED, "已转院")
    with pytest.raises(Conflict):
        one.act(NOON + 6 * MINUTE)


def test_no_step_before_its_turn() -> None:
    one = value()
    steps: list[tuple[Callable[[], None], str]] = [
        (lambda: one.acknowledge(NURSE, read_back(), NOON + MINUTE), "error.critical_not_checked"),
        (lambda: one.act(NOON), "error.critical_not_acknowledged"),
        (lambda: one.close(NURSE, "", NOON), "error.critical_not_acted"),
    ]
    for premature, code in steps:
        with pytest.raises(Conflict) as refused:
            premature()
        assert refused.value.code == code
    assert one.state is CriticalState.AWAITING_CHECK


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"received_by": "  "}, "received_by"),
        ({"words": ""}, "read_back"),
        ({"received_at": NOON - MINUTE}, "received_at"),
        ({"received_at": NOON + timedelta(hours=1)}, "received_at"),
    ],
)
def test_the_card_is_whole_or_not_at_all(changes: dict[str, Any], field: str) -> None:
    one = value()
    one.release(DR_REVIEWING, Check.ANOTHER_DOCTOR, NOON)
    with pytest.raises(InvalidInput) as refused:
        one.acknowledge(NURSE, read_back(**changes), NOON + 2 * MINUTE)
    assert refused.value.field == field
    assert one.acknowledged_at is None


def test_a_warning_needs_no_read_back() -> None:
    one = value(tier=Tier.WARNING, due_at=None)
    one.release(None, Check.NOT_REQUIRED, NOON)
    one.acknowledge(NURSE, read_back(words=""), NOON + 2 * MINUTE)
    assert one.state is CriticalState.ACKNOWLEDGED
    assert one.checked_by is None


def test_what_was_told_is_not_withdrawn() -> None:
    fresh, told = value(), value()
    fresh.withdraw(DR_REPORTING, "误触", NOON)
    assert fresh.state is CriticalState.WITHDRAWN
    assert fresh.reached(Milestone.ACTED)
    told.release(DR_REVIEWING, Check.ANOTHER_DOCTOR, NOON)
    with pytest.raises(Conflict):
        told.withdraw(DR_REPORTING, "误触", NOON)
    with pytest.raises(InvalidInput):
        value().withdraw(DR_REPORTING, " ", NOON)


LADDER = (step(1, 10), step(2, 15), step(3, 20, waits_for=Milestone.ACTED))


def ranks(steps: list[EscalationStep]) -> list[int]:
    return [one.rank for one in steps]


def test_the_ladder_step_by_step() -> None:
    one = value()
    assert due_steps(one, LADDER, NOON + 9 * MINUTE) == ([], NOON + 10 * MINUTE)
    due, later = due_steps(one, LADDER, NOON + 10 * MINUTE)
    assert (ranks(due), later) == ([1], NOON + 15 * MINUTE)
    one.escalated = 1
    assert due_steps(one, LADDER, NOON + 11 * MINUTE) == ([], NOON + 15 * MINUTE)


def test_a_ladder_asked_late_takes_every_step_that_passed() -> None:
    due, later = due_steps(value(), LADDER, NOON + timedelta(hours=3))
    assert (ranks(due), later) == ([1, 2, 3], None)


def test_nobody_is_passed_over_by_a_ladder_whose_ranks_do_not_rise_with_its_minutes() -> None:
    one, crossed = value(), (step(2, 10), step(1, 15), step(3, 20))
    told = []
    for minutes in (10, 15, 20):
        due, _ = due_steps(one, crossed, NOON + minutes * MINUTE)
        told.append(ranks(due))
        one.escalated = due[-1].rank
    assert told == [[2], [1], [3]]
    # The step that was taken last is gone from the ladder: all are told rather than one forgotten.
    one.escalated = 9
    assert ranks(due_steps(one, crossed, NOON + 15 * MINUTE)[0]) == [2, 1]


def test_what_was_received_waits_for_the_action_alone() -> None:
    one = value()
    one.release(DR_REVIEWING, Check.ANOTHER_DOCTOR, NOON)
    one.acknowledge(NURSE, read_back(), NOON + 2 * MINUTE)
    due, later = due_steps(one, LADDER, NOON + 30 * MINUTE)
    assert (ranks(due), later) == ([3], None)
    one.act(NOON + 31 * MINUTE)
    assert due_steps(one, LADDER, NOON + timedelta(hours=2)) == ([], None)


def test_a_warning_climbs_only_its_own_ladder() -> None:
    one = value(tier=Tier.WARNING, due_at=None)
    assert due_steps(one, LADDER, NOON + timedelta(days=1)) == ([], None)
    due, _ = due_steps(one, (*LADDER, step(4, 60, tier=Tier.WARNING)), NOON + timedelta(days=1))
    assert ranks(due) == [4]


def test_the_machine_proposes_only_when_everything_named_is_met() -> None:
    fast = rule(findings=["AFIB", "AFLT"], limits={"heart_rate_bpm": {"at_least": 200}})
    assert fast.proposed_by(["AFLT"], {"heart_rate_bpm": 200})
    assert not fast.proposed_by(["AFLT"], {"heart_rate_bpm": 199.9})
    assert not fast.proposed_by([], {"heart_rate_bpm": 220})
    assert not fast.proposed_by(["AFLT"], {})
    assert not rule().proposed_by(["AFLT"], {"heart_rate_bpm": 220})
    assert rule(limits={"heart_rate_bpm": {"at_most": 35}}).proposed_by([], {"heart_rate_bpm": 35})


def test_a_house_s_own_policy_goes_before_the_consortium_s() -> None:
    common, own = policy(tell_minutes=10), policy(tell_minutes=5, institution_id=2)
    assert policy_for([common, own], 2) is own
    assert policy_for([common, own], 8) is common
    assert policy_for([own], 8) is None
