"""From a recording in millivolt to the input of the delineation network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter

from ai_models.ecg.signal import Resampled, ZeroPhase

PREPROCESSING = "ecg-250hz-hp0.5-p2p/1"
"""Version of everything between the recording and the tensor; a change of any step is a new name."""

RATE = 250.0
"""4 ms a sample; boundaries are read between samples, so that the step adds little to their spread."""
HIGH_PASS_HZ = 0.5
STRIDE = 32
"""The network halves the length five times: its input is padded to a multiple of this."""
FLAT_MV = 1e-3


def lead_scale(filtered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Typical height of each lead, (leads,), mV: the median peak-to-peak over stretches of 2 s, 1 s apart.

    A median, so that one artefact does not shrink the lead; 2 s, so that every stretch holds a beat at 35/min.
    At least 1 uV, so that a flat lead stays flat.
    """
    step, width = int(RATE), int(2 * RATE)
    starts = range(0, max(1, filtered.shape[-1] - width + 1), step)
    heights = np.stack([np.ptp(filtered[:, start : start + width], axis=-1) for start in starts])
    return np.asarray(np.maximum(np.median(heights, axis=0), FLAT_MV), dtype=np.float64)


@lru_cache(maxsize=1)
def _high_pass() -> ZeroPhase:
    return ZeroPhase(butter(2, HIGH_PASS_HZ, btype="highpass", fs=RATE, output="sos"))


def conditioned(
    samples: NDArray[np.floating], rate: float, *, at: Resampled | None = None
) -> NDArray[np.float32]:
    """A complete recording (leads, n >= 1 s), mV, at `rate` Hz as (leads, m) at 250 Hz, float32, no unit.

    Resampled (polyphase), high-passed at 0.5 Hz (Butterworth 2, zero phase), each lead divided by `lead_scale`:
    the network sees form, not gain. For boundaries alone; no amplitude is ever measured on it. `at`: the same at
    other rates, where somebody has it.
    """
    signal = (at if at is not None else Resampled(samples, rate)).at(RATE)
    filtered = _high_pass()(signal)
    return (filtered / lead_scale(filtered)[:, None]).astype(np.float32)


def network_input(
    samples: NDArray[np.floating], rate: float, *, at: Resampled | None = None
) -> tuple[NDArray[np.float32], int]:
    """Tensor `signal` (1, leads, padded m) and m, the number of samples at 250 Hz that are the recording."""
    signal = conditioned(samples, rate, at=at)
    length = signal.shape[-1]
    padded = np.pad(signal, ((0, 0), (0, -length % STRIDE)), mode="edge")
    return padded[None], length
