"""The header's half of the gate: which films a network may look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_models.chest.domain import KINDS, FilmDomain
from telemed.imaging.film import FilmFacts

ADULT = FilmDomain(("DX", "CR"), (15, 131), ("PA",), ("CHEST",), 96, (0.6, 1.7), "adult", 0.5)
CHILD = FilmDomain(("DX", "CR"), (1, 6), ("AP",), ("CHEST",), 96, (0.6, 1.7), "child", 0.7)
FILM = FilmFacts("DX", 40.0, "PA", "CHEST", 2500, 2048)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"body_part": ""}, None),
        ({"modality": "CT"}, "film.modality"),
        ({"body_part": "HAND"}, "film.body_part"),
        ({"age_years": None}, "film.no_age"),
        ({"age_years": 14.9}, "film.age"),
        ({"view": None}, "film.no_view"),
        ({"view": "LL"}, "film.view"),
        ({"for_processing": True}, "film.for_processing"),
        ({"rows": 90}, "film.too_small"),
        ({"rows": 1000}, "film.shape"),
        ({"modality": "", "body_part": "", "bare": True}, None),
    ],
)
def test_the_header_rules_a_film_out_and_says_why(changes: dict[str, object], reason: str | None) -> None:
    found = ADULT.header_reason(replace(FILM, **changes))  # type: ignore[arg-type]
    assert (found and found[0]) == reason


@pytest.mark.parametrize(
    ("years", "fits"), [(0.9, False), (1.0, True), (5.9, True), (6.0, False), (40, False)]
)
def test_children_are_of_one_to_five_years(years: float, fits: bool) -> None:
    facts = replace(FILM, view="AP", age_years=years)
    assert (CHILD.header_reason(facts) is None) == fits


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        ((0.1, 0.8, 0.05, 0.05), None),
        ((0.3, 0.6, 0.05, 0.05), "film.unsure"),
        ((0.9, 0.05, 0.03, 0.02), "film.looks_adult"),
        ((0.1, 0.1, 0.8, 0.0), "film.turned"),
        ((0.1, 0.1, 0.0, 0.8), "film.not_chest"),
    ],
)
def test_the_picture_rules_a_film_out_whatever_its_header_says(
    kinds: tuple[float, ...], reason: str | None
) -> None:
    found = CHILD.gate_reason(kinds)
    assert (found and found[0]) == reason


def test_the_gate_has_a_reason_for_every_other_kind() -> None:
    for index, kind in enumerate(KINDS):
        kinds = [0.0] * len(KINDS)
        kinds[index] = 1.0
        assert (CHILD.gate_reason(kinds) is None) == (kind == "child")
