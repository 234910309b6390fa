"""Pacing spikes, as far as a recording of 500 Hz still shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ai_models.ecg.delineation.representative import RATE
from ai_models.ecg.signal import resample

LEAST_MV = 0.25
"""Of 73 unpaced recordings none had 0.13 mV in the median beat, of 9 paced ones seven had 0.49 or more."""
LEADS_WITH_SPIKE = 3
NEIGHBOURS = 7
"""Samples at 500 Hz of the running median: what is over in 6 ms stands out from it, an R wave does not."""
BEFORE_S, AFTER_S = 0.28, 0.010


def spike_share(samples: NDArray[np.floating], rate: float, onsets: NDArray[np.float64]) -> float:
    """Share of the beats with QRS onset at `onsets` (b,) seconds that a spike precedes, for (12, n) mV at `rate` Hz.

    A spike stands at least 0.25 mV off the running median of 14 ms in three leads at once, from 280 ms before the
    onset to 10 ms after. Below 400 Hz there is nothing to be seen of it and the answer is 0.
    """
    if rate < 400 or not len(onsets):
        return 0.0
    signal = resample(np.asarray(samples, dtype=np.float64), rate, RATE)
    return sum(_has_spike(signal, float(at)) for at in onsets) / len(onsets)


def _has_spike(signal: NDArray[np.float64], onset: float) -> bool:
    """Whether (12, n) at 500 Hz has a spike in several leads in the window before `onset` (s)."""
    start = max(0, round((onset - BEFORE_S) * RATE))
    end = max(0, round((onset + AFTER_S) * RATE))
    margin = NEIGHBOURS // 2
    before = min(margin, start)
    part = signal[:, start - before : end + margin]
    if not part.size:
        return False
    away = np.abs(part - median_filter(part, size=(1, NEIGHBOURS)))[:, before : before + end - start]
    return bool(((away >= LEAST_MV).sum(axis=0) >= LEADS_WITH_SPIKE).any())
