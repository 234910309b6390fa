"""What a newly arrived object is, and when a study is whole."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.study import KnownObject, Reception, StudyState, classify, quiet_until
from tests.unit.domain.builders import MINUTE, NOON, study

known_objects = st.lists(st.builds(KnownObject, st.booleans(), st.booleans()), min_size=1)
OTHER, REPEATED, CONVERTED, UNLIKE = (
    KnownObject(same_syntax=True, same=False),
    KnownObject(same_syntax=True, same=True),
    KnownObject(same_syntax=False, same=True),
    KnownObject(same_syntax=False, same=False),
)


def test_an_object_nobody_holds_is_new() -> None:
    assert classify([]) is Reception.NEW


def test_the_same_bytes_in_the_same_transfer_syntax_are_a_repeat() -> None:
    assert classify([REPEATED]) is Reception.REPEAT


def test_the_same_content_in_another_transfer_syntax_is_an_alternate() -> None:
    assert classify([CONVERTED]) is Reception.ALTERNATE


def test_other_content_is_a_conflict_in_whatever_transfer_syntax() -> None:
    assert classify([OTHER]) is classify([UNLIKE]) is Reception.CONFLICT


def test_the_repeat_of_a_conflict_is_a_repeat() -> None:
    assert classify([OTHER, REPEATED]) is Reception.REPEAT
    assert classify([CONVERTED, REPEATED]) is Reception.REPEAT


@given(known_objects)
def test_only_an_unknown_uid_is_new_and_the_order_of_what_is_held_does_not_matter(
    known: list[KnownObject],
) -> None:
    found = classify(known)
    assert found is not Reception.NEW
    assert classify(known[::-1]) is found


def test_an_ecg_is_whole_on_arrival() -> None:
    assert quiet_until("ECG", NOON, 30) == NOON


@pytest.mark.parametrize("modality", ["DX", "CR", "CT", "US", "OT", ""])
def test_everything_else_is_whole_after_the_quiet_period(modality: str) -> None:
    assert quiet_until(modality, NOON, 30) == NOON + timedelta(seconds=30)


def test_one_more_object_opens_a_whole_study_again() -> None:
    found = study(object_count=1, state=StudyState.COMPLETE, whole_at=None, generation=1)
    found.extend(NOON + MINUTE, NOON + 2 * MINUTE)
    assert (found.state, found.object_count) == (StudyState.RECEIVING, 2)
    assert (found.last_object_at, found.whole_at) == (NOON + MINUTE, NOON + 2 * MINUTE)
    assert found.generation == 1


def test_the_last_arrival_never_moves_back() -> None:
    found = study(last_object_at=NOON)
    found.extend(NOON - MINUTE, NOON)
    assert found.last_object_at == NOON


def test_each_completion_is_a_generation() -> None:
    found = study()
    found.complete()
    assert (found.state, found.whole_at, found.generation) == (StudyState.COMPLETE, None, 1)
    found.extend(NOON, NOON)
    found.complete()
    assert found.generation == 2
