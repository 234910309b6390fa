"""What the form of the QRS of the median beat tells, lead by lead: Q waves, late forces, voltages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.measure import MedianBeat, cut
from ai_models.ecg.signal import LEADS

Q_LEVEL_MV = 0.03
"""A deflection counts as Q from here on; 20 uV is the least of IEC 60601-2-51, ten more for the noise of a median."""
LATE_S = 0.040

Lead = NDArray[np.float64]


def lead_form(qrs: Lead, rate: float) -> dict[str, float]:
    """Of one lead's QRS (n,), mV against its PR segment, from global onset to global offset:

    q_ms: duration of the first negative deflection before R (the whole complex where there is no R);
    qs: 1 where there is no R of 0.1 mV after it. late_mv: mean of the last 40 ms. late_r_mv: the highest positive
    deflection after the deepest point, 0 where there is none (R' of a right bundle branch block).
    late_s_ms: duration of the last negative deflection. peak_ms: onset to the highest point.
    area_mv: mean over the complex. span_mv: highest less lowest.
    """
    milliseconds = 1000 / rate
    top, low = int(np.argmax(qrs)), int(np.argmin(qrs))
    no_r = bool(qrs[top] < 0.1)
    below = qrs < -Q_LEVEL_MV
    q_part = below if no_r else below[:top]
    negative_after = _last_run(below)
    return {
        "q_ms": float(_first_run(q_part)) * milliseconds,
        "qs": float(no_r and bool(below.any())),
        "late_mv": float(np.mean(qrs[-max(1, round(LATE_S * rate)) :])),
        "late_r_mv": max(0.0, float(qrs[low:].max())),
        "late_s_ms": negative_after * milliseconds,
        "peak_ms": top * milliseconds,
        "area_mv": float(np.mean(qrs)),
        "span_mv": float(qrs[top] - qrs[low]),
    }


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _first_run(mask: NDArray[np.bool_]) -> int:
    found = _runs(mask)
    return found[0][1] - found[0][0] if found else 0


def _last_run(mask: NDArray[np.bool_]) -> int:
    found = _runs(mask)
    return found[-1][1] - found[-1][0] if found else 0


def beat_form(beat: MedianBeat) -> dict[str, dict[str, float]]:
    """`lead_form` by lead; a lead whose QRS is not whole in the median beat is left out."""
    result = {}
    for index, name in enumerate(LEADS):
        qrs = cut(beat, index, beat.waves.qrs_onset, beat.waves.qrs_offset)
        if qrs is not None:
            result[name] = lead_form(qrs, beat.rate)
    return result
