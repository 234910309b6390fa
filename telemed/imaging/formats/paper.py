"""Paper ECGs: a PDF from the machine, a scan or a photo. They are pictures for people and hold no waveform."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from telemed.imaging.formats.errors import LARGEST_FILE, FormatError
from telemed.imaging.pixels.codestream import claimed_size

# As much as a viewer decodes (256 MB of three bytes a pixel), and four times a scan of A4 at 600 dpi.
_MOST_PIXELS = 85_000_000
_LONGEST_SIDE = 65_535
_BASELINE = 0xC0
_ORIENTATION = 0x0112
_QUALITY = 95


@dataclass(frozen=True)
class Picture:
    """A picture ready for a DICOM object: `jpeg` is a baseline JPEG stream, or `pixels` are 8-bit samples, row by
    row, of one or three interleaved channels. `altered` says that it is not the file's own stream."""

    rows: int
    columns: int
    channels: int
    jpeg: bytes | None
    pixels: bytes | None
    altered: bool


def read_pdf(data: bytes) -> bytes:
    """The document itself, if it begins and ends like one. Raises FormatError format.pdf_cut, format.too_large."""
    _bounded(data)
    if b"%PDF-" not in data[:1024] or b"%%EOF" not in data[-2048:]:
        raise FormatError("format.pdf_cut")
    return data


def read_picture(data: bytes) -> Picture:
    """A JPEG or PNG, decoded once to be sure that it is whole.

    A baseline JPEG that stands upright is kept as it is. Any other JPEG (progressive, turned by its EXIF, four
    colours) is drawn anew at quality 95, a PNG becomes plain samples. Raises FormatError
    format.picture_damaged, format.picture_too_large (megapixels, limit), format.too_large.
    """
    _bounded(data)
    height, width = _size(data)
    if height * width > _MOST_PIXELS or max(height, width) > _LONGEST_SIDE:
        limit = _MOST_PIXELS // 1_000_000
        raise FormatError("format.picture_too_large", megapixels=height * width // 1_000_000, limit=limit)
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            image.load()
            return _picture(image, data)
    except Exception as error:
        # Pillow's decoders raise a dozen kinds for damaged bytes; each means the same here.
        raise FormatError("format.picture_damaged") from error


def _picture(image: Image.Image, data: bytes) -> Picture:
    is_jpeg = image.format == "JPEG"
    upright = image.getexif().get(_ORIENTATION, 1) in (0, 1)
    if is_jpeg and upright and _plain_jpeg(image, data):
        return Picture(image.height, image.width, len(image.getbands()), data, None, altered=False)
    drawn = _flat(ImageOps.exif_transpose(image))
    channels = len(drawn.getbands())
    if not is_jpeg:
        return Picture(drawn.height, drawn.width, channels, None, drawn.tobytes(), altered=False)
    buffer = BytesIO()
    drawn.save(buffer, "JPEG", quality=_QUALITY, subsampling=1)
    return Picture(drawn.height, drawn.width, channels, buffer.getvalue(), None, altered=True)


def _flat(image: Image.Image) -> Image.Image:
    """Gray or RGB, 8 bits; what is transparent lies on white paper."""
    if image.mode in ("L", "1"):
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        # Sixteen-bit gray of a scanner: the upper byte.
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")


def _plain_jpeg(image: Image.Image, data: bytes) -> bool:
    """Baseline, gray or YCbCr: what the JPEG Baseline transfer syntax holds (PS3.5 A.4.1)."""
    if image.mode not in ("L", "RGB") or image.info.get("adobe_transform", 1) == 0:
        return False
    return _frame_marker(data) == _BASELINE


def _frame_marker(data: bytes) -> int | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _size(data: bytes) -> tuple[int, int]:
    """(rows, columns) as the file claims, before a decoder is let at it."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    size = claimed_size(data)
    if size is None or 0 in size:
        raise FormatError("format.picture_damaged")
    return size


def _bounded(data: bytes) -> None:
    if len(data) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
