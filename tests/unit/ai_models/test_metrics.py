"""The figures on the cards are computed as their definitions say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ai_models.ecg.training.metrics import (
    auc,
    macro_auc,
    sensitivity,
    specificity,
    threshold_at,
    with_interval,
)

TRUTH = np.asarray([True, True, False, False, False])
SCORES = np.asarray([0.9, 0.4, 0.5, 0.4, 0.1])


def test_auc_is_the_share_of_pairs_in_order_ties_counting_half() -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in SCORES[TRUTH] for n in SCORES[~TRUTH]]
    assert auc(TRUTH, SCORES) == pytest.approx(sum(pairs) / len(pairs))
    assert math.isnan(auc(np.asarray([True, True]), np.asarray([0.1, 0.2])))


def test_macro_auc_leaves_out_a_label_that_never_occurs() -> None:
    truth = np.stack([TRUTH, np.zeros(5, dtype=bool)], axis=1)
    scores = np.stack([SCORES, SCORES], axis=1)
    assert macro_auc(truth, scores) == auc(TRUTH, SCORES)


def test_sensitivity_and_specificity() -> None:
    flags = SCORES >= 0.5
    assert sensitivity(TRUTH, flags) == 0.5
    assert specificity(TRUTH, flags) == pytest.approx(2 / 3)


def test_the_threshold_separates_what_can_be_separated() -> None:
    truth, scores = np.asarray([False, False, True, True]), np.asarray([0.1, 0.2, 0.6, 0.8])
    assert threshold_at(truth, scores, 0.9) == pytest.approx(0.4)


def test_the_threshold_keeps_the_specificity_that_was_asked_for() -> None:
    generator = np.random.default_rng(3)
    truth = generator.random(300) < 0.3
    scores = truth * 0.8 + generator.standard_normal(300)
    threshold = threshold_at(truth, scores, 0.9)
    assert specificity(truth, scores >= threshold) >= 0.9
    assert sensitivity(truth, scores >= threshold) > sensitivity(truth, scores >= threshold + 0.5)


def test_the_interval_is_wider_when_recordings_of_a_patient_stay_together() -> None:
    generator = np.random.default_rng(1)
    truth = np.repeat(generator.random(40) < 0.5, 5)
    scores = truth * 0.5 + np.repeat(generator.standard_normal(40), 5)
    alone = with_interval(auc, truth, scores, [str(row) for row in range(200)])
    grouped = with_interval(auc, truth, scores, [str(row // 5) for row in range(200)])
    assert alone.value == grouped.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
    assert alone.low < alone.value < alone.high
    assert (alone.n, alone.positives) == (200, int(truth.sum()))
