"""A first look at whether a recording can be read at all: the reason behind "repeat, because"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.waveform.disturbance import (
    MAINS_MV,
    WANDER_MV,
    in_several,
    mains_amplitude,
    wander,
)
from telemed.imaging.waveform.exchanged import exchanged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemed.imaging.waveform.model import Waveform

# A lead that moves less than this in a second carries no heart: the smallest QRS called low voltage is 0.5 mV, and an
# amplifier alone may give as much (IEC 60601-2-25: 0.03 mV).
_FLAT_MV = 0.03
_FLAT_SHARE = 0.5
# Where the others show a beat, three such seconds are a lead that came off; a pause is flat in all leads.
_FLAT_SECONDS = 3
_BEAT_MV = 0.15
# A rail is a run of one extreme value; 10 ms at its peak is longer than any R wave rests. One long rest is as much.
_RAIL_S = 0.010
_RAIL_MV = 2.0
_RAIL_RUNS = 3
_LONG_RAIL_S = 0.2
# Public 12-lead collections hold I + III = II to 0.003 mV; filters that differ by lead stay below 0.05.
_EINTHOVEN_MV = 0.1
_SHORTEST_S = 2.5
_RATES_HZ = (100.0, 2000.0)


@dataclass(frozen=True)
class QualityFinding:
    """A reason to repeat the recording: a key of the catalogue and the leads it is about (may be empty)."""

    code: str
    leads: tuple[str, ...] = ()


def quality(waveform: Waveform) -> list[str]:
    """Codes of what is wrong, empty when nothing is: see `quality_findings`."""
    return [finding.code for finding in quality_findings(waveform)]


def quality_findings(waveform: Waveform) -> list[QualityFinding]:
    """What speaks against reading this ECG, each with the leads concerned.

    quality.too_short: under 2.5 s. quality.sampling_rate: outside 100-2000 Hz. quality.lead_off: a lead is
    absent or flat (moves less than 0.03 mV in most seconds, or in three in which others show a beat).
    quality.saturated: a lead rests on its extreme value three times or more for 10 ms, or once for 0.2 s.
    quality.einthoven: the limb leads contradict each other by more than 0.1 mV, as with mislabelled leads.
    quality.mains: three leads or more carry mains of 0.05 mV.
    quality.wander: three leads or more drift by 1.5 mV. quality.arms_exchanged, quality.limb_exchanged,
    quality.chest_exchanged: see `exchanged`.
    """
    found = []
    if waveform.duration < _SHORTEST_S:
        found.append(QualityFinding("quality.too_short"))
    if not _RATES_HZ[0] <= waveform.sampling_rate <= _RATES_HZ[1]:
        found.append(QualityFinding("quality.sampling_rate"))
    samples, rate = waveform.samples, waveform.sampling_rate
    if not samples.shape[1]:
        return found
    off = _named(waveform, _flat(samples, rate))
    if off:
        found.append(QualityFinding("quality.lead_off", off))
    rail = _named(waveform, _saturated(samples, rate))
    if rail:
        found.append(QualityFinding("quality.saturated", rail))
    residual = waveform.einthoven_mv
    if residual > _EINTHOVEN_MV:
        found.append(QualityFinding("quality.einthoven", waveform.leads[:6]))
    for code, marked in (
        ("quality.mains", in_several(mains_amplitude(samples, rate), MAINS_MV)),
        ("quality.wander", in_several(wander(samples, rate), WANDER_MV)),
    ):
        if marked.any():
            found.append(QualityFinding(code, _named(waveform, marked)))
    found += [
        QualityFinding(code, leads)
        for code, leads in exchanged(samples, rate)
        # Where the limb leads contradict each other, aVR is not one that could tell of an exchange.
        if residual <= _EINTHOVEN_MV or code == "quality.arms_exchanged"
    ]
    return found


def einthoven_residual(waveform: Waveform) -> float:
    """How far the limb leads contradict each other, mV.

    The largest, over I + III = II, aVR = -(I + II)/2, aVL = (I - III)/2 and aVF = (II + III)/2, of the 99th
    percentile of the absolute difference; NaN when the limb leads were never recorded at the same time.
    Computed leads satisfy the relations by construction, so this speaks of recorded ones.
    """
    first, second, third, avr, avl, avf = waveform.samples[:6].astype(np.float64)
    half = (first + second) / 2, (first - third) / 2, (second + third) / 2
    differences = np.abs(np.stack((first + third - second, avr + half[0], avl - half[1], avf - half[2])))
    if np.isfinite(differences).all():
        return float(np.percentile(differences, 99, axis=1).max()) if differences.size else float("nan")
    residuals = [float(np.percentile(finite, 99)) for d in differences if (finite := d[np.isfinite(d)]).size]
    return max(residuals) if residuals else float("nan")


def _named(waveform: Waveform, marked: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(lead for lead, is_marked in zip(waveform.leads, marked, strict=True) if is_marked)


def _flat(samples: NDArray[np.float32], rate: float) -> NDArray[np.bool_]:
    """Which leads are flat in more than half of their seconds, or in three in which the others show a beat.

    The last second is perhaps not whole.
    """
    second = max(int(rate), 2)
    starts = np.arange(0, samples.shape[1], second)
    # fmax and fmin pass over what is missing; a second without a sample stays NaN, and counts as flat.
    height = np.fmax.reduceat(samples, starts, axis=1) - np.fmin.reduceat(samples, starts, axis=1)
    flat = ~(height >= _FLAT_MV)
    # A quarter of the leads: more than one electrode may be off.
    beat = (height >= _BEAT_MV).mean(axis=0) >= 0.25
    return np.asarray(
        (flat.sum(axis=1) > len(starts) * _FLAT_SHARE) | ((flat & beat).sum(axis=1) >= _FLAT_SECONDS)
    )


def _saturated(samples: NDArray[np.float32], rate: float) -> NDArray[np.bool_]:
    """Which leads rest on their highest or lowest value three times or more, or once for long."""
    longest, long = max(int(np.ceil(_RAIL_S * rate)), 4), int(np.ceil(_LONG_RAIL_S * rate))
    found = np.zeros(len(samples), dtype=np.bool_)
    runs = np.zeros(len(samples), dtype=np.int64)
    for extreme in (np.fmax.reduce(samples, axis=1), np.fmin.reduce(samples, axis=1)):
        for lead in np.flatnonzero(np.abs(extreme) >= _RAIL_MV):
            rests = samples[lead] == extreme[lead]
            runs[lead] += _runs_of(rests, longest)
            found[lead] |= _runs_of(rests, long) > 0
    return np.asarray(found | (runs >= _RAIL_RUNS))


def _runs_of(mask: NDArray[np.bool_], length: int) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return int(np.sum(edges[1::2] - edges[::2] >= length))
