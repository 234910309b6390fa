"""What is read off scores: calibration, threshold, sensitivity and specificity, each without its own fold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.training.metrics import Figure, auc, sensitivity, specificity, with_interval

LEAST_SENSITIVITY = 0.92
"""0.90 is wanted; thresholds move between films, and the rest is for that."""

Truth = NDArray[np.bool_]
Scores = NDArray[np.float64]


def temperature(truth: Truth, logit: Scores) -> float:
    """The divisor of the logits with the least mean negative log likelihood (Guo et al. 2017), both classes
    weighing the same: training draws them equally often, and a prevalence is nobody's to assume."""
    weight = np.where(truth, 0.5 / max(truth.sum(), 1), 0.5 / max((~truth).sum(), 1))
    sign = np.where(truth, 1.0, -1.0)
    grid = np.exp(np.linspace(np.log(0.05), np.log(10), 400))
    losses = [float((weight * np.logaddexp(0.0, -sign * logit / t)).sum()) for t in grid]
    return float(grid[int(np.argmin(losses))])


def threshold(truth: Truth, score: Scores) -> float:
    """The largest threshold whose sensitivity is at least `LEAST_SENSITIVITY`, midway to the next lower score."""
    positives = np.sort(score[truth])
    at = positives[int(np.floor((1 - LEAST_SENSITIVITY) * len(positives) + 1e-9))]
    below = score[score < at]
    return float((at + below.max()) / 2) if len(below) else float(at)


def crossed(truth: Truth, score: Scores, fold: NDArray[np.int64]) -> Truth:
    """Flags of every fold by the threshold of all other folds: a threshold that never saw what it is judged on."""
    flags = np.zeros(len(truth), bool)
    for k in np.unique(fold):
        held = fold == k
        flags[held] = score[held] >= threshold(truth[~held], score[~held])
    return flags


def figures(truth: Truth, score: Scores, fold: NDArray[np.int64], groups: list[str]) -> dict[str, Figure]:
    """AUC, and sensitivity and specificity at thresholds of the other folds; bootstrap over groups."""
    flags = crossed(truth, score, fold)
    return {
        "auc": with_interval(auc, truth, score, groups),
        "sensitivity": with_interval(sensitivity, truth, flags, groups),
        "specificity": with_interval(specificity, truth, flags, groups),
    }


def share(hits: Truth, groups: list[str]) -> Figure:
    """A share of films with its interval over groups."""
    return with_interval(lambda _, values: float(values.mean()), hits, hits, groups)
