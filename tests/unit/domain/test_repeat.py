"""What settles a request for a repeat by itself, and what a person has to look at first."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telemed.domain.case import CaseState
from telemed.domain.repeat import Likeness, likeness
from telemed.domain.study import Study
from tests.unit.domain.builders import MINUTE, NOON, case

HERE = ZoneInfo("Asia/Shanghai")
NO, PERHAPS, CERTAIN = Likeness


def study(number: int, **changes: Any) -> Study:
    values: dict[str, Any] = {
        "uid": f"study-{number}",
        "institution_id": 1,
        "consortium_id": 9,
        "study_instance_uid": f"2.25.{number}",
        "patient_id": 6,
        "modality": "ECG",
        # The request is of 12:00 there.
        "study_date": "20261121",
        "study_time": "1214",
        "first_object_at": NOON + 15 * MINUTE,
        "last_object_at": NOON + 15 * MINUTE,
        "whole_at": None,
    }
    made = Study(**{**values, **changes})
    made.id = number
    return made


FILM = {"modality": "DX", "body_part": "CHEST"}


@pytest.mark.parametrize(
    ("first", "came", "expected"),
    [
        ({}, {}, CERTAIN),
        ({}, {"patient_id": 7}, NO),
        ({}, {"institution_id": 2}, NO),
        ({}, {"modality": "DX"}, NO),
        ({}, {"first_object_at": NOON - MINUTE}, NO),
        # Recorded before the doctor asked, and on its way until now; or its machine does not say when.
        ({}, {"study_time": "1130"}, PERHAPS),
        ({}, {"study_time": ""}, PERHAPS),
        ({}, {"study_date": "21.11.2026"}, PERHAPS),
        (FILM, FILM, CERTAIN),
        (FILM, {**FILM, "body_part": "KNEE", "procedure_id": 5}, PERHAPS),
        (FILM, {**FILM, "body_part": ""}, PERHAPS),
        (FILM, {**FILM, "body_part": "", "procedure_id": 5}, CERTAIN),
    ],
)
def test_only_a_new_recording_of_the_same_is_certain(
    first: dict[str, Any], came: dict[str, Any], expected: Likeness
) -> None:
    asked = case(modality=first.get("modality", "ECG"), repeat_asked_at=NOON)
    assert likeness(asked, study(4, **first), study(8, **came), HERE) is expected


def test_more_of_the_same_study_is_looked_at_by_a_person() -> None:
    first = study(4, first_object_at=NOON - 30 * MINUTE)
    assert likeness(case(repeat_asked_at=NOON), first, first, HERE) is PERHAPS
    assert likeness(case(repeat_asked_at=NOON + 20 * MINUTE), first, first, HERE) is NO
    assert likeness(case(), first, study(8), HERE) is NO


def test_a_request_is_open_until_it_is_settled_and_again_after_a_doubt() -> None:
    asked = case(state=CaseState.REPEAT_REQUESTED, repeat_asked_at=NOON)
    asked.answer_repeat(8, NOON + MINUTE, certain=False)
    assert (asked.repeat_is_open, asked.repeat_answer_id) == (True, 8)
    asked.answer_repeat(8, NOON + MINUTE, certain=True)
    assert (asked.repeat_is_open, asked.repeat_closed_by) == (False, None)
    asked.reopen_repeat()
    assert (asked.repeat_is_open, asked.repeat_answer_id) == (True, None)
    asked.close_repeat(3, "患者已转院", NOON)
    assert asked.repeat_is_open is False
    assert case(repeat_asked_at=NOON).repeat_is_open is False
