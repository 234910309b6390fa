"""Waves of all leads joined to beats: one heart, so one table of beats over leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import BRIDGED_S, SHORTEST_S, WAVES, LeadWaves, Spans, runs
from ai_models.ecg.delineation.tensors import RATE

Table = NDArray[np.float64]

QRS_CLASS = 2
NEAR_S = 0.12
"""A lead's QRS belongs to the beat whose middle lies that near; a wide QRS is 0.2 s long at most."""
LONGEST_PR_S = 0.6
LONGEST_QT_S = 0.75


@dataclass(frozen=True)
class JoinedBeats:
    """`middle` (b,) seconds; `waves` by kind: (b, leads, 3) onset, peak, offset in seconds, NaN where absent."""

    middle: NDArray[np.float64]
    waves: dict[str, Table]

    def __len__(self) -> int:
        return len(self.middle)


def beat_spans(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """(b, 2) seconds: where the leads' mean QRS probability, from (leads, 4, m) at 250 Hz, exceeds one half."""
    mean = probability[:, QRS_CLASS].astype(np.float64).mean(axis=0)
    return runs(mean, SHORTEST_S["QRS"] * RATE, BRIDGED_S["QRS"] * RATE) / RATE


def join(probability: NDArray[np.floating], leads: list[LeadWaves]) -> JoinedBeats:
    """Beats from (leads, 4, m) at 250 Hz and each lead's waves.

    Of a lead's waves a beat takes the QRS nearest its middle, the last P between the QRS before and its own QRS
    (onset at most 0.6 s before), and the last T between its own and the next QRS (offset at most 0.75 s after).
    """
    spans = beat_spans(probability)
    middle = spans.mean(axis=1)
    waves = {wave: np.full((len(middle), len(leads), 3), np.nan) for wave in WAVES}
    for lead, found in enumerate(leads):
        for beat, (start, end) in enumerate(spans):
            before = spans[beat - 1, 1] if beat else -np.inf
            after = spans[beat + 1, 0] if beat + 1 < len(spans) else np.inf
            waves["QRS"][beat, lead] = _nearest(found.qrs, middle[beat])
            p = found.p[
                (found.p[:, 1] > before) & (found.p[:, 1] < start) & (found.p[:, 0] > start - LONGEST_PR_S)
            ]
            t = found.t[
                (found.t[:, 1] > end) & (found.t[:, 1] < after) & (found.t[:, 2] < start + LONGEST_QT_S)
            ]
            if len(p):
                waves["P"][beat, lead] = p[-1]
            if len(t):
                waves["T"][beat, lead] = t[-1]
    return JoinedBeats(middle, waves)


def _nearest(spans: Spans, middle: float) -> NDArray[np.float64]:
    if len(spans):
        distance = np.abs(spans[:, [0, 2]].mean(axis=1) - middle)
        if distance.min() <= NEAR_S:
            return np.asarray(spans[int(np.argmin(distance))], dtype=np.float64)
    return np.full(3, np.nan)
