"""What disturbs a recording that is complete: mains and wander."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One millimetre of paper from crest to crest: the line is a band then, and P waves of that height drown in it.
MAINS_MV = 0.05
_MAINS_HZ = (50.0, 60.0)
# The trace leaves its row of the paper, 15 mm high. Of 680 public recordings two do.
WANDER_MV = 1.5
# A disturbance of one electrode is in several leads; of two leads an artefact in one of them may still be read past.
_LEADS = 3


def mains_amplitude(samples: NDArray[np.float32], rate: float) -> NDArray[np.float64]:
    """(leads,) amplitude (mV, crest to zero) at 50 or 60 Hz, whichever is larger, of (leads, n) at `rate` Hz.

    The median over whole seconds of the projection on that frequency under a Hann window, so that neither a beat
    nor a passing artefact counts. 0 where the rate is too low to show it or nothing is a second long.
    """
    second = round(rate)
    blocks = samples.shape[1] // second
    if rate < 2.5 * _MAINS_HZ[0] or not blocks:
        return np.zeros(len(samples))
    cut = np.nan_to_num(samples[:, : blocks * second]).reshape(len(samples), blocks, second)
    time = np.arange(second) / rate
    window = np.hanning(second)
    usable = np.asarray([hertz for hertz in _MAINS_HZ if rate >= 2.5 * hertz])
    angle = 2 * np.pi * np.outer(time, usable)
    waves = np.concatenate((np.cos(angle), np.sin(angle)), axis=1) * window[:, None] * (2 / window.sum())
    # Hann leaves a constant no part at these frequencies, so the level needs no taking off.
    parts = (cut @ waves.astype(np.float32)).reshape(len(samples), blocks, 2, len(usable))
    return np.asarray(np.median(np.hypot(*np.moveaxis(parts, 2, 0)), axis=1).max(axis=1), dtype=np.float64)


def wander(samples: NDArray[np.float32], rate: float) -> NDArray[np.float64]:
    """(leads,) mV from the lowest to the highest level, a level being the median of a whole second."""
    second = max(round(rate), 2)
    blocks = samples.shape[1] // second
    if blocks < 2:
        return np.zeros(len(samples))
    # Fifty samples a second give the same median, ten times sooner.
    cut = np.nan_to_num(samples[:, : blocks * second]).reshape(len(samples), blocks, second)
    cut = cut[:, :, :: max(1, second // 50)]
    levels = np.median(cut, axis=2)
    return np.asarray(levels.max(axis=1) - levels.min(axis=1), dtype=np.float64)


def in_several(values: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    """Which leads reach `limit`, none unless three do."""
    reached = values >= limit
    return reached if reached.sum() >= _LEADS else np.zeros_like(reached)
