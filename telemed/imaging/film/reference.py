"""The slow, exact way from a film to its tensor: what the fast way is held against, and falls back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.film.resample import area_mean
from telemed.imaging.pixels.decode import decode_frame, parsed
from telemed.imaging.pixels.grayscale import display_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset


def reference_tensor(source: bytes | Dataset, size: int) -> NDArray[np.float32]:
    """The first frame as (size, size) float32 in 0..1, 0 is black: shown at full size, then averaged.

    Every step of the display chain (`display_levels`) at full resolution; the area's shape is not kept. Colour
    counts by its mean. Raises PixelError.
    """
    ds = parsed(source)
    frame = decode_frame(ds)
    shown = frame.samples.mean(axis=2) if frame.is_color else display_levels(ds, frame)
    return np.asarray(area_mean(shown, size) / 255.0, dtype=np.float32)
