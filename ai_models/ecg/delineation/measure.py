"""Everything that is measured on one recording, from the network's probabilities and the samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation import representative
from ai_models.ecg.delineation.amplitudes import extreme, q_r_s, st_levels
from ai_models.ecg.delineation.axes import frontal_axis
from ai_models.ecg.delineation.beats import JoinedBeats, join
from ai_models.ecg.delineation.decode import LeadWaves
from ai_models.ecg.delineation.intervals import (
    INDEPENDENCE,
    GlobalWaves,
    global_waves,
    has_p,
    milliseconds,
    representative_probability,
)
from ai_models.ecg.delineation.rhythm import rhythm
from ai_models.ecg.medians import median
from ai_models.ecg.signal import LEADS, Resampled
from telemed.domain.measuring import qtc_bazett, qtc_fridericia

ISOELECTRIC_LEAD_S = 0.004
"""The isoelectric stretch ends that long before QRS onset, so that a boundary a little late spoils no level."""
FEWEST_ALIKE, LEAST_ALIKE = 2, 0.25
"""With fewer beats of one form than this nothing represents the recording: noise, or a rhythm of many forms."""


@dataclass(frozen=True)
class MedianBeat:
    """`samples` (leads, w) mV at `rate` Hz, NaN where too few beats reach; `fiducial` is the index all beats share.

    Zero is each lead's PR segment. `waves` are seconds from the fiducial point; `beats` of the `of` were used.
    """

    samples: NDArray[np.float64]
    rate: float
    fiducial: int
    waves: GlobalWaves
    beats: int
    of: int


@dataclass(frozen=True)
class Measured:
    """`measurements` and `leads` hold only what could be measured; units are in the names.

    `placed` are the forms of the beats in `beats`; None where there was no beat.
    """

    measurements: dict[str, float]
    leads: dict[str, dict[str, float]]
    median_beat: MedianBeat | None
    beats: JoinedBeats
    placed: representative.Alignment | None = None


def measure(
    samples: NDArray[np.floating],
    rate: float,
    probability: NDArray[np.floating],
    waves: list[LeadWaves],
    independence: float = INDEPENDENCE,
    *,
    at: Resampled | None = None,
) -> Measured:
    """Measure a complete recording (12, n) mV at `rate` Hz in the order of `LEADS`.

    `probability` (12, 4, m) at 250 Hz and `waves` are the delineation of the same samples; `independence` is that
    of `intervals.any_lead`; `at` the samples at other rates, where somebody has them.
    """
    signal = (at if at is not None else Resampled(samples, rate)).at(representative.RATE)
    beats = join(probability, waves)
    if not len(beats):
        return Measured(
            rhythm(beats.middle, np.empty(0, np.int64), 0, signal.shape[1] / representative.RATE),
            {},
            None,
            beats,
        )
    placed = representative.align(signal, beats.middle)
    main_form = int(placed.form[placed.dominant][0]) if placed.dominant.any() else -1
    found = rhythm(placed.fiducial, placed.form, main_form, signal.shape[1] / representative.RATE)
    alike = int((placed.form == main_form).sum())
    if main_form < 0 or alike < max(FEWEST_ALIKE, LEAST_ALIKE * len(beats)):
        return Measured(found, {}, None, beats, placed)
    fiducial = placed.fiducial[placed.dominant]
    with_p = has_p(beats.waves["P"][placed.dominant], fiducial)
    rr_ms = found.get("rr_mean_ms")
    beat_probability = representative_probability(probability, fiducial)
    bounds = global_waves(beat_probability, with_p, None if rr_ms is None else rr_ms / 1000, independence)
    found |= intervals(bounds, rr_ms)
    typical = typical_qrs_ms(beats.waves["QRS"][placed.dominant])
    if typical is not None:
        found["qrs_typical_lead_ms"] = typical
    if bounds.qrs_onset is None or bounds.qrs_offset is None:
        return Measured(found, {}, None, beats, placed)
    level = representative.without_wander(signal, placed.fiducial + bounds.qrs_onset - ISOELECTRIC_LEAD_S)
    middle = representative.median_beat(representative.beat_stack(level, fiducial))
    beat = MedianBeat(
        middle,
        representative.RATE,
        round(representative.BEFORE_S * representative.RATE),
        bounds,
        int(placed.dominant.sum()),
        len(beats),
    )
    return Measured(found | axes(beat), per_lead(beat), beat, beats, placed)


def intervals(bounds: GlobalWaves, rr_ms: float | None) -> dict[str, float]:
    """p_ms, pr_ms, qrs_ms, qt_ms of the representative beat; QTc where the mean RR is known."""
    rows = {
        "p_ms": milliseconds(bounds.p_onset, bounds.p_offset),
        "pr_ms": milliseconds(bounds.p_onset, bounds.qrs_onset),
        "qrs_ms": milliseconds(bounds.qrs_onset, bounds.qrs_offset),
        "qt_ms": milliseconds(bounds.qrs_onset, bounds.t_offset),
    }
    found = {name: value for name, value in rows.items() if value is not None}
    if "qt_ms" in found and rr_ms is not None:
        found["qtc_ms"] = qtc_bazett(found["qt_ms"], rr_ms)
        found["qtc_fridericia_ms"] = qtc_fridericia(found["qt_ms"], rr_ms)
    return found


def typical_qrs_ms(times: NDArray[np.float64]) -> float | None:
    """Median over leads of the leads' median QRS duration, from (beats, leads, 3) seconds.

    Shorter than the global QRS by what the leads differ, and nearer to what devices print; see the card.
    """
    widths = times[:, :, 2] - times[:, :, 0]
    by_lead = np.asarray([median(seen) for column in widths.T if len(seen := column[np.isfinite(column)])])
    return 1000 * median(by_lead) if len(by_lead) else None


def cut(beat: MedianBeat, lead: int, start: float | None, end: float | None) -> NDArray[np.float64] | None:
    """One lead of the median beat from `start` to `end` (seconds from the fiducial point); None if not whole."""
    if start is None or end is None:
        return None
    first, last = (beat.fiducial + round(at * beat.rate) for at in (start, end))
    part = beat.samples[lead, max(0, first) : last + 1]
    return part if first >= 0 and len(part) == last + 1 - first > 1 and np.isfinite(part).all() else None


def p_part(beat: MedianBeat, lead: int) -> NDArray[np.float64] | None:
    """P of one lead less the straight line between its ends: the PR segment is not its zero, the line is."""
    part = cut(beat, lead, beat.waves.p_onset, beat.waves.p_offset)
    return None if part is None else part - np.linspace(part[0], part[-1], len(part))


def axes(beat: MedianBeat) -> dict[str, float]:
    """p_axis_deg, qrs_axis_deg, t_axis_deg, where the wave is there and large enough to have a direction."""
    i, avf = LEADS.index("I"), LEADS.index("aVF")
    waves = beat.waves
    parts = {
        "p_axis_deg": [p_part(beat, lead) for lead in (i, avf)],
        "qrs_axis_deg": [cut(beat, lead, waves.qrs_onset, waves.qrs_offset) for lead in (i, avf)],
        "t_axis_deg": [cut(beat, lead, waves.t_onset, waves.t_offset) for lead in (i, avf)],
    }
    found = {}
    for name, (x, y) in parts.items():
        angle = frontal_axis(x, y) if x is not None and y is not None else None
        if angle is not None:
            found[name] = angle
    return found


def per_lead(beat: MedianBeat) -> dict[str, dict[str, float]]:
    """p_mv, q_mv, r_mv, s_mv, t_mv and the ST levels of each lead, mV against its PR segment."""
    result = {}
    for lead, name in enumerate(LEADS):
        row: dict[str, float] = {}
        p = p_part(beat, lead)
        if p is not None:
            row["p_mv"] = extreme(p)
        qrs = cut(beat, lead, beat.waves.qrs_onset, beat.waves.qrs_offset)
        if qrs is not None:
            row |= q_r_s(qrs)
        t = cut(beat, lead, beat.waves.t_onset, beat.waves.t_offset)
        if t is not None:
            row["t_mv"] = extreme(t)
        if beat.waves.qrs_offset is not None:
            j = beat.fiducial + round(beat.waves.qrs_offset * beat.rate)
            row |= st_levels(beat.samples[lead], j, beat.rate)
        result[name] = row
    return result
