"""The picture that a browser shows."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.decode import LARGEST_FRAME, Frame, decode_frame, parsed
from telemed.imaging.pixels.functional_groups import of_frame
from telemed.imaging.pixels.grayscale import Window, display_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png"}
_MONOCHROME = ("MONOCHROME1", "MONOCHROME2")


def rendered(
    data: bytes | Dataset,
    *,
    frame: int = 1,
    window: Window | tuple[float, float] | None = None,
    max_size: int | tuple[int, int] | None = None,
    format: Literal["jpeg", "png"] = "jpeg",
    quality: int = 90,
    largest: int = LARGEST_FRAME,
) -> bytes:
    """One frame as JPEG or PNG, 8 bits a sample, gray or RGB.

    `data` is a Part 10 file in memory or a parsed data set, `frame` counts from 1. `window` is (centre, width)
    in modality units and replaces the object's own VOI LUT; it is ignored for colour. `max_size` is the
    longest side, or (width, height), in pixels; pictures are never enlarged. The window is applied at full
    size, so a reduced picture shows the same grey values; but for JPEG 2000 with a linear window of its own, which
    is decoded at a lower resolution. `quality` is JPEG's 1-95. Overlays are not burned in
    and non-square pixels stay as stored.

    Raises PixelError: the codes of `decode_frame` and `display_levels`, `pixel.unreadable`,
    `pixel.unsupported_photometric`.
    """
    box = (max_size, max_size) if isinstance(max_size, int) else max_size
    try:
        ds = parsed(data)
        small = _small(ds, box) if box is not None and window is None and frame == 1 else None
        image = small or _image(ds, frame, window, largest)
    except PixelError:
        raise
    except Exception as error:
        raise PixelError("pixel.unreadable") from error
    if box is not None:
        image.thumbnail((max(box[0], 1), max(box[1], 1)), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = BytesIO()
    if format == "png":
        image.save(buffer, "PNG", compress_level=3)
    else:
        image.save(buffer, "JPEG", quality=min(max(quality, 1), 95))
    return buffer.getvalue()


def _small(ds: Dataset, box: tuple[int, int]) -> Image.Image | None:
    """Decoded no larger than is wanted, where that saves most of the work."""
    # Films are made of these pictures' parts; only here is it the other way round.
    from telemed.imaging.film.fast import small_levels

    levels = small_levels(ds, (max(box[0], 1), max(box[1], 1)))
    return None if levels is None else Image.fromarray(levels)


def _image(ds: Dataset, frame: int, window: Window | tuple[float, float] | None, largest: int) -> Image.Image:
    decoded = decode_frame(ds, frame, largest=largest)
    if decoded.is_color:
        return Image.fromarray(np.ascontiguousarray(_eight_bits(decoded)))
    photometric = str(ds.get("PhotometricInterpretation", "-"))
    if photometric not in _MONOCHROME:
        raise PixelError("pixel.unsupported_photometric", photometric=photometric)
    chosen = window if window is None or isinstance(window, Window) else Window(*window)
    return Image.fromarray(np.ascontiguousarray(display_levels(of_frame(ds, frame), decoded, chosen)))


def _eight_bits(frame: Frame) -> NDArray[np.uint8]:
    samples, bits = frame.samples, frame.bits
    if samples.dtype == np.uint8 and bits == 8:
        return samples
    most = float((1 << bits) - 1)
    return np.rint(np.clip(samples.astype(np.float64) / most, 0, 1) * 255).astype(np.uint8)
