"""Frontal axes of P, QRS and T."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST_MEAN_MV = 0.008
"""A wave whose mean vector is smaller has no direction worth a number: it would be one of noise."""


def net_area(lead: NDArray[np.float64]) -> float:
    """Mean of a wave's samples, mV: its net area over its duration."""
    return float(np.mean(lead)) if len(lead) else 0.0


def frontal_axis(i: NDArray[np.float64], avf: NDArray[np.float64]) -> float | None:
    """Direction in degrees, -180 to 180, 0 to the left, 90 to the feet, from the net areas of I and aVF.

    atan2(2 aVF, sqrt(3) I): aVF is an augmented lead, whose vector is sqrt(3)/2 as long as a bipolar one's
    (Novosel D, Noll G, Luscher TF. Corrected formula for the calculation of the electrical heart axis. Croat Med J
    1999;40:77-79). None where the vector is too small.
    """
    x, y = net_area(i), 2 * net_area(avf) / math.sqrt(3)
    if math.hypot(x, y) < LEAST_MEAN_MV:
        return None
    return math.degrees(math.atan2(y, x))
