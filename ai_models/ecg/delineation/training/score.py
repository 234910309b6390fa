"""Waves held against the cardiologists' marks: found, missed, extra, and how far off.

Per lead, within 150 ms, between the first and the last mark of the lead, as the literature scores LUDB and QTDB
(Martinez et al. 2004, IEEE Trans Biomed Eng 51:570). Onset, peak and offset are matched each for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import WAVES, LeadWaves
from ai_models.ecg.delineation.training.marks import RATE, Mark, as_array, first_and_last

WINDOW_S = 0.150
POINTS = ("onset", "peak", "offset")


@dataclass
class Counts:
    """Of one record: found, missed, extra and the errors of the found (answer minus mark), ms."""

    found: int = 0
    missed: int = 0
    extra: int = 0
    errors: list[float] = field(default_factory=list)


RecordScore = dict[tuple[str, str], Counts]


def empty() -> RecordScore:
    return {(wave, point): Counts() for wave in WAVES for point in POINTS}


def pairs(marked: NDArray[np.float64], answered: NDArray[np.float64]) -> list[tuple[int, int]]:
    """One-to-one pairs within 150 ms, the closest first."""
    if not len(marked) or not len(answered):
        return []
    distance = np.abs(marked[:, None] - answered[None, :])
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    result = []
    for flat in np.argsort(distance, axis=None, kind="stable"):
        row, column = divmod(int(flat), len(answered))
        if distance[row, column] > WINDOW_S:
            break
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            result.append((row, column))
    return result


def add_lead(score: RecordScore, waves: LeadWaves, marks: list[Mark], loose: NDArray[np.float64]) -> None:
    """Add one lead. `loose` are peaks (s) whose onset or offset was not marked: an answer there is not extra."""
    first, last = (sample / RATE for sample in first_and_last(marks))
    for wave in WAVES:
        marked, answered = as_array(marks, wave) / RATE, waves.of(wave)
        judged = (answered[:, 0] >= first) & (answered[:, 2] <= last)
        for peak in loose:
            judged &= ~((answered[:, 0] <= peak) & (peak <= answered[:, 2]))
        for column, point in enumerate(POINTS):
            counts = score[wave, point]
            matched = pairs(marked[:, column], answered[:, column])
            counts.found += len(matched)
            counts.missed += len(marked) - len(matched)
            used = {index for _, index in matched}
            counts.extra += sum(bool(judged[i]) and i not in used for i in range(len(answered)))
            counts.errors += [1000 * float(answered[a, column] - marked[m, column]) for m, a in matched]


Sums = NDArray[np.float64]


def sums(rows: list[Counts]) -> Sums:
    """(records, 6): found, missed, extra, and of the errors their number, sum and sum of squares."""
    errors = [np.asarray(row.errors, dtype=np.float64) for row in rows]
    return np.asarray(
        [
            (row.found, row.missed, row.extra, len(e), e.sum(), (e**2).sum())
            for row, e in zip(rows, errors, strict=True)
        ]
    )


def f1(total: Sums) -> float:
    """2 TP / (2 TP + FP + FN) of summed counts (6,)."""
    return float(2 * total[0] / (2 * total[0] + total[1] + total[2])) if total[:3].sum() else float("nan")


def mean_error(total: Sums) -> float:
    return float(total[4] / total[3]) if total[3] else float("nan")


def spread(total: Sums) -> float:
    """Standard deviation (n - 1) of all errors about their mean."""
    n = total[3]
    return float(np.sqrt(max(0.0, (total[5] - total[4] ** 2 / n) / (n - 1)))) if n > 1 else float("nan")


FIGURES: dict[str, Callable[[Sums], float]] = {"f1": f1, "mean_ms": mean_error, "sd_ms": spread}


def figures(rows: list[Counts], rounds: int = 1000, seed: int = 20) -> dict[str, list[float]]:
    """Each figure with its 95 % percentile interval from resampling records (persons): [value, low, high]."""
    per_record = sums(rows)
    generator = np.random.default_rng(seed)
    drawn = [per_record[generator.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(rounds)]
    result = {}
    for name, figure in FIGURES.items():
        low, high = np.nanpercentile([figure(total) for total in drawn], [2.5, 97.5])
        digits = 4 if name == "f1" else 2
        result[name] = [round(float(v), digits) for v in (figure(per_record.sum(axis=0)), low, high)]
    return result
