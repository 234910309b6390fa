"""Who receives a report: the institution that asked, always, and the family doctor of that day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.delivery import Recipient, RecipientKind, recipient_key, recipients
from telemed.domain.resident import Contract
from tests.unit.domain.builders import TODAY, contract

ASKED, DAY = 5, timedelta(days=1)
INSTITUTION = Recipient(RecipientKind.INSTITUTION, ASKED, None)


def doctors(contracts: list[Contract], day: date = TODAY) -> list[int | None]:
    return [found.user_id for found in recipients(ASKED, contracts, day)[1:]]


contracts_of_any_kind = st.lists(
    st.builds(
        lambda doctor, institution, start, length: contract(
            doctor,
            TODAY + timedelta(days=start),
            None if length is None else TODAY + timedelta(days=start + length),
            institution=institution,
        ),
        st.integers(1, 4),
        st.integers(1, 3),
        st.integers(-400, 400),
        st.none() | st.integers(0, 400),
    )
)


@given(contracts_of_any_kind)
def test_no_report_has_zero_recipients_and_none_twice(contracts: list[Contract]) -> None:
    found = recipients(ASKED, contracts, TODAY)
    assert found[0] == INSTITUTION
    assert len(set(found)) == len(found)
    assert {r.user_id for r in found[1:]} == {c.family_doctor_id for c in contracts if c.valid_on(TODAY)}


def test_a_resident_without_a_contract_has_one_recipient() -> None:
    assert recipients(ASKED, [], TODAY) == [INSTITUTION]


@pytest.mark.parametrize(
    ("start", "end", "valid"),
    [
        (TODAY, TODAY, True),
        (TODAY, None, True),
        (TODAY - DAY, TODAY, True),
        (TODAY - 30 * DAY, None, True),
        (TODAY + DAY, None, False),
        (TODAY - 30 * DAY, TODAY - DAY, False),
    ],
    ids=["that day alone", "first day", "last day", "no end", "the day before", "the day after"],
)
def test_a_contract_counts_on_both_its_ends_and_on_no_other_day(
    start: date, end: date | None, valid: bool
) -> None:
    assert doctors([contract(21, start, end)]) == ([21] if valid else [])


def test_on_the_day_one_contract_follows_another_both_doctors_hear_of_it() -> None:
    assert doctors([contract(21, TODAY - 9 * DAY, TODAY), contract(22, TODAY, None)]) == [21, 22]


def test_overlapping_contracts_with_one_doctor_are_one_copy() -> None:
    assert doctors([contract(21, TODAY - 9 * DAY, None), contract(21, TODAY - DAY, TODAY)]) == [21]


@given(st.lists(st.tuples(st.integers(1, 3), st.none() | st.integers(1, 3))))
def test_one_key_is_one_recipient(pairs: list[tuple[int, int | None]]) -> None:
    made = {
        Recipient(RecipientKind.INSTITUTION if user is None else RecipientKind.FAMILY_DOCTOR, place, user)
        for place, user in pairs
    }
    people = {found.user_id for found in made if found.user_id is not None}
    places = {found.institution_id for found in made if found.user_id is None}
    assert {recipient_key(found) for found in made} == {f"user:{p}" for p in people} | {
        f"institution:{p}" for p in places
    }
