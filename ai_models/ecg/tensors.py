"""The two inputs of the ECG network, for recordings of any length in its domain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.beats import Beats, beats_at_250_hz, rhythm_at_250_hz
from ai_models.ecg.signal import BEAT_RATE, MODEL_RATE, Resampled, band_pass, windows

SEGMENT = int(10 * MODEL_RATE)


@dataclass(frozen=True)
class EcgTensors:
    """`windows` float32 (n, w, 12, 300) in mV, `rhythm` float32 (n, 3); n segments of 10 s, w windows each.

    `has_rhythm` is False where too few beats were found; `rhythm` is zero then and AFIB must not be reported.
    """

    windows: NDArray[np.float32]
    rhythm: NDArray[np.float32]
    beats: Beats
    has_rhythm: bool

    def inputs(self) -> dict[str, NDArray[np.float32]]:
        return {"windows": self.windows, "rhythm": self.rhythm}


def segments(signal: NDArray[np.float64]) -> NDArray[np.float32]:
    """Windows (n, w, 12, 300) of a signal (12, m >= 300) at 100 Hz.

    Up to 10 s are one segment. Longer recordings are cut into segments of 10 s, the last one ending with the
    record: a record's score is the mean over segments of the highest window, so that a long record is not
    flagged more often merely because it has more windows.
    """
    length = signal.shape[1]
    # A few samples over ten seconds are rounding of the sampling rate, not another segment.
    if length < SEGMENT + SEGMENT // 4:
        return windows(signal[:, :length])[None]
    starts = list(range(0, length - SEGMENT + 1, SEGMENT))
    if length - SEGMENT - starts[-1] > SEGMENT // 10:
        starts.append(length - SEGMENT)
    return np.stack([windows(signal[:, start : start + SEGMENT]) for start in starts])


def ecg_tensors(samples: NDArray[np.floating], rate: float, *, at: Resampled | None = None) -> EcgTensors:
    """Tensors of a complete recording (12, n), mV, at `rate` Hz, at least 3 s long.

    `at`: the same at other rates, where somebody has it. Raises ValueError for a shorter one.
    """
    at = at if at is not None else Resampled(samples, rate)
    at_250_hz = at.at(BEAT_RATE)
    beats = beats_at_250_hz(at_250_hz)
    features = rhythm_at_250_hz(at_250_hz, beats)
    cut = segments(band_pass(at.at(MODEL_RATE), MODEL_RATE))
    row = np.zeros(3, dtype=np.float32) if features is None else features
    return EcgTensors(cut, np.tile(row, (len(cut), 1)), beats, features is not None)
