"""The median of a handful of numbers: for so few, numpy's own spends its time on everything but the numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float64]) -> float:
    """Of (n,) finite numbers, n >= 1: to the bit what `numpy.median` gives. Raises IndexError where there is none."""
    ordered = sorted(values.tolist())
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def known_median(values: NDArray[np.float64]) -> float:
    """`median` of those of (n,) that are finite; NaN where none is."""
    known = values[np.isfinite(values)]
    return median(known) if len(known) else float("nan")
