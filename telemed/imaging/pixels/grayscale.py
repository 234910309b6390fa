"""From stored values to what is shown: PS3.3 C.7.6.16.2.9.1, C.11.1 and C.11.2, PS3.4 N.2.

Up to sixteen bits the whole chain is a table over the possible stored values, so full precision costs one
look-up per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed.imaging.errors import PixelError
from telemed.imaging.reading import is_little_endian

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from telemed.imaging.pixels.decode import Frame

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class Window:
    """Centre and width in modality units (PS3.3 C.11.2.1.2), `function` one of `FUNCTIONS`."""

    center: float
    width: float
    function: str = "LINEAR"


def display_levels(ds: Dataset, frame: Frame, window: Window | None = None) -> NDArray[np.uint8]:
    """The picture of a monochrome frame, uint8 of shape (rows, columns), 0 is black.

    Stored value -> modality LUT or rescale -> `window`, else the object's VOI LUT, else its first window,
    else the range of the pixels -> MONOCHROME1 turned round. Padding is black. Bits above BitsStored are
    ignored. Raises PixelError `pixel.bad_window` for a width that its function does not allow.
    """
    stored = frame.samples
    if stored.dtype.kind == "f" or stored.dtype.itemsize > 2:
        values = _modality(ds, stored.astype(np.float64), stored)
        return _shown(ds, values, values, np.zeros(stored.shape, bool), window)
    bits, signed = _bits(frame), bool(ds.get("PixelRepresentation"))
    patterns = np.arange(1 << bits, dtype=np.int64)
    numbers = np.where(patterns >= 1 << (bits - 1), patterns - (1 << bits), patterns) if signed else patterns
    index = _patterns(ds, stored, bits)
    padding = _padding(ds, numbers, signed)
    present = np.zeros(1 << bits, bool)
    present[index] = True
    values = _modality(ds, numbers.astype(np.float64), numbers)
    table = _shown(ds, values, values[present & ~padding], padding, window)
    levels: NDArray[np.uint8] = table[index]
    return levels


def _bits(frame: Frame) -> int:
    return min(max(frame.bits, 1), frame.samples.dtype.itemsize * 8)


def _patterns(ds: Dataset, stored: NDArray[Any], bits: int) -> NDArray[Any]:
    """Stored samples as bit patterns of BitsStored bits; overlays in the upper bits fall away."""
    unsigned = stored.astype(stored.dtype.newbyteorder("="), copy=False).view(f"u{stored.dtype.itemsize}")
    shift = max(int(ds.get("HighBit", bits - 1)) + 1 - bits, 0)
    if shift and ds.file_meta.TransferSyntaxUID.is_encapsulated:
        shift = 0  # decoders return right-aligned samples
    mask = unsigned.dtype.type((1 << bits) - 1)
    shifted: NDArray[Any] = (unsigned >> unsigned.dtype.type(shift)) & mask
    return shifted


def _padding(ds: Dataset, numbers: NDArray[np.int64], signed: bool) -> NDArray[np.bool_]:
    """Which stored values are Pixel Padding (PS3.3 C.7.5.1.1.2): one value, or a range with its limit."""
    first = _stored_number(ds.get("PixelPaddingValue"), signed)
    if first is None:
        return np.zeros(numbers.shape, bool)
    limit = _stored_number(ds.get("PixelPaddingRangeLimit"), signed)
    last = first if limit is None else limit
    return (numbers >= min(first, last)) & (numbers <= max(first, last))


def _stored_number(value: Any, signed: bool) -> int | None:
    """US or SS by the pixel representation, whatever VR the device wrote."""
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little", signed=signed)
    number = int(value)
    if signed and number > 0x7FFF:
        return number - 0x10000
    return number + 0x10000 if not signed and number < 0 else number


def _modality(ds: Dataset, values: NDArray[np.float64], numbers: NDArray[Any]) -> NDArray[np.float64]:
    sequence = ds.get("ModalityLUTSequence")
    if sequence:
        table, first, _ = _lut(ds, sequence[0])
        mapped: NDArray[np.float64] = table[np.clip(numbers - first, 0, len(table) - 1).astype(np.int64)]
        return mapped
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    if slope is None or intercept is None or float(slope) == 0:
        return values
    return values * float(slope) + float(intercept)


def _shown(
    ds: Dataset,
    values: NDArray[np.float64],
    seen: NDArray[np.float64],
    padding: NDArray[np.bool_],
    window: Window | None,
) -> NDArray[np.uint8]:
    sequence = ds.get("VOILUTSequence")
    own = _own_window(ds)
    if window is not None:
        share = _windowed(values, window)
    elif sequence and sequence[0].get("LUTDescriptor") is not None and sequence[0].get("LUTData") is not None:
        table, first, most = _lut(ds, sequence[0])
        share = table[np.clip(np.floor(values) - first, 0, len(table) - 1).astype(np.int64)] / most
    elif own is not None:
        share = _windowed(values, own)
    else:
        share = _stretched(values, seen)
    if ds.get("PhotometricInterpretation") == "MONOCHROME1":
        share = 1.0 - share
    levels = np.rint(np.clip(np.nan_to_num(share), 0.0, 1.0) * 255.0).astype(np.uint8)
    levels[padding] = 0
    return levels


def _own_window(ds: Dataset) -> Window | None:
    center, width = _first(ds.get("WindowCenter")), _first(ds.get("WindowWidth"))
    function = str(ds.get("VOILUTFunction") or "LINEAR").upper()
    if center is None or width is None or not _allowed(width, function):
        return None
    return Window(center, width, function)


def _first(value: Any) -> float | None:
    try:
        return None if value is None or value == "" else float(value)
    except TypeError:
        return float(value[0]) if len(value) else None
    except ValueError:
        return None


def _allowed(width: float, function: str) -> bool:
    return (
        function in FUNCTIONS and np.isfinite(width) and (width >= 1 if function == "LINEAR" else width > 0)
    )


def _windowed(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Share of full brightness, PS3.3 C.11.2.1.2.1 (linear), C.11.2.1.3.1 (sigmoid), C.11.2.1.3.2 (exact)."""
    function = window.function.upper()
    if not _allowed(window.width, function) or not np.isfinite(window.center):
        raise PixelError("pixel.bad_window", width=str(window.width), function=window.function)
    center, width = window.center, window.width
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            sigmoid: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-4.0 * (values - center) / width))
        return sigmoid
    if function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    if width == 0:
        return (values > center).astype(np.float64)
    return np.clip((values - center) / width + 0.5, 0.0, 1.0)


def _stretched(values: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    if not seen.size:
        return np.zeros_like(values)
    low, high = float(np.nanmin(seen)), float(np.nanmax(seen))
    if high <= low:
        return np.full_like(values, 0.5)
    return (values - low) / (high - low)


def _lut(ds: Dataset, item: Dataset) -> tuple[NDArray[np.float64], int, float]:
    """(entries, first value mapped, largest possible entry) of a LUT item (PS3.3 C.11.1.1, C.11.2.1.1)."""
    count, first, bits = (int(number) for number in item.LUTDescriptor)
    count = count or 1 << 16
    data = item.LUTData
    if isinstance(data, bytes):
        wide = len(data) >= 2 * count
        order = "<" if is_little_endian(ds) else ">"
        entries = np.frombuffer(data, dtype=order + "u2" if wide else "u1")[:count]
    else:
        entries = np.atleast_1d(np.asarray(data))[:count]
    if len(entries) == 0:
        raise PixelError("pixel.bad_lut")
    # A depth outside the standard's 8 to 16 bits is a slip of the device: then the data decides.
    most = float((1 << bits) - 1) if 8 <= bits <= 16 else float(max(int(entries.max()), 1))
    signed_first = first - 0x10000 if first > 0x7FFF and ds.get("PixelRepresentation") else first
    return entries.astype(np.float64), signed_first, most
