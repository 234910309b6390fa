"""From the network's probabilities to waves with onset, peak and offset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.tensors import RATE

WAVES = ("P", "QRS", "T")
SHORTEST_S = {"P": 0.028, "QRS": 0.028, "T": 0.052}
"""Below the first hundredth of the widths that cardiologists marked (LUDB: P 48, QRS 62, T 92 ms)."""
BRIDGED_S = {"P": 0.024, "QRS": 0.032, "T": 0.048}
"""A doubt inside a wave (a notch, a spike) that short does not make two waves of it."""

LEAST_R = 0.05
"""An R of less than a twentieth of the complex is none: the complex is a QS."""

Spans = NDArray[np.float64]


@dataclass(frozen=True)
class LeadWaves:
    """Waves of one lead, each kind as (k, 3) onset, peak, offset in seconds from the first sample."""

    p: Spans
    qrs: Spans
    t: Spans

    def of(self, wave: str) -> Spans:
        return {"P": self.p, "QRS": self.qrs, "T": self.t}[wave]


def runs(probability: NDArray[np.floating], shortest: float, bridged: float) -> NDArray[np.float64]:
    """(k, 2) onset and offset in samples, where a class's probability (m,) crosses one half.

    Crossings are read between samples by a straight line. A wave that touches the record's first or last sample
    is left out: its boundary was not seen.
    """
    return runs_of_rows(probability[None], shortest, bridged)[1]


def runs_of_rows(
    probability: NDArray[np.floating], shortest: float, bridged: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """`runs` of many rows (r, m) at once: the row of each, ascending, and (k, 2) onset and offset in samples."""
    values = np.asarray(probability, dtype=np.float64)
    rows, length = values.shape
    # A column of zeros on either side, so that no wave reaches over a row's end into the next.
    inside = np.zeros((rows, length + 2), dtype=np.int8)
    inside[:, 1:-1] = values > 0.5
    edges = np.flatnonzero(np.diff(inside.ravel()))
    row, start = np.divmod(edges[::2], length + 2)
    end = edges[1::2] % (length + 2) - 1
    last = length - 1
    # Read between samples; at the record's ends there is nothing to read between, and the wave falls away below.
    before, after = values[row, np.maximum(start - 1, 0)], values[row, start]
    rise = np.where(start > 0, after - before, 1.0)
    onset = np.where(start > 0, start - (after - 0.5) / rise, start)
    before, after = values[row, end], values[row, np.minimum(end + 1, last)]
    fall = np.where(end < last, before - after, 1.0)
    offset = np.where(end < last, end + (before - 0.5) / fall, end)
    first = np.ones(len(row), dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (onset[1:] - offset[:-1] > bridged)
    # Of waves that are one, the first begins and the last ends it.
    row, onset, offset = row[first], onset[first], offset[np.append(first[1:], True)[: len(row)]]
    kept = (onset > 0) & (offset < last) & (offset - onset >= shortest)
    return row[kept], np.stack((onset[kept], offset[kept]), axis=1)


def peaks_of(
    signal: NDArray[np.floating], row: NDArray[np.int64], spans: NDArray[np.float64], upright: bool
) -> NDArray[np.float64]:
    """For spans (k, 2) in rows of `signal` (r, m): the sample that lies farthest from the line between its ends.

    With `upright` (QRS) the farthest above it, the R peak, where anything rises above it at all: the
    cardiologists of LUDB mark R also where S is deeper (94 % of their marks within 8 ms of this rule).
    """
    if not len(spans):
        return np.empty(0)
    start, end = np.ceil(spans[:, 0]).astype(np.int64), np.floor(spans[:, 1]).astype(np.int64)
    steps = end - start
    at = np.arange(steps.max() + 1)
    within = at <= steps[:, None]
    part = np.asarray(signal, dtype=np.float64)[row[:, None], np.minimum(start[:, None] + at, end[:, None])]
    low, high = part[:, :1], part[:, -1:]
    away = part - np.where(
        at == steps[:, None], high, low + at * ((high - low) / np.maximum(steps, 1)[:, None])
    )
    far = np.where(within, np.abs(away), -1.0)
    chosen = np.argmax(far, axis=1)
    if upright:
        above = np.where(within, away, -np.inf)
        rises = above.max(axis=1) >= LEAST_R * far.max(axis=1)
        chosen = np.where(rises, np.argmax(above, axis=1), chosen)
    return np.asarray(start + chosen, dtype=np.float64)


def decode(probability: NDArray[np.floating], signal: NDArray[np.floating]) -> list[LeadWaves]:
    """Waves of every lead from (leads, 4, m) probabilities (none, P, QRS, T) and the signal (leads, m), at 250 Hz."""
    by_wave = []
    for index, wave in enumerate(WAVES, start=1):
        row, spans = runs_of_rows(probability[:, index], SHORTEST_S[wave] * RATE, BRIDGED_S[wave] * RATE)
        peaks = peaks_of(signal, row, spans, wave == "QRS")
        found = np.stack((spans[:, 0], peaks, spans[:, 1]), axis=1) / RATE
        by_wave.append(np.split(found, np.searchsorted(row, np.arange(1, len(signal)))))
    return [LeadWaves(*waves) for waves in zip(*by_wave, strict=True)]
