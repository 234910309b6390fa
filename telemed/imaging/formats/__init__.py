"""Recordings that are no DICOM: SCP-ECG, HL7 aECG, WFDB, Philips Sierra; and ECGs on paper."""

from telemed.imaging.formats.detect import PAPER, WAVEFORMS, Kind, detect
from telemed.imaging.formats.errors import LARGEST_FILE, FormatError
from telemed.imaging.formats.read import read_recording
from telemed.imaging.formats.recording import Channel, Recording, SourceHeader
from telemed.imaging.formats.wfdb import signal_files

__all__ = [
    "LARGEST_FILE",
    "PAPER",
    "WAVEFORMS",
    "Channel",
    "FormatError",
    "Kind",
    "Recording",
    "SourceHeader",
    "detect",
    "read_recording",
    "signal_files",
]
