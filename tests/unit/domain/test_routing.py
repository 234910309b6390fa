"""Who reads a study, and until when."""

import random
from copy import deepcopy
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.order import Priority
from telemed.domain.routing import Duty, Route, RoutingRule, route
from tests.unit.domain.builders import MINUTE, NOON, duty, routable, rule

ECG_GROUP, IMAGE_GROUP, NIGHT_GROUP = 1, 2, 3


def chosen(found: Route | None) -> int:
    assert found is not None
    return found.reading_group_id


def test_without_a_rule_nobody_is_guessed() -> None:
    assert route(routable(), [], [duty(ECG_GROUP)]) is None


def test_without_a_rule_that_fits_nobody_is_guessed() -> None:
    assert route(routable(modality="ECG"), [rule(1, IMAGE_GROUP, modality="DX")], [duty(IMAGE_GROUP)]) is None


def test_the_group_and_the_deadline_come_from_the_rule() -> None:
    found = route(routable(), [rule(1, ECG_GROUP, modality="ECG", limit_minutes=45)], [duty(ECG_GROUP)])
    assert found == Route(
        rule_uid="rule 1-1", reading_group_id=ECG_GROUP, deadline=NOON + 45 * MINUTE, on_duty=True
    )


def test_the_lower_rank_wins_in_whatever_order_the_rules_come() -> None:
    rules = [rule(1, ECG_GROUP), rule(2, IMAGE_GROUP), rule(3, NIGHT_GROUP)]
    assert {chosen(route(routable(), order, [])) for order in permutations(rules)} == {ECG_GROUP}


def test_of_two_rules_of_one_rank_the_older_wins() -> None:
    older, newer = rule(1, ECG_GROUP, key=10), rule(1, IMAGE_GROUP, key=11)
    assert chosen(route(routable(), [newer, older], [])) == ECG_GROUP


def test_a_rule_that_is_switched_off_is_passed_over() -> None:
    assert (
        chosen(route(routable(), [rule(1, ECG_GROUP, active=False), rule(2, IMAGE_GROUP)], [])) == IMAGE_GROUP
    )


@pytest.mark.parametrize(
    "narrow",
    [{"modality": "DX"}, {"institution_id": 2}, {"priority": Priority.STAT}],
    ids=["modality", "institution", "priority"],
)
def test_a_rule_fits_only_what_each_of_its_fields_names(narrow: dict[str, Any]) -> None:
    rules = [rule(1, IMAGE_GROUP, **narrow), rule(2, ECG_GROUP)]
    assert chosen(route(routable(), rules, [])) == ECG_GROUP
    assert chosen(route(routable(**narrow), rules, [])) == IMAGE_GROUP


def test_stat_is_a_priority_to_match_and_not_an_empty_field() -> None:
    """Its number is 0."""
    rules = [rule(1, NIGHT_GROUP, priority=Priority.STAT), rule(2, ECG_GROUP)]
    assert chosen(route(routable(priority=Priority.ROUTINE), rules, [])) == ECG_GROUP


def test_an_empty_roster_leaves_the_study_in_the_groups_list() -> None:
    found = route(routable(), [rule(1, ECG_GROUP, fallback_group_id=NIGHT_GROUP)], [])
    assert found is not None
    assert (found.reading_group_id, found.on_duty) == (ECG_GROUP, False)


def test_while_nobody_of_the_group_is_on_duty_the_fallback_reads() -> None:
    found = route(routable(), [rule(1, ECG_GROUP, fallback_group_id=NIGHT_GROUP)], [duty(NIGHT_GROUP)])
    assert found is not None
    assert (found.reading_group_id, found.on_duty) == (NIGHT_GROUP, True)


def test_the_fallback_reads_nothing_while_the_group_itself_is_manned() -> None:
    rules = [rule(1, ECG_GROUP, fallback_group_id=NIGHT_GROUP)]
    assert chosen(route(routable(), rules, [duty(NIGHT_GROUP), duty(ECG_GROUP)])) == ECG_GROUP


def test_the_fallback_does_not_move_the_deadline() -> None:
    found = route(routable(), [rule(1, ECG_GROUP, fallback_group_id=NIGHT_GROUP)], [duty(NIGHT_GROUP)])
    assert found is not None
    assert found.deadline == NOON + 30 * MINUTE


def test_a_duty_begins_at_its_first_instant_and_is_over_at_its_last() -> None:
    shift = duty(ECG_GROUP, NOON, NOON + MINUTE)
    assert not shift.covers(NOON - MINUTE)
    assert shift.covers(NOON)
    assert not shift.covers(NOON + MINUTE)
    assert duty(ECG_GROUP, NOON, None).covers(NOON + 10_000 * MINUTE)


rules_of_any_kind = st.lists(
    st.builds(
        lambda rank, key, group, fallback, modality, limit, active: rule(
            rank,
            group,
            key=key,
            fallback_group_id=fallback,
            modality=modality,
            limit_minutes=limit,
            active=active,
        ),
        st.integers(1, 3),
        st.integers(1, 99),
        st.integers(1, 3),
        st.none() | st.integers(1, 3),
        st.sampled_from(["", "ECG", "DX"]),
        st.integers(1, 600),
        st.booleans(),
    ),
    unique_by=lambda made: made.id,
)
rosters = st.lists(st.builds(duty, st.integers(1, 3)))


@given(rules_of_any_kind, rosters, st.randoms(use_true_random=False))
def test_the_answer_depends_on_nothing_but_what_was_given(
    rules: list[RoutingRule], roster: list[Duty], shuffler: random.Random
) -> None:
    before = [facts(item) for item in (*rules, *roster)]
    first = route(routable(), rules, roster)
    mixed_rules, mixed_roster = list(rules), list(roster)
    shuffler.shuffle(mixed_rules)
    shuffler.shuffle(mixed_roster)
    assert route(routable(), mixed_rules, mixed_roster) == first
    assert [facts(item) for item in (*rules, *roster)] == before


def facts(item: RoutingRule | Duty) -> dict[str, object]:
    """The declared fields alone: a class that is mapped to a table carries the mapper's state as well."""
    return {name: value for name, value in deepcopy(vars(item)).items() if not name.startswith("_")}


@given(rules_of_any_kind, rosters)
def test_whatever_fits_gets_a_group_of_its_rule_and_a_deadline_after_its_arrival(
    rules: list[RoutingRule], roster: list[Duty]
) -> None:
    found = route(routable(), rules, roster)
    fitting = [r for r in rules if r.active and r.modality in ("", "ECG")]
    assert (found is None) == (not fitting)
    if found is not None:
        source = next(
            r for r in rules if r.uid == found.rule_uid and found.deadline == NOON + r.limit_minutes * MINUTE
        )
        assert found.reading_group_id in (source.reading_group_id, source.fallback_group_id)
        assert found.deadline > NOON
