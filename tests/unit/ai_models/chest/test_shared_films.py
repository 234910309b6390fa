"""The floors of the film networks on public films that their answering part never saw."""

from __future__ import annotations

import numpy as np
import pytest

from ai_models.chest.reader import FilmReader
from ai_models.chest.training import data, evaluate
from ai_models.engine import Engine
from telemed.imaging.film import read_film
from tests.factories.dicom import dr_dataset, part10

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not data.DEFAULT_ROOT.is_dir(), reason="the public chest films (../shared/data/cxr) are not here"
    ),
]

FLOORS = {evaluate.TB: 0.89, evaluate.CHILD: 0.95}


@pytest.fixture(scope="module")
def films() -> dict[str, list[evaluate.Row]]:
    return {
        # Every second film: the card's figures are of all of them.
        evaluate.TB: evaluate.rows("nlm", data.DEFAULT_ROOT, share=2),
        evaluate.CHILD: evaluate.rows("kermany", data.DEFAULT_ROOT, share=10),
    }


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_out_of_fold_the_members_reach_their_floor(
    engine: Engine, films: dict[str, list[evaluate.Row]], name: str
) -> None:
    answers = evaluate.out_of_fold(engine, engine.registry.get(name), films[name])
    assert answers.figures()["auc"].value >= FLOORS[name]
    assert answers.figures()["sensitivity"].value >= 0.85
    assert answers.in_domain.mean() >= 0.95


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_the_gate_keeps_its_own_and_stops_the_others(
    engine: Engine, films: dict[str, list[evaluate.Row]], name: str
) -> None:
    manifest = engine.registry.get(name)
    own = evaluate.of_fold(films[name], 80)
    other = evaluate.of_fold(films[evaluate.CHILD if name == evaluate.TB else evaluate.TB], 80)
    assert evaluate.gated(engine, manifest, own).value <= 0.05
    assert evaluate.gated(engine, manifest, other).value >= 0.95
    assert evaluate.turned_gated(engine, manifest, own[:40]).value >= 0.95


def test_adults_of_a_hospital_the_gate_never_saw_are_no_children(engine: Engine) -> None:
    foreign = evaluate.rows("nih", data.DEFAULT_ROOT)
    assert evaluate.gated(engine, engine.registry.get(evaluate.CHILD), foreign).value >= 0.95


def test_no_group_lies_in_two_folds_and_no_film_in_two_groups() -> None:
    for name in ("nlm", "kermany"):
        rows = data.rows_of(name, data.DEFAULT_ROOT)
        assert len({file for file, *_ in rows}) == len(rows)
        folds = [data.fold_of(f"{name}-{group}") for _, group, *_ in rows]
        assert set(folds) == set(range(data.FOLDS))
        by_group = {group: fold for (_, group, *_), fold in zip(rows, folds, strict=True)}
        assert all(by_group[row[1]] == fold for row, fold in zip(rows, folds, strict=True))


def wrapped(row: evaluate.Row, *, age: str, view: str, form: str) -> bytes:
    """The film as a DX object: eight bits, twelve bits with a window, or twelve bits turned round."""
    levels = data.gray(row.path)
    if form == "eight bits":
        ds = dr_dataset(levels, bits=8)
        ds.WindowCenter, ds.WindowWidth = 128, 256
    else:
        wide = levels.astype(np.uint16) * 12 + 300
        inverted = form == "MONOCHROME1"
        ds = dr_dataset(
            4095 - wide if inverted else wide, photometric="MONOCHROME1" if inverted else "MONOCHROME2"
        )
        ds.WindowCenter, ds.WindowWidth = (4095 - 1830 if inverted else 1830), 3100
    ds.PatientAge, ds.ViewPosition = age, view
    return part10(ds)


@pytest.mark.parametrize("form", ["eight bits", "twelve bits", "MONOCHROME1"])
@pytest.mark.parametrize("name", sorted(FLOORS))
def test_a_film_has_one_answer_as_a_picture_and_as_an_object(
    engine: Engine, films: dict[str, list[evaluate.Row]], name: str, form: str
) -> None:
    reader = FilmReader(engine, engine.registry.get(name))
    years, view = evaluate.HEADERS[name]
    asked = agreed = 0
    for row in films[name][:12]:
        bare = reader.read(row.film(evaluate.HEADERS[name]))
        answer = reader.read(read_film(wrapped(row, age=f"{int(years):03}Y", view=view, form=form)))
        asked += 1
        if bare.in_domain and answer.in_domain:
            difference = abs(bare.findings[0].probability - answer.findings[0].probability)
            assert difference < 0.03, (row.path.name, difference)
            agreed += 1
        else:
            assert (bare.in_domain, bare.reason) == (answer.in_domain, answer.reason), row.path.name
    assert agreed >= asked - 2
