"""One decoded frame, with a bound on what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydicom.dataset import FileMetaDataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.codecs import quick_samples
from telemed.imaging.pixels.codestream import claimed_size
from telemed.imaging.pixels.in_place import opened_in_place
from telemed.imaging.reading import open_dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

# A mammogram of 30 megapixels has 60 MB; four times that is no picture of a township.
LARGEST_FRAME = 256 << 20
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class Frame:
    """Decoded samples of one frame: (rows, columns) stored values, or (rows, columns, 3) RGB."""

    samples: NDArray[Any]
    is_color: bool
    bits: int


def parsed(source: bytes | Dataset) -> Dataset:
    """The data set of a Part 10 file in memory, of an uncompressed one with its pixels as a view of `source`.

    Raises PixelError `pixel.unreadable`.
    """
    if not isinstance(source, bytes | bytearray | memoryview):
        return source
    data = bytes(source)
    try:
        found = opened_in_place(data)
        return open_dataset(data) if found is None else found
    except Exception as error:
        raise PixelError("pixel.unreadable") from error


def frame_count(ds: Dataset) -> int:
    """Number of Frames (0028,0008), at least 1."""
    return max(_whole(ds, "NumberOfFrames", 1), 1)


def decode_frame(ds: Dataset, frame: int = 1, *, largest: int = LARGEST_FRAME) -> Frame:
    """Decode frame number `frame` (from 1) of a data set.

    Monochrome frames come back as stored, before any LUT; YBR is turned into RGB and palettes are applied.
    Nothing is decoded when the frame would exceed `largest` bytes, by the header or by the compressed stream.

    Raises PixelError: `pixel.no_pixels`, `pixel.no_such_frame` (frame, frames), `pixel.too_large`
    (megabytes, limit), `pixel.sizes_contradict`, `pixel.truncated`, `pixel.cannot_decode` (transfer_syntax).
    """
    if not any(name in ds for name in _PIXELS) or _whole(ds, "Rows", 0) < 1 or _whole(ds, "Columns", 0) < 1:
        raise PixelError("pixel.no_pixels")
    frames = frame_count(ds)
    if not 1 <= frame <= frames:
        raise PixelError("pixel.no_such_frame", frame=frame, frames=frames)
    _bounded(ds, largest)
    _with_transfer_syntax(ds)
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax.is_compressed and syntax.is_encapsulated:
        _consistent(ds, frame, frames)
        quick = quick_samples(ds, frame, frames)
        if quick is not None:
            return Frame(quick, False, _whole(ds, "BitsStored", quick.dtype.itemsize * 8))
    else:
        _complete(ds, frames)
    try:
        samples = pixel_array(ds, index=frame - 1)
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            samples = apply_color_lut(samples, ds)
            return Frame(samples[..., :3], True, samples.dtype.itemsize * 8)
    except Exception as error:
        raise PixelError("pixel.cannot_decode", transfer_syntax=syntax.name) from error
    return Frame(samples, samples.ndim == 3, _whole(ds, "BitsStored", samples.dtype.itemsize * 8))


def _whole(ds: Dataset, keyword: str, default: int) -> int:
    """A whole number from the header; `default` where it is absent, empty or no number."""
    try:
        return int(ds.get(keyword) or default)
    except (TypeError, ValueError):
        return default


def _bounded(ds: Dataset, largest: int) -> None:
    samples = _whole(ds, "SamplesPerPixel", 1)
    size = (
        _whole(ds, "Rows", 0)
        * _whole(ds, "Columns", 0)
        * samples
        * max((_whole(ds, "BitsAllocated", 8) + 7) // 8, 1)
    )
    if size > largest:
        raise PixelError("pixel.too_large", megabytes=size >> 20, limit=largest >> 20)


def _with_transfer_syntax(ds: Dataset) -> None:
    """A bare data set has no file meta; its encoding says which native syntax it is in."""
    if getattr(ds, "file_meta", None) is None:
        ds.file_meta = FileMetaDataset()
    if not ds.file_meta.get("TransferSyntaxUID"):
        implicit, little = ds.original_encoding
        native = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if little is False else native


def _consistent(ds: Dataset, frame: int, frames: int) -> None:
    """A stream that unfolds to another size than the header says could fill the memory."""
    try:
        claimed = claimed_size(get_frame(ds.PixelData, frame - 1, number_of_frames=frames))
    except Exception as error:
        raise PixelError("pixel.truncated") from error
    if claimed is not None and claimed != (_whole(ds, "Rows", 0), _whole(ds, "Columns", 0)):
        raise PixelError("pixel.sizes_contradict", rows=claimed[0], columns=claimed[1])


def _complete(ds: Dataset, frames: int) -> None:
    if "PixelData" not in ds:
        return
    samples = _whole(ds, "SamplesPerPixel", 1)
    bits = (
        _whole(ds, "Rows", 0) * _whole(ds, "Columns", 0) * samples * _whole(ds, "BitsAllocated", 8) * frames
    )
    if str(ds.get("PhotometricInterpretation", "")).endswith("_422"):
        bits = bits * 2 // 3
    if len(ds.PixelData) < (bits + 7) // 8:
        raise PixelError("pixel.truncated")
