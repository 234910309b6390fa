"""The shipped model on marked recordings, where they are on this machine; it was trained on them."""

from __future__ import annotations

from itertools import islice

import pytest

from ai_models.card_language import in_language
from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.delineation.training import evaluate, score
from ai_models.ecg.delineation.training.marks import annotations, lead_marks
from ai_models.ecg.training import data

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not data.DEFAULT_ROOT.is_dir(), reason="the public ECG recordings (../shared/data/ecg) are not here"
    ),
]


@pytest.fixture(scope="module")
def tally(delineation: DelineationReader) -> evaluate.Tally:
    found = evaluate.Tally(data.DEFAULT_ROOT)
    for recording in islice(data.ludb(), 0, None, 16):
        found.add(recording, *delineation.delineate(recording.samples, recording.rate))
    return found


def test_waves_lie_within_the_floors(tally: evaluate.Tally) -> None:
    assert len(tally.scores) == 10
    floors = {"P": (0.96, 18.0, 18.0), "QRS": (0.99, 16.0, 18.0), "T": (0.97, 35.0, 30.0)}
    for wave, (least, onset, offset) in floors.items():
        for point, spread in (("onset", onset), ("offset", offset)):
            total = score.sums([row[wave, point] for row in tally.scores.values()]).sum(axis=0)
            assert score.f1(total) >= least, (wave, point)
            assert score.spread(total) <= spread, (wave, point)
            assert abs(score.mean_error(total)) <= 6, (wave, point)


def test_the_card_states_what_was_recorded() -> None:
    rows = evaluate.recorded()
    assert rows["records"] == 160
    floors = {"P": 0.96, "QRS": 0.99, "T": 0.97}
    for name, row in rows["boundaries"].items():
        assert row["f1"][0] >= floors[name.split()[0]]
    table = evaluate.boundary_table(rows["boundaries"])
    for language in ("zh-CN", "en"):
        card = evaluate.Registry().get(evaluate.MODEL).card(language).read_text("utf-8")
        assert in_language(table, language) in card


def test_marks_are_read_as_the_set_describes_itself() -> None:
    """The counts over all leads that the description of the data states."""
    files = (data.DEFAULT_ROOT / "ludb" / "data").glob("*.*")
    codes = [code for path in files if path.suffix not in (".hea", ".dat") for _, code in annotations(path)]
    assert (codes.count(1), codes.count(27), codes.count(24)) == (17_696, 15_860, 13_779)
    marks = lead_marks("ludb-17", "II")
    assert {mark.wave for mark in marks} == {"P", "QRS", "T"}
    assert all(mark.onset <= mark.peak <= mark.offset for mark in marks)
