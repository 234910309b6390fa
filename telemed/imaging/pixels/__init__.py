"""Pictures for the browser from every kind of pixel data."""

from telemed.imaging.errors import PixelError
from telemed.imaging.pixels.decode import LARGEST_FRAME, Frame, decode_frame, frame_count
from telemed.imaging.pixels.grayscale import Window, display_levels
from telemed.imaging.pixels.render import MEDIA_TYPES, rendered

__all__ = [
    "LARGEST_FRAME",
    "MEDIA_TYPES",
    "Frame",
    "PixelError",
    "Window",
    "decode_frame",
    "display_levels",
    "frame_count",
    "rendered",
]
