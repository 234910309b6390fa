"""From a recording in millivolt to the tensors of the network.

The steps are those that reproduced the published level of networks trained on PTB-XL (resample, zero-phase
band-pass, windows). Scaling per lead is inside the network's graph, so that its digest covers the constants.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfiltfilt

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
    ratio = Fraction(target / rate).limit_denominator(1000)
    if ratio == 1:
        return samples
    return np.asarray(
        resample_poly(samples, ratio.numerator, ratio.denominator, axis=-1, padtype="line"), dtype=np.float64
    )


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
            self._made[target] = resample(self._own, self.rate, target)
        return self._made[target]


@lru_cache(maxsize=8)
def _sections(low: float, high: float, rate: float, order: int) -> Signal:
    return np.asarray(butter(order, [low, high], btype="bandpass", fs=rate, output="sos"), dtype=np.float64)


def band_pass(samples: Signal, rate: float, low: float = 0.5, high: float = 40.0, order: int = 4) -> Signal:
    """Butterworth band-pass of `samples` (leads, n), forward and backward (zero phase); mV in, mV out.

    Raises ValueError where the record is too short for the filter's padding (under 28 samples at order 4).
    """
    return np.asarray(sosfiltfilt(_sections(low, high, rate, order), samples, axis=-1), dtype=np.float64)


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
