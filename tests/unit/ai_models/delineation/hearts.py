"""Synthetic hearts with known boundaries: one dipole, waves of finite length, a fixed projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telemed.imaging.waveform import LEADS, Waveform
from tests.unit.ai_models.synthetic import PROJECTION

RATE = 500.0

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Bump:
    """A raised cosine from `start` to `end` (s from R) along `vector` (dipole units, about mV in lead II)."""

    start: float
    end: float
    vector: Vector

    def at(self, time: NDArray[np.float64]) -> NDArray[np.float64]:
        middle, half = (self.start + self.end) / 2, (self.end - self.start) / 2
        inside = np.abs(time - middle) < half
        return np.where(inside, 0.5 + 0.5 * np.cos(np.pi * (time - middle) / half), 0.0)


P = Bump(-0.20, -0.10, (0.10, 0.13, -0.02))
QRS = (
    Bump(-0.045, -0.010, (-0.12, -0.08, -0.18)),
    Bump(-0.035, 0.030, (1.00, 0.85, 0.25)),
    Bump(0.008, 0.050, (-0.15, -0.22, 0.40)),
)
T = Bump(0.17, 0.36, (0.24, 0.22, -0.12))
NORMAL = (P, *QRS, T)
WITHOUT_P = (*QRS, T)
ECTOPIC = (
    Bump(-0.06, 0.06, (-0.8, 1.1, 0.9)),
    Bump(0.02, 0.13, (-1.1, -0.5, 0.7)),
    Bump(0.18, 0.42, (0.5, -0.4, -0.5)),
)
"""Wide, of another direction, without P."""


def heart(
    beats: list[tuple[float, tuple[Bump, ...]]], seconds: float = 10.0, noise_mv: float = 0.006, seed: int = 3
) -> NDArray[np.float32]:
    """(12, n) float32 mV at 500 Hz of beats given as (time of R in s, waves), with a little electrode noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    dipole = np.zeros((3, len(time)))
    for at, waves in beats:
        for wave in waves:
            dipole += np.outer(wave.vector, wave.at(time - at))
    noise = np.random.default_rng(seed).normal(0, noise_mv, (8, len(time)))
    i, ii, *chest = PROJECTION @ dipole + noise
    rows = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *chest]
    return np.asarray(rows, dtype=np.float32)


def regular(
    bpm: float = 70.0, waves: tuple[Bump, ...] = NORMAL, seconds: float = 10.0
) -> NDArray[np.float32]:
    return heart([(float(at), waves) for at in np.arange(0.5, seconds, 60 / bpm)], seconds)


def waveform(samples: NDArray[np.float32], rate: float = RATE) -> Waveform:
    return Waveform(LEADS, samples, rate)
