"""Global intervals of the representative beat, in the sense of IEC 60601-2-25."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.decode import WAVES
from ai_models.ecg.delineation.tensors import RATE
from ai_models.ecg.medians import known_median

Curve = NDArray[np.float64]

P_LEADS, P_BEATS = 0.25, 0.5
"""A beat has a P wave where a quarter of the leads show one, the recording where half of its beats have one."""
LARGEST_PR_SPREAD_S = 0.035
"""Beyond it P and QRS do not belong to each other (complete block, dissociation), and PR has no meaning."""
LARGEST_SHARE = 0.6
"""What one lead may say for itself in `any_lead`: alone it stays under the half that a boundary needs."""
INDEPENDENCE = 0.6
"""How far twelve leads are as many readings; chosen by cross-validation, see the card."""
BEFORE_S, AFTER_S = 0.60, 0.76
P_WITHIN_RR = 0.9


@dataclass(frozen=True)
class GlobalWaves:
    """Seconds from the fiducial point of the representative beat; None where not measurable."""

    p_onset: float | None
    p_offset: float | None
    qrs_onset: float | None
    qrs_offset: float | None
    t_onset: float | None
    t_offset: float | None


def representative_probability(probability: NDArray[np.floating], fiducial: Curve) -> dict[str, Curve]:
    """By wave (leads, w) at 250 Hz from 0.60 s before to 0.76 s after: the mean over beats at `fiducial` (b,) s.

    `probability` is (leads, 4, m). Beats lie between samples, so each is read by a straight line; beyond the
    record's ends a beat says nothing.
    """
    before, after = round(BEFORE_S * RATE), round(AFTER_S * RATE)
    width = before + after + 1
    leads, _, length = probability.shape
    total = np.zeros((leads, len(WAVES), width))
    seen = np.zeros(width)
    for at in fiducial * RATE - before:
        # All samples of a beat lie equally far between two of the record's.
        start = math.floor(at)
        share = at - start
        first, end = max(start, 0), min(start + width, length - 1)
        if end < first:
            continue
        # The record's last sample is read where a beat lies on it.
        whole = probability[:, 1:, first : end + 1].astype(np.float64)
        between = whole[..., :-1] * (1 - share) + whole[..., 1:] * share
        total[..., first - start : end - start] += between
        seen[first - start : end - start] += 1
        if share == 0 and end == length - 1 and end - start < width:
            total[..., end - start] += whole[..., -1]
            seen[end - start] += 1
    mean = total / np.maximum(seen, 1)
    return {wave: mean[:, index] for index, wave in enumerate(WAVES)}


def any_lead(probability: Curve, independence: float = INDEPENDENCE) -> Curve:
    """(w,) probability that a wave is on in at least one lead, from (leads, w).

    One minus the product over the leads of (1 - p), to the power `independence`: 1 for leads that err each for
    itself, 1 / leads for leads that err alike. Where it crosses one half, the earliest onset (or latest offset)
    of all leads is as likely earlier as later. That is the IEC's "earliest onset in any lead" without the bias
    that the extreme of twelve best guesses has. Each lead counts with at most 0.6, so that one wild lead alone
    moves nothing; a second has to agree at least faintly.
    """
    none = np.prod(1 - np.minimum(probability, LARGEST_SHARE), axis=0)
    return np.asarray(1 - none**independence, dtype=np.float64)


def crossing(curve: Curve, start: int, step: int) -> float | None:
    """Where `curve` falls to one half, going from `start` by `step` (1 or -1), between samples; None at the end."""
    at = start
    while 0 <= at < len(curve) and curve[at] > 0.5:
        at += step
    if not 0 <= at < len(curve):
        return None
    inside, outside = float(curve[at - step]), float(curve[at])
    return at - step + step * (inside - 0.5) / (inside - outside)


def around(probability: Curve, low: int, high: int, independence: float) -> tuple[float | None, float | None]:
    """Onset and offset (seconds from the fiducial point) of the wave that is surest within samples [low, high)."""
    low, high = max(low, 0), min(high, probability.shape[1])
    if high <= low:
        return None, None
    curve = any_lead(probability, independence)
    top = low + int(np.argmax(probability[:, low:high].mean(axis=0)))
    if curve[top] <= 0.5:
        return None, None
    zero = round(BEFORE_S * RATE)
    onset, offset = crossing(curve, top, -1), crossing(curve, top, 1)
    return (
        None if onset is None else (onset - zero) / RATE,
        None if offset is None else (offset - zero) / RATE,
    )


def global_waves(
    beat: dict[str, Curve], with_p: bool, rr_s: float | None, independence: float = INDEPENDENCE
) -> GlobalWaves:
    """Earliest onset and latest offset over the leads of the representative beat.

    `beat` is `representative_probability`. The QRS is the one at the fiducial point; T is the surest wave between
    its end and the next beat; P the surest before it, not farther off than 0.9 of `rr_s` (the mean RR, None if
    unknown), and only where `with_p`.
    """
    zero = round(BEFORE_S * RATE)
    near = round(0.1 * RATE)
    qrs = around(beat["QRS"], zero - near, zero + near, independence)
    if qrs[0] is None or qrs[1] is None:
        return GlobalWaves(None, None, None, None, None, None)
    start, end = (zero + round(at * RATE) for at in (qrs[0], qrs[1]))
    reach = beat["T"].shape[1] if rr_s is None else start + round(rr_s * RATE)
    t = around(beat["T"], end, reach, independence)
    p: tuple[float | None, float | None] = (None, None)
    if with_p:
        since = 0 if rr_s is None else start - round(P_WITHIN_RR * rr_s * RATE)
        p = around(beat["P"], since, start, independence)
    return GlobalWaves(*p, *qrs, *t)


def has_p(times: NDArray[np.float64], fiducial: Curve) -> bool:
    """Whether P waves are there in most beats and at a steady distance from the QRS.

    `times` (b, leads, 3) seconds, NaN where absent; `fiducial` (b,) seconds.
    """
    with_p = np.isfinite(times[:, :, 0]).mean(axis=1) >= P_LEADS
    if with_p.mean() < P_BEATS:
        return False
    rows = np.flatnonzero(with_p)
    distance = np.asarray([known_median(times[row, :, 0]) - fiducial[row] for row in rows])
    # A median deviation, scaled to a standard deviation, so that one lost P does not decide.
    deviation = float(np.median(np.abs(distance - np.median(distance))))
    return 1.4826 * deviation <= LARGEST_PR_SPREAD_S


def milliseconds(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None or end <= start else 1000 * (end - start)
