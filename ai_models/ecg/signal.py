"""From a recording in millivolt to the tensors of the network.

The steps are those that reproduced the published level of networks trained on PTB-XL (resample, zero-phase
band-pass, windows). Scaling per lead is inside the network's graph, so that its digest covers the constants.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt, sosfilt_zi

from ai_models.ecg.decimation import LARGEST_STEP, Levelled

PREPROCESSING = "ecg-100hz-0.5-40hz-w300s150-rr3/1"
"""Version of everything between the recording and the tensors; a change of any step is a new name."""

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
MODEL_RATE = 100.0
BEAT_RATE = 250.0
WINDOW = 300
STEP = 150

Signal = NDArray[np.float64]


def resample(samples: Signal, rate: float, target: float) -> Signal:
    """Return `samples` (leads, n) at `rate` Hz as (leads, about n * target / rate) at `target` Hz.

    Polyphase filtering (scipy.signal.resample_poly) with the ratio rounded to a denominator of at most 1000;
    the record is padded by its own ends, so that an offset makes no step there.
    """
    return Resampled(samples, rate).at(target)


class Resampled:
    """A complete recording (leads, n) mV at `rate` Hz, and at the rates that are asked for, each made once.

    Safe to be asked by one thread at a time.
    """

    def __init__(self, samples: NDArray[np.floating], rate: float) -> None:
        self.samples, self.rate = samples, rate
        self._own = np.asarray(samples, dtype=np.float64)
        self._made: dict[float, Signal] = {}

    def at(self, target: float) -> Signal:
        """`resample` to `target` Hz, float64. Shared: not to be written to."""
        if target not in self._made:
            self._made[target] = self._resampled(Fraction(target / self.rate).limit_denominator(1000))
        return self._made[target]

    def _resampled(self, ratio: Fraction) -> Signal:
        if ratio == 1:
            return self._own
        if ratio.numerator == 1 and ratio.denominator <= LARGEST_STEP:
            return self._levelled.every(ratio.denominator)
        found = resample_poly(self._own, ratio.numerator, ratio.denominator, axis=-1, padtype="line")
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def _levelled(self) -> Levelled:
        return Levelled(self._own)


class ZeroPhase:
    """`scipy.signal.sosfiltfilt` along the last axis, to the bit; what belongs to the filter is computed once."""

    def __init__(self, sections: Signal) -> None:
        self._sections = np.asarray(sections, dtype=np.float64)
        self._rest = sosfilt_zi(self._sections)[:, None, :]
        zeros = min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum())
        self._margin = 3 * int(2 * len(sections) + 1 - zeros)

    def __call__(self, samples: Signal) -> Signal:
        """Raises ValueError where (leads, n) is too short for the filter's padding."""
        margin, length = self._margin, samples.shape[-1]
        if length <= margin:
            raise ValueError(f"{length} samples, more than {margin} needed")
        before = 2 * samples[:, :1] - samples[:, margin:0:-1]
        after = 2 * samples[:, -1:] - samples[:, -2 : -margin - 2 : -1]
        there = self._filtered(np.concatenate((before, samples, after), axis=-1))
        back = self._filtered(there[:, ::-1])[:, ::-1]
        return back[:, margin:-margin]

    def _filtered(self, samples: Signal) -> Signal:
        found, _ = sosfilt(self._sections, samples, axis=-1, zi=self._rest * samples[None, :, :1])
        return np.asarray(found, dtype=np.float64)


@lru_cache(maxsize=8)
def _sections(low: float, high: float, rate: float, order: int) -> ZeroPhase:
    return ZeroPhase(butter(order, [low, high], btype="bandpass", fs=rate, output="sos"))


def band_pass(samples: Signal, rate: float, low: float = 0.5, high: float = 40.0, order: int = 4) -> Signal:
    """Butterworth band-pass of `samples` (leads, n), forward and backward (zero phase); mV in, mV out.

    Raises ValueError where the record is too short for the filter's padding (under 28 samples at order 4).
    """
    return _sections(low, high, rate, order)(samples)


def windows(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """Cut (12, n >= 300) at 100 Hz into overlapping windows (w, 12, 300), float32, 3 s long, 1.5 s apart.

    The last window ends with the record, so that no part of it is left unread.
    """
    last = samples.shape[-1] - WINDOW
    if last < 0:
        raise ValueError(f"a window needs {WINDOW} samples at {MODEL_RATE:g} Hz, got {samples.shape[-1]}")
    starts = list(range(0, last + 1, STEP))
    if last - starts[-1] >= STEP // 2:
        starts.append(last)
    return np.stack([samples[:, start : start + WINDOW] for start in starts]).astype(np.float32)


def at_model_rate(samples: NDArray[np.floating], rate: float) -> Signal:
    """Return a complete recording (12, n) in mV at `rate` Hz as (12, m) at 100 Hz, 0.5-40 Hz, float64 mV."""
    return band_pass(resample(np.asarray(samples, dtype=np.float64), rate, MODEL_RATE), MODEL_RATE)
