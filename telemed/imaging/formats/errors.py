"""What may be wrong with a recording that is no DICOM."""

from __future__ import annotations

from telemed.imaging.errors import WaveformError

LARGEST_FILE = 64 << 20
"""Bytes of one recording file. Ten seconds of twelve leads are 0.03-0.5 MB in every format seen."""

MOST_SAMPLES = 3_600_000
"""Samples a lead: one hour at 1 kHz, the bound of the DICOM reader."""


class FormatError(WaveformError):
    """The file is of a known kind and cannot be understood; `code` begins with "format."."""
