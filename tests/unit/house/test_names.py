"""How a Chinese name can be found: by every reading of its family name, and by initials."""

import pytest

from telemed.adapters.identity.here import PinyinReadings

NAMES = PinyinReadings()


@pytest.mark.parametrize(
    ("name", "reading"),
    [("单测试", "shan"), ("曾示例", "zeng"), ("仇样本", "qiu"), ("解演示", "xie"), ("查模拟", "zha")],
)
def test_a_family_name_is_found_by_its_reading_as_a_name(name: str, reading: str) -> None:
    assert any(spelled.startswith(reading) for spelled in NAMES.pinyin(name).split())


def test_the_dot_of_a_minority_name_is_no_obstacle() -> None:
    assert "shilimaimaiti" in NAMES.pinyin("示例·买买提").split()


def test_initials_are_those_of_the_syllables() -> None:
    assert "zcs" in NAMES.initials("张测试").split()


def test_no_name_has_no_reading() -> None:
    assert NAMES.pinyin("") == NAMES.initials("·") == ""
