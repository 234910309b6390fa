"""Open a data set from memory, with or without the 128-byte preamble."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import config, dcmread

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Devices in the field break value rules daily (a comma in a DS, a CS in small letters). A warning about each
# would bury the log; what matters is checked where it is used. Writing stays strict.
config.settings.reading_validation_mode = config.IGNORE

PREAMBLE = 128


def open_dataset(data: bytes, *, stop_before_pixels: bool = False) -> Dataset:
    """Parse a Part 10 file, or a bare data set (Implicit or Explicit VR, little or big endian) from memory.

    Returns the data set with its elements still unparsed where pydicom allows it. Raises whatever pydicom
    raises for bytes that are no data set, and `ValueError` when nothing at all could be read.
    """
    is_part10 = data[PREAMBLE : PREAMBLE + 4] == b"DICM"
    ds = dcmread(BytesIO(data), force=not is_part10, stop_before_pixels=stop_before_pixels)
    if len(ds) == 0:
        raise ValueError("the bytes hold no DICOM element")
    return ds


def is_little_endian(ds: Dataset) -> bool:
    """Byte order of the bulk values as they lie in memory; a data set made in memory is little endian."""
    order = ds.original_encoding[1]
    return True if order is None else bool(order)
