"""Amplitudes and ST level of each lead of the representative beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_WAVE_MV = 0.02
"""A deflection below it is no Q, R or S: IEC 60601-2-51 asks for none under 20 uV."""
ST_POINTS_S = {"st_j_mv": 0.0, "st_j60_mv": 0.060, "st_j80_mv": 0.080}
ST_REACH_S = 0.004

Lead = NDArray[np.float64]


def q_r_s(qrs: Lead) -> dict[str, float]:
    """Q, R and S (mV, signed) of one lead between QRS onset and offset, zero where absent.

    R is the highest positive deflection, Q the deepest negative one before it, S the deepest after it; a complex
    without R is a QS and counted as Q. Of several R waves the highest counts.
    """
    top = int(np.argmax(qrs))
    r = float(qrs[top])
    if r < LEAST_WAVE_MV:
        lowest = float(qrs.min())
        return {"q_mv": lowest if lowest <= -LEAST_WAVE_MV else 0.0, "r_mv": 0.0, "s_mv": 0.0}
    q = float(qrs[: top + 1].min())
    s = float(qrs[top:].min())
    return {
        "q_mv": q if q <= -LEAST_WAVE_MV else 0.0,
        "r_mv": r,
        "s_mv": s if s <= -LEAST_WAVE_MV else 0.0,
    }


def extreme(part: Lead) -> float:
    """The sample farthest from zero, signed."""
    return float(part[int(np.argmax(np.abs(part)))])


def st_levels(lead: Lead, j: int, rate: float) -> dict[str, float]:
    """Level at J, J + 60 ms and J + 80 ms (mV, mean over 8 ms) of a lead whose zero is its isoelectric point.

    Measured against the PR segment just before QRS onset, J being the global QRS offset (universal definition of
    myocardial infarction, Thygesen 2018, Circulation 138:e618: ST at the J point against the onset of QRS). A
    point that the median beat does not reach is left out.
    """
    reach = round(ST_REACH_S * rate)
    found = {}
    for name, after in ST_POINTS_S.items():
        at = j + round(after * rate)
        part = lead[max(0, at - reach) : at + reach + 1]
        if len(part) == 2 * reach + 1 and np.isfinite(part).all():
            found[name] = float(part.mean())
    return found
