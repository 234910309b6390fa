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
    inside = probability > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.view(np.int8), [0]))))
    found: list[list[float]] = []
    last = len(probability) - 1
    for start, end in zip(edges[::2], edges[1::2] - 1, strict=True):
        onset, offset = float(start), float(end)
        if start > 0:
            before, after = float(probability[start - 1]), float(probability[start])
            onset = start - (after - 0.5) / (after - before)
        if end < last:
            before, after = float(probability[end]), float(probability[end + 1])
            offset = end + (before - 0.5) / (before - after)
        if found and onset - found[-1][1] <= bridged:
            found[-1][1] = offset
        else:
            found.append([onset, offset])
    kept = [span for span in found if span[0] > 0 and span[1] < last and span[1] - span[0] >= shortest]
    return np.asarray(kept, dtype=np.float64).reshape(-1, 2)


def peak_of(signal: NDArray[np.floating], onset: float, offset: float, upright: bool) -> float:
    """The sample in [onset, offset] that lies farthest from the straight line between both.

    With `upright` (QRS) the farthest above it, the R peak, where anything rises above it at all: the
    cardiologists of LUDB mark R also where S is deeper (94 % of their marks within 8 ms of this rule).
    """
    start, end = int(np.ceil(onset)), int(np.floor(offset))
    part = np.asarray(signal[start : end + 1], dtype=np.float64)
    away = part - np.linspace(part[0], part[-1], len(part))
    if upright and away.max() >= LEAST_R * np.abs(away).max():
        return float(start + int(np.argmax(away)))
    return float(start + int(np.argmax(np.abs(away))))


def lead_waves(probability: NDArray[np.floating], signal: NDArray[np.floating]) -> LeadWaves:
    """Waves of one lead from (4, m) probabilities (none, P, QRS, T) and the lead's signal (m,), both at 250 Hz."""
    found = []
    for index, wave in enumerate(WAVES, start=1):
        spans = runs(probability[index], SHORTEST_S[wave] * RATE, BRIDGED_S[wave] * RATE)
        rows = [(onset, peak_of(signal, onset, offset, wave == "QRS"), offset) for onset, offset in spans]
        found.append(np.asarray(rows, dtype=np.float64).reshape(-1, 3) / RATE)
    return LeadWaves(*found)


def decode(probability: NDArray[np.floating], signal: NDArray[np.floating]) -> list[LeadWaves]:
    """Waves of every lead from (leads, 4, m) probabilities and the signal (leads, m), both at 250 Hz."""
    return [lead_waves(rows.astype(np.float64), lead) for rows, lead in zip(probability, signal, strict=True)]
