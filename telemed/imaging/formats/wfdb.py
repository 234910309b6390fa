"""WFDB records: a text header (.hea) and signals in format 16, plain or inside a MATLAB 4 file (header(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import LARGEST_FILE, MOST_SAMPLES, FormatError
from telemed.imaging.formats.recording import PADDING, Channel, Recording, SourceHeader, in_lead_order
from telemed.imaging.formats.words import calendar_date, moment, sex, whole
from telemed.imaging.waveform.leads import lead_of_name
from telemed.imaging.waveform.units import millivolts_per

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

_RECORD = re.compile(
    r"^(\S+?)(/\d+)?\s+(\d+)(?:\s+([\d.eE+-]+)\S*)?(?:\s+(\d+))?(?:\s+(\S+))?(?:\s+(\S+))?\s*$"
)
_SIGNAL = re.compile(r"^(\S+)\s+(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?(?:\s+(\S+))?(?:\s+(.*))?$")
_GAIN = re.compile(r"^([\d.eE+-]+)(?:\((-?\d+)\))?(?:/(\S+))?$")
_FORMAT = 16
_DEFAULT_RATE, _DEFAULT_GAIN = 250.0, 200.0
_MOST_SIGNALS = 64
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class _Signal:
    file: str
    skip: int
    lead: str | None
    gain: float
    baseline: float
    unit: str


def signal_files(header: bytes) -> list[str]:
    """The names of the signal files that a .hea file refers to, without folders. Raises FormatError."""
    return list(dict.fromkeys(signal.file for signal in _signals(_lines(header))))


def read_wfdb(header: bytes, companions: Mapping[str, bytes]) -> Recording:
    """Read a record. `companions` are the signal files by name; only those that the header names are looked at.

    Leads are int32 as stored, microvolts by each lead's own gain and baseline; -32768 is absent. Raises
    FormatError format.wfdb_damaged, format.wfdb_signal_missing (file), format.wfdb_format (format),
    format.too_large; WaveformError waveform.truncated, waveform.too_long, waveform.unknown_unit,
    waveform.no_waveform.
    """
    lines = _lines(header)
    record = _record(lines)
    signals = _signals(lines)
    rate = float(record.group(4) or _DEFAULT_RATE)
    if not 0 < rate < 1e6:
        raise WaveformError("waveform.no_sampling_rate")
    samples = int(record.group(5) or 0)
    channels: list[Channel] = []
    for file in dict.fromkeys(signal.file for signal in signals):
        own = [signal for signal in signals if signal.file == file]
        block = _block(file, own, samples, companions)
        channels += [_channel(signal, row) for signal, row in zip(own, block.T, strict=True) if signal.lead]
    if not channels:
        raise WaveformError("waveform.no_waveform")
    if len({len(channel.raw) for channel in channels}) > 1:
        raise FormatError("format.wfdb_damaged")
    return Recording(
        kind="wfdb", channels=in_lead_order(channels), sampling_rate=rate, header=_header(record, header)
    )


def _lines(header: bytes) -> list[str]:
    if len(header) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
    lines = header.decode("utf-8", "replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _record(lines: list[str]) -> re.Match[str]:
    match = _RECORD.match(lines[0]) if lines else None
    if match is None or match.group(2):
        # Records of several segments are of long monitoring; none of these formats' devices writes them.
        raise FormatError("format.wfdb_damaged")
    try:
        float(match.group(4) or 0)
    except ValueError as error:
        raise FormatError("format.wfdb_damaged") from error
    if not 1 <= int(match.group(3)) <= _MOST_SIGNALS or len(lines) <= int(match.group(3)):
        raise FormatError("format.wfdb_damaged")
    return match


def _signals(lines: list[str]) -> list[_Signal]:
    count = int(_record(lines).group(3))
    return [_signal(line) for line in lines[1 : count + 1]]


def _signal(line: str) -> _Signal:
    match = _SIGNAL.match(line)
    if match is None:
        raise FormatError("format.wfdb_damaged")
    file, kind, per_frame, _, skip, gain_field, rest = match.groups()
    if int(kind) != _FORMAT or int(per_frame or 1) != 1:
        raise FormatError("format.wfdb_format", format=kind[:8])
    # resolution, zero, first value, checksum, block size; what follows is the description.
    words = (rest or "").split(maxsplit=5)
    zero = whole(words[1]) if len(words) > 1 else None
    gain, baseline, unit = _gain(gain_field or "", zero or 0)
    lead = lead_of_name(words[5]) if len(words) > 5 else None
    return _Signal(PurePosixPath(file).name, int(skip or 0), lead, gain, baseline, unit)


def _gain(field: str, zero: int) -> tuple[float, float, str]:
    """Units per millivolt, the value that stands for zero, and the unit; header(5) names the defaults."""
    match = _GAIN.match(field) if field else None
    if match is None:
        if field:
            raise FormatError("format.wfdb_damaged")
        return _DEFAULT_GAIN, float(zero), "mV"
    try:
        gain = float(match.group(1))
    except ValueError as error:
        raise FormatError("format.wfdb_damaged") from error
    baseline = float(match.group(2)) if match.group(2) else float(zero)
    return (gain if gain and abs(gain) < 1e12 else _DEFAULT_GAIN), baseline, match.group(3) or "mV"


def _block(
    file: str, signals: list[_Signal], samples: int, companions: Mapping[str, bytes]
) -> NDArray[np.int16]:
    """The samples of one file, int16 of shape (n, signals): a view on its bytes."""
    data = companions.get(file)
    if data is None:
        raise FormatError("format.wfdb_signal_missing", file=file[:80])
    if len(data) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
    skip = signals[0].skip
    count = samples or max(len(data) - skip, 0) // (2 * len(signals))
    if count > MOST_SAMPLES:
        raise WaveformError("waveform.too_long", samples=count)
    expected = skip + count * len(signals) * 2
    if len(data) < expected:
        raise WaveformError("waveform.truncated", expected=expected, found=len(data))
    flat = np.frombuffer(data, "<i2", count * len(signals), skip)
    return flat.reshape(count, len(signals))


def _channel(signal: _Signal, row: NDArray[np.int16]) -> Channel:
    factor = millivolts_per(signal.unit)
    if factor is None:
        raise WaveformError("waveform.unknown_unit", lead=signal.lead or "-", unit=signal.unit[:16])
    step = float(f"{factor * 1000.0 / signal.gain:.12g}")
    raw = row.astype(np.int32)
    absent = raw == PADDING
    offset = -signal.baseline * step
    return Channel(signal.lead or "", raw, step, offset, absent if absent.any() else None)


def _header(record: re.Match[str], header: bytes) -> SourceHeader:
    """Age and sex stand in comments; the name of a record is no patient's number, and is not made one."""
    text = header.decode("utf-8", "replace")
    said = {key.lower(): value for key, value in re.findall(r"#\s*<?(\w+)>?\s*[:>]\s*(\S+)", text)}
    return SourceHeader(
        sex=sex(said.get("sex", "")),
        age_years=whole(said.get("age", "")),
        acquired_at=_acquired(record.group(6) or "", record.group(7) or ""),
    )


def _acquired(first: str, second: str) -> datetime | None:
    """Base time and date, in this order by the standard and the other way round in some collections."""
    time, day = (first, second) if ":" in first else (second, first)
    date_parts = re.fullmatch(r"(\d{1,2})[-/](\w{3}|\d{1,2})[-/](\d{4})", day)
    time_parts = re.fullmatch(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?", time)
    if date_parts is None or time_parts is None:
        return None
    name = date_parts.group(2).lower()
    month = int(name) if name.isdigit() else _MONTHS.index(name) + 1 if name in _MONTHS else 0
    found = calendar_date(int(date_parts.group(3)), month, int(date_parts.group(1)))
    return moment(found, *(int(part) for part in time_parts.groups())) if found else None
