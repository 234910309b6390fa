"""A 12-lead ECG from one dipole with a fixed projection, so that I + III = II holds by construction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telemed.imaging.waveform import LEADS, Waveform

# Independent leads I II V1-V6 from the dipole's x (left), y (down), z (back): rough lead vectors, in mV per unit.
PROJECTION = np.asarray(
    [
        [0.9, -0.1, 0.0],
        [0.3, 0.95, 0.1],
        [-0.5, 0.1, -0.9],
        [0.0, 0.15, -1.1],
        [0.5, 0.2, -0.9],
        [0.95, 0.3, -0.4],
        [1.0, 0.3, 0.1],
        [0.8, 0.3, 0.3],
    ]
)
# Centre (s from R), width (s) and dipole of P, Q, R, S, T.
WAVES = (
    (-0.16, 0.022, (0.08, 0.12, -0.02)),
    (-0.026, 0.008, (-0.10, -0.06, -0.15)),
    (0.0, 0.010, (0.95, 0.85, 0.25)),
    (0.028, 0.009, (-0.15, -0.20, 0.35)),
    (0.28, 0.045, (0.22, 0.20, -0.15)),
)


def samples(seconds: float = 10.0, rate: float = 500.0, bpm: float = 72.0) -> NDArray[np.float32]:
    """(12, n) float32 mV of a regular rhythm; the first R peak lies at 0.4 s."""
    time = np.arange(round(seconds * rate)) / rate
    dipole = np.zeros((3, len(time)))
    for beat in np.arange(0.4, seconds, 60.0 / bpm):
        for centre, width, direction in WAVES:
            shape = np.exp(-0.5 * ((time - beat - centre) / width) ** 2)
            dipole += np.outer(direction, shape)
    i, ii, *chest = PROJECTION @ dipole
    rows = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *chest]
    return np.asarray(rows, dtype=np.float32)


def waveform(seconds: float = 10.0, rate: float = 500.0, bpm: float = 72.0) -> Waveform:
    return Waveform(LEADS, samples(seconds, rate, bpm), rate)
