"""Identity card numbers and ages, as the field writes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.domain.resident import age_on, is_id_card_number

# Worked examples of GB 11643-1999, annex A: the standard's own numbers.
STANDARD = ["11010519491231002X", "440524188001010014"]


def with_check_digit(body: str) -> str:
    """By the definition of ISO 7064 MOD 11-2: the weighted sum of all eighteen is 1 modulo 11."""
    for last in "0123456789X":
        value = 10 if last == "X" else int(last)
        total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body)) + value
        if total % 11 == 1:
            return body + last
    raise AssertionError("some digit always fits")


bodies = st.builds(
    lambda region, born, serial: f"{region:06d}{born:%Y%m%d}{serial:03d}",
    st.integers(100_000, 999_999),
    st.dates(date(1880, 1, 1), date(2026, 12, 31)),
    st.integers(0, 999),
)


@pytest.mark.parametrize("number", STANDARD)
def test_the_standards_own_numbers_are_valid(number: str) -> None:
    assert is_id_card_number(number)


@given(bodies)
def test_a_number_with_its_check_digit_is_valid(body: str) -> None:
    assert is_id_card_number(with_check_digit(body))


@given(bodies, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, place: int, shift: int) -> None:
    number = with_check_digit(body)
    wrong = str((int(number[place]) + shift) % 10)
    assert not is_id_card_number(number[:place] + wrong + number[place + 1 :])


@given(bodies, st.integers(0, 16))
def test_two_neighbours_in_the_wrong_order_are_always_found(body: str, place: int) -> None:
    number = with_check_digit(body)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert is_id_card_number(swapped) == (swapped == number)


def test_a_small_x_is_taken_for_a_large_one() -> None:
    assert is_id_card_number("11010519491231002x")


@pytest.mark.parametrize(
    "number",
    [
        "",
        STANDARD[0][:-1],
        STANDARD[0] + "0",
        "11010519491231002Y",
        " 1010519491231002X",
        "1101051949123100XX",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002Ⅹ",
        with_check_digit("11010519490231002"),
        with_check_digit("11010519491331002"),
        with_check_digit("11010500000101002"),
        with_check_digit("11010519230229002"),
    ],
    ids=[
        "empty",
        "17",
        "19",
        "no check digit",
        "a blank",
        "a letter inside",
        "full width",
        "roman ten",
        "31 February",
        "month 13",
        "year 0",
        "29 February of no leap year",
    ],
)
def test_what_is_no_card_number_is_refused(number: str) -> None:
    assert not is_id_card_number(number)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2026, 11, 21), date(2026, 11, 21), (0, "day")),
        (date(2026, 10, 25), date(2026, 11, 21), (27, "day")),
        (date(2026, 10, 24), date(2026, 11, 21), (1, "month")),
        (date(2026, 2, 1), date(2026, 3, 1), (1, "month")),
        (date(2025, 12, 22), date(2026, 11, 21), (10, "month")),
        (date(2025, 12, 21), date(2026, 11, 21), (11, "month")),
        (date(2025, 11, 22), date(2026, 11, 21), (11, "month")),
        (date(2025, 11, 21), date(2026, 11, 21), (1, "year")),
        (date(1970, 11, 22), date(2026, 11, 21), (55, "year")),
        (date(1970, 11, 21), date(2026, 11, 21), (56, "year")),
        (date(2024, 2, 29), date(2025, 2, 28), (11, "month")),
        (date(2024, 2, 29), date(2025, 3, 1), (1, "year")),
        (date(1944, 2, 29), date(2024, 2, 29), (80, "year")),
        (date(1944, 2, 29), date(2024, 2, 28), (79, "year")),
        (date(2026, 1, 31), date(2026, 2, 28), (1, "month")),
    ],
)
def test_age_in_days_under_28_days_in_months_under_a_year_else_in_years(
    birth: date, day: date, age: tuple[int, str]
) -> None:
    assert age_on(birth, day) == age


def test_a_birth_date_in_the_future_is_no_negative_age() -> None:
    assert age_on(date(2026, 11, 22), date(2026, 11, 21)) == (0, "day")


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 40_000))
def test_nobody_grows_younger(birth: date, days: int) -> None:
    order = {"day": 0, "month": 1, "year": 2}

    def rank(after: int) -> tuple[int, int]:
        number, unit = age_on(birth, date.fromordinal(birth.toordinal() + after))
        return order[unit], number

    assert rank(days) <= rank(days + 1)
