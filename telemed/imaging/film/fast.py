"""The fast way from a film to its tensor: reduce while decoding, then show what is left.

Averaging before the window equals averaging after it wherever the window is linear and nothing is clipped inside the
averaged area; a table or a sigmoid is applied at about twice the wanted size. Whatever this does not cover (padding,
overlay bits, several frames, a missing window) goes the exact way of `reference`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.encaps import get_frame
from pydicom.uid import UID, JPEG2000TransferSyntaxes

from telemed.imaging.film.reference import reference_tensor
from telemed.imaging.film.resample import area_mean, block_mean
from telemed.imaging.pixels.codestream import claimed_size
from telemed.imaging.pixels.decode import LARGEST_FRAME, Frame, decode_frame, frame_count, parsed
from telemed.imaging.pixels.grayscale import display_levels
from telemed.imaging.pixels.j2k_levels import lower_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

ENOUGH = 1.5
"""Reduction stops at this many pixels per wanted pixel: below it the means of the rest would show their grid."""
FINEST = 1 / 1024
"""Of the window: coefficients of JPEG 2000 are decoded to no more than this, a quarter of a step of 8 bits."""
_NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (201, 202, 203))
_J2K = frozenset(str(uid) for uid in JPEG2000TransferSyntaxes) | _HTJ2K
_LINEAR = frozenset({"LINEAR", "LINEAR_EXACT"})


def film_tensor(source: bytes | Dataset, size: int) -> NDArray[np.float32]:
    """The first frame as (size, size) float32 in 0..1, 0 is black, close to `reference_tensor`.

    On films the two differ by at most 0.01 in the mean and 0.04 in all but one of a thousand pixels; where a sharp
    edge between clipped areas runs through a pixel, by more. Raises PixelError.
    """
    ds = parsed(source)
    reduced = _reduced(ds, size) if _is_plain(ds) else None
    if reduced is None:
        return reference_tensor(ds, size)
    if _is_linear(ds):
        return _windowed(ds, area_mean(reduced, size))
    whole = np.rint(reduced).astype(np.int16 if ds.get("PixelRepresentation") else np.uint16)
    levels = display_levels(ds, Frame(whole, False, int(ds.BitsStored)))
    return np.asarray(area_mean(levels, size) / 255.0, dtype=np.float32)


def small_levels(ds: Dataset, box: tuple[int, int]) -> NDArray[np.uint8] | None:
    """The first frame as a small picture, uint8 of shape (rows, columns), 0 is black, still no smaller than `box`.

    `box` is (width, height) in pixels. Only where decoding less saves most of the work, which is JPEG 2000 shown by
    a linear window at half its size or less; None otherwise. Values are those of `display_levels` after averaging,
    but where the window clips inside of what is averaged.
    """
    syntax = str(ds.file_meta.TransferSyntaxUID) if getattr(ds, "file_meta", None) else ""
    # The longer side decides how large a picture becomes inside of its box.
    factor = int(max(int(ds.get("Columns") or 0) / box[0], int(ds.get("Rows") or 0) / box[1]))
    if syntax not in _J2K or factor < 2 or not _is_plain(ds) or not _is_linear(ds):
        return None
    if ds.get("PixelRepresentation"):
        return None
    stored = _reduced_j2k(ds, factor)
    return None if stored is None else np.rint(_windowed(ds, stored) * 255).astype(np.uint8)


def _is_plain(ds: Dataset) -> bool:
    """One monochrome frame of right-aligned integers without padding, shown by a window or a table of its own."""
    return (
        str(ds.get("PhotometricInterpretation", "")) in ("MONOCHROME1", "MONOCHROME2")
        and frame_count(ds) == 1
        and int(ds.get("SamplesPerPixel", 1)) == 1
        and ds.get("BitsAllocated") in (8, 16)
        and ds.get("HighBit", -1) == ds.get("BitsStored", 0) - 1
        and "PixelData" in ds
        and ds.get("PixelPaddingValue") is None
        and (bool(ds.get("VOILUTSequence")) or _own_window(ds) is not None)
    )


def _own_window(ds: Dataset) -> tuple[float, float] | None:
    """The first window, where its width is one that its function allows (PS3.3 C.11.2.1.2)."""
    try:
        center, width = (float(np.ravel(ds.get(name))[0]) for name in ("WindowCenter", "WindowWidth"))
    except (TypeError, ValueError, IndexError):
        return None
    exact = str(ds.get("VOILUTFunction") or "LINEAR").upper() != "LINEAR"
    return (center, width) if width >= 1 or (exact and width > 0) else None


def _is_linear(ds: Dataset) -> bool:
    function = str(ds.get("VOILUTFunction") or "LINEAR").upper()
    return not ds.get("VOILUTSequence") and not ds.get("ModalityLUTSequence") and function in _LINEAR


def _factor(ds: Dataset, size: int) -> float:
    return min(int(ds.Rows), int(ds.Columns)) / (ENOUGH * size)


def _reduced(ds: Dataset, size: int) -> NDArray[Any] | None:
    """Stored values averaged to no less than `ENOUGH` times `size`; None where the exact way must go."""
    syntax = UID(ds.file_meta.TransferSyntaxUID) if getattr(ds, "file_meta", None) else UID("")
    factor = max(int(_factor(ds, size)), 1)
    if syntax in _J2K and not ds.get("PixelRepresentation") and factor >= 2:
        return _reduced_j2k(ds, factor)
    samples = _native(ds) if syntax in _NATIVE else decode_frame(ds).samples
    if samples is None or not _within(samples, ds):
        return None
    return block_mean(samples, factor, int(ds.BitsStored))


def _native(ds: Dataset) -> NDArray[Any] | None:
    """A view on the pixel bytes of an uncompressed little-endian frame; None where they are too few."""
    code = ("i" if ds.get("PixelRepresentation") else "u") + str(int(ds.BitsAllocated) // 8)
    rows, columns = int(ds.Rows), int(ds.Columns)
    dtype = np.dtype("<" + code)
    if rows < 1 or columns < 1 or len(ds.PixelData) < rows * columns * dtype.itemsize:
        return None
    return np.frombuffer(ds.PixelData, dtype, rows * columns).reshape(rows, columns)


def _within(samples: NDArray[Any], ds: Dataset) -> bool:
    """No sample uses a bit above BitsStored: overlays there would be averaged into the picture."""
    bits = int(ds.BitsStored)
    if bits >= samples.dtype.itemsize * 8:
        return True
    if samples.dtype.kind == "u":
        return int(samples.max()) < 1 << bits
    return -(1 << (bits - 1)) <= int(samples.min()) and int(samples.max()) < 1 << (bits - 1)


def _reduced_j2k(ds: Dataset, factor: int) -> NDArray[Any] | None:
    """A lower resolution level of a JPEG 2000 frame (T.800 B.5): a low-pass mean, a fraction of the work.

    Where the stream allows it, without the bits that the window does not show (`lower_levels`).
    """
    stream = bytes(get_frame(ds.PixelData, 0, number_of_frames=1))
    rows, columns = int(ds.Rows), int(ds.Columns)
    if claimed_size(stream) != (rows, columns) or rows * columns * 2 > LARGEST_FRAME:
        return None
    precision, signed, levels = _siz_and_cod(stream)
    if signed or precision < int(ds.BitsStored):
        return None
    level = min(factor.bit_length() - 1, levels)
    smaller = lower_levels(stream, level, _spare_planes(ds))
    try:
        with Image.open(io.BytesIO(smaller or stream)) as picture:
            if smaller is None:
                picture.reduce = level  # type: ignore[assignment,method-assign]
            values = np.asarray(picture)
    except (OSError, ValueError):
        return None
    if values.ndim != 2 or values.dtype.kind not in "iu":
        return None
    # The library shifts samples of 9 to 15 bits to the top of 16.
    shift = 16 - precision if precision > 8 else 0
    samples = values.astype(np.uint16) >> shift
    if not _within(samples, ds):
        return None
    return block_mean(samples, max(factor >> level, 1), precision)


def _spare_planes(ds: Dataset) -> int:
    """How many of the last bit planes are less than `FINEST` of the window, where it is linear."""
    window = _own_window(ds)
    if window is None or not _is_linear(ds):
        return 0
    slope = ds.get("RescaleSlope")
    width = window[1] / (abs(float(slope)) if slope is not None and float(slope) else 1.0)
    return max(int(min(width, 1 << int(ds.BitsStored)) * FINEST).bit_length() - 1, 0)


def _siz_and_cod(stream: bytes) -> tuple[int, bool, int]:
    """(precision, signed, decomposition levels) from the main header (T.800 A.5.1, A.6.1); 0 levels if not found."""
    at = stream.find(b"\xff\x4f\xff\x51")
    depth = stream[at + 42] if at >= 0 and len(stream) > at + 42 else 0
    position, levels = at + 2, 0
    while position >= 0 and position + 4 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker == 0x52:  # COD: Lcod, Scod, four bytes of style, then the number of levels
            levels = stream[position + 9]
            break
        if marker in (0x90, 0x93, 0xD9):
            break
        position += 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
    return (depth & 0x7F) + 1, bool(depth & 0x80), levels


def _windowed(ds: Dataset, stored: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The linear part of the display chain (PS3.3 C.11.1, C.11.2.1.2) on averaged stored values."""
    slope, intercept = ds.get("RescaleSlope"), ds.get("RescaleIntercept")
    if slope is not None and intercept is not None and float(slope) != 0:
        stored = stored * float(slope) + float(intercept)
    window = _own_window(ds)
    assert window is not None
    center, width = window
    if str(ds.get("VOILUTFunction") or "LINEAR").upper() == "LINEAR":
        center, width = center - 0.5, width - 1.0
    share = np.clip((stored - center) / max(width, 1e-9) + 0.5, 0.0, 1.0)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        share = 1.0 - share
    return np.asarray(share, dtype=np.float32)
