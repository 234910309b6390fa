"""Figures on the card, recomputed from the public recordings where they are on this machine."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from ai_models.card_language import in_language
from ai_models.ecg.beats import find_beats
from ai_models.ecg.training import data, evaluate
from ai_models.manifest import Manifest

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not data.DEFAULT_ROOT.is_dir(), reason="the public ECG recordings (../shared/data/ecg) are not here"
    ),
]


@pytest.fixture(scope="module")
def answered() -> dict[str, evaluate.Answered]:
    return evaluate.own_and_foreign()


def test_the_card_claims_what_fold_9_shows(
    answered: dict[str, evaluate.Answered], manifest: Manifest
) -> None:
    macro = answered["fold9"].figures()["macro"]
    assert macro.n == 81
    assert macro.value >= 0.80
    for language in ("zh-CN", "en"):
        row = in_language("macro", language)
        claimed = re.search(rf"\| {row} \| (0\.\d{{3}}) ", manifest.card(language).read_text("utf-8"))
        assert claimed is not None
        assert float(claimed.group(1)) == pytest.approx(macro.value, abs=0.002)


def test_the_network_beats_the_baseline_and_the_control_stays_at_chance(
    answered: dict[str, evaluate.Answered],
) -> None:
    kept = evaluate.recorded()["auc"]
    ours = answered["fold9"].figures()["macro"].value
    assert ours > kept["median-beat logistic, fold 9"]["macro"]["value"]
    shuffled = kept["shuffled labels, fold 9"]["macro"]
    assert 0.35 < shuffled["value"] < 0.65


def test_recordings_with_flat_leads_are_the_only_ones_out_of_domain(
    answered: dict[str, evaluate.Answered],
) -> None:
    assert answered["fold9"].refused == {}
    assert answered["china"].refused == {"waveform.lead_off": 5}


def test_r_peaks_are_those_of_the_cardiologists() -> None:
    found = missed = extra = 0
    for recording in data.ludb():
        marked = data.ludb_r_peaks(recording.key) / recording.rate
        peaks = find_beats(recording.samples, recording.rate).peaks / 250.0
        peaks = peaks[(peaks >= marked[0] - 0.15) & (peaks <= marked[-1] + 0.15)]
        hit = [bool(np.abs(peaks - mark).min() <= 0.15) for mark in marked]
        found, missed = found + sum(hit), missed + len(hit) - sum(hit)
        extra += sum(bool(np.abs(marked - peak).min() > 0.15) for peak in peaks)
    assert found / (found + missed) >= 0.998, json.dumps({"found": found, "missed": missed, "extra": extra})
    assert found / (found + extra) >= 0.998, json.dumps({"found": found, "missed": missed, "extra": extra})
