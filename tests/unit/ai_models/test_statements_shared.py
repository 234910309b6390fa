"""The figures on the card, computed anew where the public recordings are at hand."""

from __future__ import annotations

import pytest

from ai_models.ecg.interpretation.evaluation import evaluate
from ai_models.ecg.interpretation.evaluation.sets import Crossed, judged
from ai_models.ecg.interpretation.rules import rule_set
from ai_models.ecg.training.data import DEFAULT_ROOT

CHINA = "China"


@pytest.mark.shared_data
@pytest.mark.skipif(
    not all((DEFAULT_ROOT / name).is_dir() for name in ("ptbxl", "ludb", "china")),
    reason="the public recordings are not on this machine",
)
def test_the_card_s_figures_of_a_foreign_set_come_out_again() -> None:
    rules = rule_set()
    tallies, refused = evaluate.tallied(rules, judged(rules, DEFAULT_ROOT, (CHINA,), Crossed({}, {})))
    kept = evaluate.recorded()
    assert refused == {CHINA: kept["out_of_domain"][CHINA]}
    for code, by_set in tallies.items():
        recorded = kept["statements"][code].get(CHINA)
        found = by_set[CHINA].as_json() if CHINA in by_set else None
        assert found == recorded, code
