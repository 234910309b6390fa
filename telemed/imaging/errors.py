"""What may be wrong with bytes that claim to be DICOM.

ImagingError
├── WaveformError   an ECG that cannot be drawn or read by a model
├── HeaderError     a data set whose identifying elements cannot be read
└── PixelError      a picture that cannot be shown

Each carries a key of the translation catalogue and its parameters; the edges put it into words.
"""

from __future__ import annotations

from telemed.domain.errors import Unreadable


class ImagingError(Unreadable, ValueError):
    """An object that cannot be used for what was asked.

    `code` is a key of the translation catalogue, `params` fill the places of its text. Neither ever holds
    a patient's name.
    """


class WaveformError(ImagingError):
    """The object holds no ECG of twelve leads that can be brought to millivolts."""


class HeaderError(ImagingError):
    """The elements that identify an object cannot be read."""


class PixelError(ImagingError):
    """The picture cannot be decoded or shown."""
