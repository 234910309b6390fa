"""R peaks over all leads at once, and what their rhythm tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import find_peaks

from ai_models.ecg.signal import BEAT_RATE, band_pass, resample

REFRACTORY_S = 0.24
MIN_BEATS_FOR_RHYTHM = 5


@dataclass(frozen=True)
class Beats:
    """R peaks of one recording: sample numbers at 250 Hz, in ascending order."""

    peaks: NDArray[np.int64]

    @property
    def rr_s(self) -> NDArray[np.float64]:
        """Intervals between successive R peaks in seconds, shape (peaks - 1,)."""
        return np.diff(self.peaks) / BEAT_RATE

    @property
    def heart_rate_bpm(self) -> float | None:
        """60 / mean RR; None with fewer than three beats, because two give one interval and no check on it."""
        return None if len(self.peaks) < 3 else float(60.0 / self.rr_s.mean())


def _slope_energy(filtered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root of the summed squared slopes of the leads, each lead bounded by its own 98th percentile.

    Bounding keeps one lead with an artefact from hiding the beats of the eleven others.
    """
    slope = np.abs(np.gradient(filtered, axis=-1))
    bound = np.percentile(slope, 98, axis=-1, keepdims=True)
    energy = np.sqrt((np.minimum(slope, bound) ** 2).sum(axis=0))
    return np.asarray(uniform_filter1d(energy, int(0.08 * BEAT_RATE)), dtype=np.float64)


def find_beats(samples: NDArray[np.floating], rate: float) -> Beats:
    """Find the R peaks of `samples` (leads, n), mV, at `rate` Hz, complete (no NaN), at least one second long.

    Slope energy of the 5-25 Hz band over all leads (after Pan and Tompkins 1985, IEEE Trans Biomed Eng
    32:230), peaks at least 240 ms apart above a threshold that follows the local maximum over 3 s, so that
    neither a tall artefact nor slowly changing amplitude loses beats elsewhere. The peak is then set where the
    leads together deviate most within 60 ms.
    """
    return beats_at_250_hz(resample(np.asarray(samples, dtype=np.float64), rate, BEAT_RATE))


def beats_at_250_hz(signal: NDArray[np.float64]) -> Beats:
    """`find_beats` of a recording (leads, m) mV that is already at 250 Hz."""
    narrow = band_pass(signal, BEAT_RATE, 5.0, 25.0, order=2)
    energy = _slope_energy(narrow)
    local = maximum_filter1d(energy, int(3 * BEAT_RATE))
    level = np.minimum(local, 2.0 * np.median(local))
    candidates, _ = find_peaks(energy, distance=int(REFRACTORY_S * BEAT_RATE))
    chosen = candidates[energy[candidates] > 0.35 * level[candidates]]
    deviation = np.abs(narrow).sum(axis=0)
    reach = int(0.06 * BEAT_RATE)
    peaks = []
    for position in chosen:
        start = max(0, position - reach)
        peaks.append(start + int(np.argmax(deviation[start : position + reach + 1])))
    return Beats(np.unique(np.asarray(peaks, dtype=np.int64)))


def rhythm_features(samples: NDArray[np.floating], rate: float, beats: Beats) -> NDArray[np.float32] | None:
    """Three features for atrial fibrillation, float32 (3,), or None with fewer than five beats.

    1. log of the median absolute successive RR difference over mean RR: robust against single extrasystoles;
    2. log of RMSSD over mean RR;
    3. log of how well the P region (280 to 80 ms before R) repeats from beat to beat: spread of the median
       beat there over the median spread of the beats about it, median over the leads.
    """
    return rhythm_at_250_hz(resample(np.asarray(samples, dtype=np.float64), rate, BEAT_RATE), beats)


def rhythm_at_250_hz(samples: NDArray[np.float64], beats: Beats) -> NDArray[np.float32] | None:
    """`rhythm_features` of a recording (leads, m) mV that is already at 250 Hz."""
    if len(beats.peaks) < MIN_BEATS_FOR_RHYTHM:
        return None
    rr = beats.rr_s
    steps = np.abs(np.diff(rr))
    mean = rr.mean()
    signal = band_pass(samples, BEAT_RATE, 1.0, 40.0)
    before, until = int(0.28 * BEAT_RATE), int(0.08 * BEAT_RATE)
    inside = [int(p) for p in beats.peaks if p >= before]
    if len(inside) < 3:
        return None
    beat = np.stack([signal[:, p - before : p - until] for p in inside])
    beat = beat - beat.mean(axis=-1, keepdims=True)
    middle = np.median(beat, axis=0)
    repeat = middle.std(axis=-1) / (np.median((beat - middle).std(axis=-1), axis=0) + 1e-3)
    return np.asarray(
        [
            np.log(np.median(steps) / mean + 0.005),
            np.log(np.sqrt(np.mean(steps**2)) / mean + 0.005),
            np.log(np.median(repeat) + 0.05),
        ],
        dtype=np.float32,
    )
