"""Every n-th sample of a recording behind the usual filter, as products of matrices.

The same as `scipy.signal.resample_poly(x, 1, step, padtype="line")`, whose inner loop takes one product at a time and
needs three times as long; the sums come in another order, so answers differ by rounding alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from scipy.signal import firwin

Signal = NDArray[np.float64]

LARGEST_STEP = 20
_REACH = 10
"""Samples at the lower rate that the filter reaches to either side, as scipy designs it."""
_AT_ONCE = 20
"""Samples that one row of products makes."""
_MOST_PRODUCTS = 200_000
"""Of one call: the library behind it starts threads for more, on cores that others have."""


class Levelled:
    """A signal (leads, n) less the line through its first and last sample, with zeros around it for any step."""

    def __init__(self, samples: Signal) -> None:
        leads, self._length = samples.shape
        self._first = samples[:, :1]
        self._slope = (samples[:, -1:] - self._first) / max(self._length - 1, 1)
        self._margin = _REACH * LARGEST_STEP
        # The last rows of the widest plan reach as far beyond the end as one call is long.
        behind = _MOST_PRODUCTS // _AT_ONCE + 2 * _AT_ONCE * LARGEST_STEP
        self._padded = np.zeros((leads, self._margin + self._length + behind))
        inside = self._padded[:, self._margin : self._margin + self._length]
        np.subtract(samples, self._first, out=inside)
        inside -= self._slope * np.arange(self._length)

    def every(self, step: int) -> Signal:
        """(leads, ceil(n / step)), mV, for a step of 2 to 20."""
        filters = _places(step)
        width = _AT_ONCE * step
        made = -(-self._length // step)
        rows = max(1, _MOST_PRODUCTS // (width * _AT_ONCE))
        calls = -(-made // (_AT_ONCE * rows))
        size = self._padded.itemsize
        leads, stride = len(self._padded), self._padded.strides[0]
        start = self._margin - _REACH * step
        found: Signal = np.zeros(())
        for number, places in enumerate(filters):
            blocks = as_strided(
                self._padded[:, start + number * width :],
                (leads, calls, rows, width),
                (stride, rows * width * size, width * size, size),
                writeable=False,
            )
            found = found + blocks @ places if number else blocks @ places
        flat = found.reshape(leads, -1)[:, :made]
        return np.asarray(flat + (self._first + self._slope * np.arange(0, self._length, step)))


@lru_cache(maxsize=8)
def _places(step: int) -> tuple[Signal, ...]:
    """The filter at each place it takes in a row of products: (_AT_ONCE * step, _AT_ONCE) of each block."""
    taps = firwin(2 * _REACH * step + 1, 1.0 / step, window=("kaiser", 5.0))
    width = _AT_ONCE * step
    places = np.zeros((2 * width, _AT_ONCE))
    for column in range(_AT_ONCE):
        places[column * step : column * step + len(taps), column] = taps[::-1]
    return places[:width].copy(), places[width:].copy()
