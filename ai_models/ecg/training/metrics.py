"""Figures with their intervals: area under the ROC curve, sensitivity, specificity, bootstrap over patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Truth = NDArray[np.bool_]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A figure, its 95 % interval by bootstrap over patients, and on how many it stands."""

    value: float
    low: float
    high: float
    n: int
    positives: int

    def as_json(self) -> dict[str, Any]:
        return {key: round(v, 4) if isinstance(v, float) else v for key, v in asdict(self).items()}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}-{self.high:.3f}]"


def auc(truth: Truth, scores: Scores) -> float:
    """Area under the ROC curve by mean ranks (Hanley and McNeil 1982); NaN where one class is absent."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def macro_auc(truth: Truth, scores: Scores) -> float:
    """Mean of the columns' AUC, columns without both classes left out."""
    return float(np.nanmean([auc(truth[:, c], scores[:, c]) for c in range(truth.shape[1])]))


def sensitivity(truth: Truth, flags: Truth) -> float:
    return float(flags[truth].mean()) if truth.any() else float("nan")


def specificity(truth: Truth, flags: Truth) -> float:
    return float((~flags[~truth]).mean()) if (~truth).any() else float("nan")


def with_interval(
    figure: Callable[[Any, Any], float],
    truth: Truth,
    scores: NDArray[Any],
    groups: Sequence[str],
    rounds: int = 1000,
    seed: int = 20,
) -> Figure:
    """`figure(truth, scores)` with its percentile interval from resampling patients, not recordings."""
    generator = np.random.default_rng(seed)
    names = sorted(set(groups))
    members: dict[str, list[int]] = {name: [] for name in names}
    for row, group in enumerate(groups):
        members[group].append(row)
    rows_of = [np.asarray(members[name]) for name in names]
    drawn = []
    for _ in range(rounds):
        rows = np.concatenate([rows_of[g] for g in generator.integers(0, len(rows_of), len(rows_of))])
        value = figure(truth[rows], scores[rows])
        if np.isfinite(value):
            drawn.append(value)
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (float("nan"), float("nan"))
    positives = int(truth.any(axis=1).sum()) if truth.ndim == 2 else int(truth.sum())
    return Figure(figure(truth, scores), float(low), float(high), len(truth), positives)


def threshold_at(truth: Truth, scores: Scores, least_specificity: float) -> float:
    """The threshold of the largest sensitivity whose specificity is at least `least_specificity`.

    Of several with that sensitivity the most specific; thresholds lie midway between neighbouring scores.
    """
    order = np.unique(scores)
    middles = (order[1:] + order[:-1]) / 2
    points = [(sensitivity(truth, scores >= m), specificity(truth, scores >= m), float(m)) for m in middles]
    return max(point for point in points if point[1] >= least_specificity)[2]
