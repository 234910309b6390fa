"""Rate and RR statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST_BEATS = 3
"""Two beats give one interval and no check on it."""


def rhythm(
    fiducial: NDArray[np.float64], form: NDArray[np.int64], main_form: int, seconds: float
) -> dict[str, float]:
    """Rate and RR statistics of beats at `fiducial` (b,) seconds in a record of `seconds`.

    heart_rate_bpm: 60 / mean RR. rr_mean_ms, rr_min_ms, rr_max_ms: over all successive beats. sdnn_ms (standard
    deviation, n - 1) and rmssd_ms (root mean square of successive differences): over intervals between two beats
    of the main form (Task Force of ESC and NASPE, Circulation 1996;93:1043-1065; there over 5 minutes or
    24 hours: from ten seconds they describe this strip alone). longest_pause_ms: the longest time without a QRS,
    the stretch before the first beat and after the last included, so "at least". Nothing with fewer than three
    beats but the pause; nothing at all without a beat.
    """
    if not len(fiducial):
        return {}
    gaps = np.diff(np.concatenate(([0.0], fiducial, [seconds])))
    found = {"longest_pause_ms": 1000 * float(gaps.max())}
    if len(fiducial) < FEWEST_BEATS:
        return found
    rr = 1000 * np.diff(fiducial)
    found |= {
        "heart_rate_bpm": 60000 / float(rr.mean()),
        "rr_mean_ms": float(rr.mean()),
        "rr_min_ms": float(rr.min()),
        "rr_max_ms": float(rr.max()),
    }
    normal = (form[1:] == main_form) & (form[:-1] == main_form)
    if normal.sum() >= 2:
        found["sdnn_ms"] = float(np.std(rr[normal], ddof=1))
    successive = normal[1:] & normal[:-1]
    if successive.any():
        found["rmssd_ms"] = float(np.sqrt(np.mean(np.diff(rr)[successive] ** 2)))
    return found
