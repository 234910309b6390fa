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
    middle, start, end = spans.mean(axis=1), spans[:, :1], spans[:, 1:]
    before = np.concatenate((np.full((1, 1), -np.inf), end[:-1])) if len(spans) else end
    after = np.concatenate((start[1:], np.full((1, 1), np.inf))) if len(spans) else start
    waves = {wave: np.full((len(middle), len(leads), 3), np.nan) for wave in WAVES}
    for lead, found in enumerate(leads):
        p, t = found.p, found.t
        waves["QRS"][:, lead] = _nearest(found.qrs, middle)
        own = (p[:, 1] > before) & (p[:, 1] < start) & (p[:, 0] > start - LONGEST_PR_S)
        waves["P"][:, lead] = _last(p, np.asarray(own))
        own = (t[:, 1] > end) & (t[:, 1] < after) & (t[:, 2] < start + LONGEST_QT_S)
        waves["T"][:, lead] = _last(t, np.asarray(own))
    return JoinedBeats(middle, waves)


def _last(spans: Spans, fits: NDArray[np.bool_]) -> Table:
    """Of `spans` (k, 3) the last that fits each beat, from (beats, k); NaN where none does."""
    if not len(spans):
        return np.full((len(fits), 3), np.nan)
    chosen = fits.shape[1] - 1 - np.argmax(fits[:, ::-1], axis=1)
    return np.where(np.any(fits, axis=1, keepdims=True), spans[chosen], np.nan)


def _nearest(spans: Spans, middle: NDArray[np.float64]) -> Table:
    """Of `spans` (k, 3) the one whose middle is nearest to each beat's; NaN where none is near."""
    if not len(spans):
        return np.full((len(middle), 3), np.nan)
    distance = np.abs(spans[:, [0, 2]].mean(axis=1) - middle[:, None])
    return np.where((distance.min(axis=1) <= NEAR_S)[:, None], spans[np.argmin(distance, axis=1)], np.nan)
