"""Matching rules against a plain model of what PS3.4 C.2.2.2 says."""

import fnmatch
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed.adapters.db.criteria import like_pattern
from telemed.adapters.identity.latin_names import alphabetic
from telemed.domain.errors import InvalidInput
from telemed.domain.matching import (
    Between,
    Like,
    OneOf,
    date_criterion,
    name_criterion,
    text_criterion,
    time_criterion,
    uid_criterion,
)
from telemed.domain.names import divided

LETTERS = st.text(alphabet="ab%_\\[]张三", max_size=6)


@given(st.text(alphabet="ab%_\\张*?", max_size=6), LETTERS)
def test_wildcards_are_those_of_dicom_and_no_others(pattern: str, value: str) -> None:
    plain = "".join(f"[{char}]" if char in "[]" else char for char in pattern)
    assert Like(pattern).fits(value) is fnmatch.fnmatchcase(value, plain)


@given(st.text(alphabet="ab%_\\*?", max_size=6))
def test_in_the_statement_only_dicoms_wildcards_stay_wild(pattern: str) -> None:
    found, position = like_pattern(pattern), 0
    wild = []
    while position < len(found):
        if found[position] == "\\":
            position += 2
            continue
        wild += [found[position]] if found[position] in "%_" else []
        position += 1
    assert wild == ["%" if char == "*" else "_" for char in pattern if char in "*?"]


def digits(value: time) -> str:
    return f"{value:%H%M%S}" + (f".{value.microsecond:06d}" if value.microsecond else "")


@given(st.times(), st.times(), st.times())
def test_a_range_of_times_is_one_of_instants(low: time, high: time, value: time) -> None:
    criterion = time_criterion(f"{digits(low)}-{digits(high)}")
    assert isinstance(criterion, Between)
    # An end without a fraction reaches over its whole second.
    last = high if high.microsecond else high.replace(microsecond=999_999)
    assert criterion.fits(digits(value)) is (low <= value <= last)


@pytest.mark.parametrize(
    ("asked", "value", "fits"),
    [
        ("14", "143000", True), ("14", "150000", False), ("1430", "143059.9", True), ("1430-", "143000", True),
        ("-1430", "143059", True), ("-1430", "143100", False), ("0000-0000", "000059", True), ("00", "005959", True),
    ],
)  # fmt: skip
def test_a_shorter_time_reaches_over_what_it_leaves_open(asked: str, value: str, fits: bool) -> None:
    criterion = time_criterion(asked)
    assert criterion is not None
    assert criterion.fits(value) is fits


@pytest.mark.parametrize("wrong", ["2561", "1", "12345", "ab", "12-99"])
def test_no_time(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        time_criterion(wrong)


@pytest.mark.parametrize("wrong", ["2026112", "20261399", "today", "20261121-2026"])
def test_no_date(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        date_criterion(wrong)


def test_universal_matching_is_no_condition() -> None:
    assert (text_criterion([""]), text_criterion(["*"]), uid_criterion([""]), uid_criterion(["*"])) == (
        None,
    ) * 4
    assert (date_criterion(""), time_criterion("-"), name_criterion("*"), name_criterion("^")) == (None,) * 4
    assert text_criterion(["A", "B"]) == OneOf(("A", "B"))
    assert date_criterion("2026.11.21") == Between("20261121", "20261121")


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("Zhang^San", True), ("zhangsan", True), ("ZHANG*", True), ("张三", True), ("张^三", True), ("张?", True),
        ("Zhang^San=张^三", True), ("zhang", False), ("San^Zhang", False), ("三*", False), ("李*=李*", False),
    ],
)  # fmt: skip
def test_names(asked: str, fits: bool) -> None:
    criterion = name_criterion(asked)
    assert criterion is not None
    assert criterion.fits("张三", "zhangsan") is fits


@pytest.mark.parametrize(
    ("name", "parts", "latin"),
    [
        ("张三", ("张", "三"), "Zhang^San"),
        ("欧阳小明", ("欧阳", "小明"), "Ouyang^Xiaoming"),
        ("欧阳", ("欧", "阳"), "Ou^Yang"),
        ("单雨", ("单", "雨"), "Shan^Yu"),
        ("吕布", ("吕", "布"), "Lyu^Bu"),
        ("阿卜杜·热合曼", ("阿卜杜", "热合曼"), "Abodu^Reheman"),
        ("阿卜杜·热合曼·买买提", ("阿卜杜", "热合曼·买买提"), "Abodu^Reheman maimaiti"),
        ("Wang XiaoDong", ("Wang", "XiaoDong"), "Wang^XiaoDong"),
        # An accent goes, a letter never does: one that has no Latin form is seen to be missing.
        ("Müller Zoë", ("Müller", "Zoë"), "Muller^Zoe"),
        ("王𭬚", ("王", "𭬚"), "Wang^?"),
        ("Øst Ян", ("Øst", "Ян"), "?st^??"),
        ("", ("", ""), ""),
    ],
)
def test_a_name_divides_into_family_and_given(name: str, parts: tuple[str, str], latin: str) -> None:
    assert divided(name) == parts
    assert alphabetic(name) == latin
    assert latin.isascii()
