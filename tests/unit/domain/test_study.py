"""What a newly arrived object is, and when a study is whole."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.study import KnownObject, Reception, StudyState, classify, quiet_until
from tests.unit.domain.builders import MINUTE, NOON, study

EXPLICIT, IMPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.70"
known_objects = st.lists(
    st.builds(KnownObject, st.sampled_from(["a", "b"]), st.sampled_from([EXPLICIT, IMPLICIT]), st.booleans()),
    min_size=1,
)


def held(digest: str, syntax: str, *, same: bool = False) -> KnownObject:
    return KnownObject(digest, syntax, same_content=same)


def test_an_object_nobody_holds_is_new() -> None:
    assert classify("a", EXPLICIT, []) is Reception.NEW


def test_the_same_bytes_in_the_same_transfer_syntax_are_a_repeat() -> None:
    assert classify("a", EXPLICIT, [held("a", EXPLICIT)]) is Reception.REPEAT


def test_the_same_content_in_another_transfer_syntax_is_an_alternate() -> None:
    assert classify("b", JPEG, [held("a", EXPLICIT, same=True)]) is Reception.ALTERNATE


def test_other_content_in_the_same_transfer_syntax_is_a_conflict() -> None:
    assert classify("b", EXPLICIT, [held("a", EXPLICIT)]) is Reception.CONFLICT


def test_other_content_in_another_transfer_syntax_is_a_conflict() -> None:
    assert classify("b", JPEG, [held("a", EXPLICIT, same=False)]) is Reception.CONFLICT


def test_other_bytes_in_the_same_transfer_syntax_are_a_conflict_even_if_they_mean_the_same() -> None:
    assert classify("b", EXPLICIT, [held("a", EXPLICIT, same=True)]) is Reception.CONFLICT


def test_the_repeat_of_a_conflict_is_a_repeat() -> None:
    first, conflicting = held("a", EXPLICIT), held("b", EXPLICIT)
    assert classify("b", EXPLICIT, [first, conflicting]) is Reception.REPEAT


@given(known_objects)
def test_only_an_unknown_uid_is_new_and_the_order_of_what_is_held_does_not_matter(
    known: list[KnownObject],
) -> None:
    found = classify("a", EXPLICIT, known)
    assert found is not Reception.NEW
    assert classify("a", EXPLICIT, known[::-1]) is found


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
