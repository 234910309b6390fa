"""ECG files of any supported format, for commands that read without an installation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from telemed.application.import_ecg import GivenPatient, to_objects
from telemed.imaging.formats import WAVEFORMS, FormatError, Kind, detect, signal_files

HEADER = ".hea"
UNDATED = datetime(1900, 1, 1)
"""Stands where a file does not say when it was recorded: an object needs a time, this one is read and forgotten."""


def as_dicom(path: Path, data: bytes) -> bytes:
    """The DICOM object that an ECG file of another format becomes, for reading alone; anything else as it is.

    Raises FormatError and WaveformError (both Unreadable); OSError where a file that a WFDB header names is absent.
    """
    kind = detect(data, path.name)
    if kind not in WAVEFORMS:
        return data
    beside = signal_files(data) if kind is Kind.WFDB else []
    companions = {name: path.with_name(name).read_bytes() for name in beside}
    try:
        return to_objects(data, path.name, companions=companions)[0]
    except FormatError as fault:
        if fault.code != "format.no_time":
            raise
    undated = GivenPatient(recorded_at=UNDATED)
    return to_objects(data, path.name, patient=undated, companions=companions)[0]


def files_below(folder: Path) -> Iterator[Path]:
    """Every file to be read; what lies beside a WFDB header under its name belongs to it and is none of its own."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name == "DICOMDIR":
            continue
        if path.suffix == HEADER or not path.with_suffix(HEADER).exists():
            yield path
