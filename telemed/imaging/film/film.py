"""A film to be read by a network: what its header says, and its picture when somebody asks for it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from telemed.imaging.errors import PixelError
from telemed.imaging.film.facts import FilmFacts, film_facts
from telemed.imaging.film.fast import film_tensor
from telemed.imaging.film.resample import area_mean
from telemed.imaging.pixels.decode import LARGEST_FRAME, parsed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@dataclass(frozen=True)
class Film:
    """Nothing is decoded before `tensor`: a film that its header already rules out costs no more than its header."""

    facts: FilmFacts
    source: Dataset | NDArray[Any]

    def tensor(self, size: int) -> NDArray[np.float32]:
        """(size, size) float32, 0..1, 0 is black; see `film_tensor`. Raises PixelError."""
        if isinstance(self.source, np.ndarray):
            top = 65535.0 if self.source.dtype.itemsize > 1 else 255.0
            return np.asarray(area_mean(self.source, size) / top, dtype=np.float32)
        return film_tensor(self.source, size)


def is_picture(data: bytes) -> bool:
    """PNG or JPEG, by the first bytes."""
    return data.startswith(_PICTURES)


def read_film(source: bytes | Dataset) -> Film:
    """The film in a DICOM object. Raises PixelError `pixel.unreadable`, `pixel.no_pixels`."""
    ds = parsed(source)
    if "PixelData" not in ds:
        raise PixelError("pixel.no_pixels")
    return Film(film_facts(ds), ds)


def read_picture(data: bytes, *, age_years: float | None, view: str | None) -> Film:
    """A bare PNG or JPEG as a film, with what a person says of it. Raises PixelError `pixel.unreadable`,
    `pixel.too_large` (megabytes, limit)."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            size = picture.width * picture.height * 4
            if size > LARGEST_FRAME:
                raise PixelError("pixel.too_large", megabytes=size >> 20, limit=LARGEST_FRAME >> 20)
            gray = _gray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, PixelError):
            raise
        raise PixelError("pixel.unreadable") from error
    rows, columns = gray.shape
    wanted = (view or "").strip().upper() or None
    return Film(FilmFacts("", age_years, wanted, "", rows, columns, bare=True), gray)


def _gray(picture: Image.Image) -> NDArray[Any]:
    """(rows, columns) uint8 or uint16, turned as the picture says it is to be shown."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        return np.clip(np.asarray(upright, dtype=np.int64), 0, 65535).astype(np.uint16)
    return np.asarray(upright.convert("L"))
