"""Twelve leads of a fictional heart.

One three-dimensional dipole moves through Gaussian loops (P, Q, R, S, T); eight leads are its fixed
projection, the other four follow from I and II. So Einthoven's and Goldberger's relations hold to the last
bit, which independent waves per lead would break.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.waveform import LEADS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rhythm(StrEnum):
    SINUS = "sinus"
    BRADYCARDIA = "bradycardia"
    TACHYCARDIA = "tachycardia"
    ATRIAL_FIBRILLATION = "atrial_fibrillation"
    WIDE_QRS = "wide_qrs"


@dataclass(frozen=True)
class Recipe:
    """What to draw. Noise is the standard deviation in mV at each electrode, `gain` scales the heart alone."""

    rhythm: Rhythm
    seed: int
    rate_bpm: float | None = None
    gain: float = 1.0
    wander_mv: float = 0.03
    muscle_mv: float = 0.006


@dataclass(frozen=True)
class _Wave:
    """A Gaussian loop: time from the R peak (s), width (s), vector (x left, y foot, z back; mV).

    `stretch` waves move with the square root of the RR interval, as the QT interval does.
    """

    at: float
    width: float
    vector: tuple[float, float, float]
    stretch: bool = False


# Dower GE, Machado HB, Osborne JA. On deriving the electrocardiogram from vectorcardiographic leads.
# Clin Cardiol 1980;3:87-95: lead = a x + b y + c z with x left, y foot, z back.
_PROJECTION = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
_P = (_Wave(-0.175, 0.016, (0.03, 0.09, -0.04)), _Wave(-0.147, 0.018, (0.07, 0.08, 0.03)))
_NARROW = (
    _Wave(-0.026, 0.007, (-0.14, -0.06, -0.22)),
    _Wave(0.000, 0.010, (1.05, 0.85, 0.20)),
    _Wave(0.016, 0.010, (0.35, 0.10, 0.75)),
    _Wave(0.036, 0.008, (-0.18, -0.06, 0.22)),
)
# Left bundle branch block: slow activation to the left and back, without a septal q, T turned against it.
_WIDE = (
    _Wave(0.000, 0.020, (0.70, 0.30, 0.55)),
    _Wave(0.045, 0.024, (0.85, 0.20, 0.85)),
    _Wave(0.085, 0.018, (0.55, 0.05, 0.45)),
)
_T = (
    _Wave(0.245, 0.040, (0.20, 0.15, -0.12), stretch=True),
    _Wave(0.285, 0.026, (0.16, 0.12, -0.08), stretch=True),
)
_T_DISCORDANT = (_Wave(0.330, 0.045, (-0.30, -0.05, -0.40), stretch=True),)
_RATES = {
    Rhythm.SINUS: 72.0,
    Rhythm.BRADYCARDIA: 44.0,
    Rhythm.TACHYCARDIA: 128.0,
    Rhythm.ATRIAL_FIBRILLATION: 96.0,
    Rhythm.WIDE_QRS: 76.0,
}
# Fibrillatory waves are seen best in V1: to the right and forward.
_FIBRILLATION = np.array((-0.55, 0.25, -0.80))


def synthesize(recipe: Recipe, *, seconds: float = 10.0, sampling_rate: int = 500) -> NDArray[np.int16]:
    """Microvolts as int16, shape (samples, 12), columns in the order of `LEADS`.

    The same recipe gives the same samples. I and II are even, so that aVR, aVL, aVF are whole numbers too.
    """
    rng = np.random.default_rng(recipe.seed)
    t = np.arange(round(seconds * sampling_rate)) / sampling_rate
    dipole = _dipole(recipe, t, rng) * recipe.gain
    leads = {name: dipole @ np.array(row) for name, row in _PROJECTION.items()}
    for name in leads:
        leads[name] = leads[name] + _electrode_noise(recipe, t, rng)
    return _complete(leads)


def beat_times(recipe: Recipe, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """R peaks in seconds, from before the first sample to behind the last, so that no wave is cut."""
    mean = 60.0 / (recipe.rate_bpm or _RATES[recipe.rhythm])
    count = int(seconds / mean * 2) + 8
    if recipe.rhythm is Rhythm.ATRIAL_FIBRILLATION:
        intervals = np.maximum(rng.lognormal(np.log(mean), 0.22, count), 0.32)
    else:
        breathing = 0.02 * np.sin(2 * np.pi * 0.25 * np.arange(count) * mean + rng.uniform(0, 2 * np.pi))
        intervals = mean * (1 + breathing + rng.normal(0, 0.006, count))
    times = np.cumsum(intervals) - 1.5 * mean
    return times[times < seconds + mean]


def _dipole(recipe: Recipe, t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    beats = beat_times(recipe, float(t[-1]), rng)
    wide, fibrillating = recipe.rhythm is Rhythm.WIDE_QRS, recipe.rhythm is Rhythm.ATRIAL_FIBRILLATION
    waves = (() if fibrillating else _P) + (_WIDE + _T_DISCORDANT if wide else _NARROW + _T)
    turn = _rotation(rng.normal(0, 0.12, 3))
    dipole = np.zeros((len(t), 3))
    previous = beats[0] - (beats[1] - beats[0])
    for beat in beats:
        stretch = np.sqrt(np.clip(beat - previous, 0.35, 1.6))
        previous = beat
        for wave in waves:
            scale = float(stretch) if wave.stretch else 1.0
            distance = (t - beat - wave.at * scale) / (wave.width * scale)
            dipole += np.exp(-0.5 * distance**2)[:, None] * np.array(wave.vector)
    if fibrillating:
        dipole += _fibrillation(t, rng)[:, None] * _FIBRILLATION
    return dipole @ turn.T


def _fibrillation(t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Irregular waves of 5 to 7 per second, about 0.1 mV in V1."""
    frequency = 6.0 + 0.6 * np.sin(2 * np.pi * 0.13 * t + rng.uniform(0, 6.28))
    phase = 2 * np.pi * np.cumsum(frequency) * (t[1] - t[0])
    strength = 0.07 * (1 + 0.3 * np.sin(2 * np.pi * 0.31 * t + rng.uniform(0, 6.28)))
    waves: NDArray[np.float64] = strength * (np.sin(phase) + 0.35 * np.sin(2 * phase + 0.7))
    return waves


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """A small turn of the heart, one axis after the other: no two patients have the same axis."""
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = [n for n in range(3) if n != axis]
        step = np.eye(3)
        step[first, first] = step[second, second] = np.cos(angle)
        step[first, second], step[second, first] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    return turn


def _electrode_noise(recipe: Recipe, t: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Slow wander (0.1 to 0.5 Hz) and muscle tremor; it enters the eight measured leads alone."""
    wander = sum(
        np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t + rng.uniform(0, 6.28)) * share
        for share in (0.8, 0.5, 0.3)
    )
    muscle = np.convolve(rng.normal(0, 1, len(t) + 4), (0.1, -0.3, 0.9, -0.3, 0.1), "valid")
    noise: NDArray[np.float64] = recipe.wander_mv * wander + recipe.muscle_mv * muscle
    return noise


def _complete(leads: dict[str, NDArray[np.float64]]) -> NDArray[np.int16]:
    whole = {name: np.rint(values * 1000.0).astype(np.int64) for name, values in leads.items()}
    first, second = (2 * np.rint(leads[name] * 500.0).astype(np.int64) for name in ("I", "II"))
    whole |= {"I": first, "II": second, "III": second - first, "aVR": -(first + second) // 2}
    whole |= {"aVL": first - second // 2, "aVF": second - first // 2}
    stacked = np.stack([whole[name] for name in LEADS], axis=1)
    return np.clip(stacked, -32767, 32767).astype(np.int16)
