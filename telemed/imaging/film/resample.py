"""Averages over areas, without a helper thread: a decode must not take a core that a run has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

_STRIP = 160
"""Rows summed at a time: of a wide film they and their sums stay in the second cache."""


def area_mean(picture: NDArray[Any], size: int) -> NDArray[np.floating[Any]]:
    """`picture` (rows, columns) of any real dtype as (size, size): each cell the mean of the area it covers.

    float32 stays float32, which is half the memory to go through; all else becomes float64. Edges may cut through
    pixels, which then count by the covered part. Also enlarges. O(rows x columns).
    """
    values = np.asarray(picture, dtype=np.float32 if picture.dtype == np.float32 else np.float64)
    rows, columns = values.shape
    down, across = (_shares(length, size, values.dtype.char) for length in (rows, columns))
    return np.asarray((across @ (down @ values).T).T)


@lru_cache(maxsize=64)
def _shares(length: int, size: int, dtype: str) -> csr_array[np.floating[Any]]:
    """(size, length) of `dtype`: what each pixel gives to the mean of each cell; of a large picture to one or two.

    The product is one pass over the picture. Full matrices of the same would be multiplied for longer than JPEG-LS is
    decoded.
    """
    # Whoever shows no film does without it.
    from scipy.sparse import csr_array

    edges = np.arange(size + 1) * (length / size)
    # All places at which a pixel or a cell begins: between two of them lies a part of one pixel in one cell.
    cuts = np.union1d(np.arange(length + 1), edges[:-1])
    middles = (cuts[1:] + cuts[:-1]) / 2
    cells = np.minimum(np.searchsorted(edges, middles, side="right") - 1, size - 1)
    parts = np.diff(cuts) * (size / length)
    return csr_array((parts, (cells, middles.astype(np.int64))), shape=(size, length), dtype=dtype)


def block_mean(stored: NDArray[Any], factor: int, bits: int) -> NDArray[np.float32]:
    """Means of blocks of `factor` x `factor` whole pixels: (rows // factor, columns // factor) float32.

    `bits`: how many bits the integers use, so that sums of rows can stay in 16 bits, at half the memory traffic.
    What is left over at the lower and right edge, less than a block, falls away.
    """
    if factor == 1:
        return stored.astype(np.float32)
    rows, columns = (length // factor for length in stored.shape)
    means = np.empty((rows, columns), np.float32)
    narrow = stored.dtype.kind == "u" and factor * ((1 << bits) - 1) <= 0xFFFF
    strip = max(_STRIP // factor, 1)
    # The same little memory for every strip: new pages cost more than the sums.
    sums = np.empty((strip, columns * factor), np.uint16 if narrow else np.int32)
    totals = np.empty((strip, columns), np.int64 if bits > 24 else np.int32)
    for start in range(0, rows, strip):
        count = min(strip, rows - start)
        source = stored[start * factor : (start + count) * factor, : columns * factor]
        high, total = sums[:count], totals[:count]
        np.add(source[0::factor], source[1::factor], out=high, dtype=high.dtype)
        for offset in range(2, factor):
            np.add(high, source[offset::factor], out=high, dtype=high.dtype)
        np.add(high[:, 0::factor], high[:, 1::factor], out=total, dtype=total.dtype)
        for offset in range(2, factor):
            np.add(total, high[:, offset::factor], out=total)
        np.divide(total, np.float32(factor * factor), out=means[start : start + count], dtype=np.float32)
    return means
