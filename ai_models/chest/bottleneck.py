"""The one way into the film networks: everything that is no anatomy is made equal before anything looks at it.

The public sets differ in matrix, bit depth and JPEG history, and so do hospitals. Every film, in training and in
use, passes the same steps, so that such a difference carries nothing: one matrix, one range, one depth, no finest
detail, no outermost rim.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PREPROCESSING = "film-128-p1p99-8bit-binomial3-rim4/1"
MATRIX = 128
RIM = 4
"""Pixels cut from each edge: markers, collimator shadows and the border of a resampled scan live there."""
SIZE = MATRIX - 2 * RIM
RANGE = (1.0, 99.0)
"""Percentiles that become black and white: a window, a gain and a bit depth are gone after this."""


def through_bottleneck(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """A film averaged to (128, 128), real values, 0 is black, as (128, 128) uint8: range, depth, finest detail.

    A picture without contrast becomes all black. The rim is still there; `film_input` cuts it.
    """
    values = np.asarray(picture, dtype=np.float64)
    if values.shape != (MATRIX, MATRIX):
        raise ValueError(f"the film must be averaged to {MATRIX} x {MATRIX} first, not {values.shape}")
    low, high = np.percentile(values, RANGE)
    if high - low < 1e-6:
        return np.zeros((MATRIX, MATRIX), np.uint8)
    levels = np.rint(np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0)
    return np.rint(_binomial(_binomial(levels).T).T).astype(np.uint8)


def film_input(picture: NDArray[Any]) -> NDArray[np.float32]:
    """A film averaged to (128, 128) as the networks take it: (1, 1, 120, 120) float32 in 0..1."""
    inner = through_bottleneck(picture)[RIM : MATRIX - RIM, RIM : MATRIX - RIM]
    return (inner.astype(np.float32) / np.float32(255.0))[None, None]


def _binomial(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1-2-1 along the rows: zero at the finest frequency, where JPEG and resampling leave their traces."""
    padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    return (padded[:-2] + 2.0 * padded[1:-1] + padded[2:]) / 4.0
