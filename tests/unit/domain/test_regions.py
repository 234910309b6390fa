"""Which exams are of the same part of the body, whatever the device or the order form calls it."""

import pytest

from telemed.domain.regions import regions, same_region


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CHEST", {"chest"}),
        ("胸部CT平扫", {"chest"}),
        ("头颅CT平扫", {"head"}),
        ("胸椎正侧位", {"thoracic spine"}),
        ("CSPINE", {"cervical spine"}),
        ("胸腹部增强", {"chest", "abdomen"}),
        ("手术后复查", set()),
        ("冠脉CTA", {"heart"}),
        ("", set()),
    ],
)
def test_a_part_is_known_by_its_word(text: str, found: set[str]) -> None:
    assert regions(text) == found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("CHEST", ""), ("", "胸部CT平扫"), True),
        (("CHEST", ""), ("HEAD", "胸部CT平扫"), False),
        (("", "胸椎CT"), ("", "胸部CT"), False),
        (("HEADNECK", ""), ("NECK", ""), True),
        # Nothing is assumed of what nobody named.
        (("CHEST", ""), ("", "CT"), False),
        (("", ""), ("", ""), False),
        (("", "全身骨显像"), ("", "全身骨显像"), True),
    ],
)
def test_exams_are_compared_by_a_part_in_common(
    one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    assert same_region(*one, *other) is same
    assert same_region(*other, *one) is same
