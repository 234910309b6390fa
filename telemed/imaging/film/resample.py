"""Averages over areas, without a helper thread: a decode must not take a core that a run has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def area_mean(picture: NDArray[Any], size: int) -> NDArray[np.float64]:
    """`picture` (rows, columns) of any real dtype as (size, size) float64: each cell the mean of the area it covers.

    Edges may cut through pixels, which then count by the covered part. Also enlarges. O(rows x columns).
    """
    return _axis_mean(_axis_mean(np.asarray(picture, dtype=np.float64), size).T, size).T


def _axis_mean(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    n = len(values)
    # The integral from the top to each edge: whole rows summed, and the covered part of the row it cuts.
    total = np.zeros((n + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=total[1:])
    edges = np.arange(size + 1) * (n / size)
    row = np.minimum(edges.astype(np.int64), n - 1)
    integral = total[row] + values[row] * (edges - row)[:, None]
    return np.diff(integral, axis=0) * (size / n)


def block_mean(stored: NDArray[Any], factor: int, bits: int) -> NDArray[np.float32]:
    """Means of blocks of `factor` x `factor` whole pixels: (rows // factor, columns // factor) float32.

    `bits`: how many bits the integers use, so that sums of rows can stay in 16 bits, at half the memory traffic.
    What is left over at the lower and right edge, less than a block, falls away.
    """
    if factor == 1:
        return stored.astype(np.float32)
    rows, columns = (length // factor * factor for length in stored.shape)
    narrow = stored.dtype.kind == "u" and (factor - 1) * ((1 << bits) - 1) + (1 << bits) - 1 <= 0xFFFF
    total: NDArray[Any] = stored[0:rows:factor, :columns].astype(np.uint16 if narrow else np.int32)
    for offset in range(1, factor):
        total += stored[offset:rows:factor, :columns]
    wide: NDArray[Any] = total[:, 0::factor].astype(np.int64 if bits > 24 else np.int32)
    for offset in range(1, factor):
        wide += total[:, offset::factor]
    return wide.astype(np.float32) / np.float32(factor * factor)
