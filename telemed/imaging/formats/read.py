"""From the bytes of a recording file to its leads, whatever the format."""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.aecg import read_aecg
from telemed.imaging.formats.detect import Kind, detect, is_wfdb_header
from telemed.imaging.formats.errors import FormatError
from telemed.imaging.formats.muse import read_muse
from telemed.imaging.formats.scp import read_scp
from telemed.imaging.formats.sierra import read_sierra
from telemed.imaging.formats.wfdb import read_wfdb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telemed.imaging.formats.recording import Recording

# A nanovolt's thousandth and ten volts a unit: no scale of an electrocardiograph lies beyond.
_LEAST_UV, _MOST_UV = 1e-6, 1e7


def read_recording(data: bytes, name: str = "", companions: Mapping[str, bytes] | None = None) -> Recording:
    """Read an SCP-ECG, HL7 aECG, WFDB, Philips Sierra or GE MUSE file.

    `data` is the whole file (of a WFDB record its .hea), `companions` the files beside it by name, of which
    only a WFDB record needs any. Time and memory are bounded by the size of the file.

    Raises FormatError with the codes of the readers, format.wfdb_header_missing for a WFDB signal file alone,
    format.unknown for anything else, format.damaged for what no reader foresaw; WaveformError for a recording
    without scale, rate or samples.
    """
    try:
        recording = _read(detect(data, name), data, companions or {})
    except WaveformError:
        raise
    except (ArithmeticError, LookupError, ValueError, struct.error) as error:
        # A damaged file that got past every check must still end in a sentence, not in a stack trace.
        raise FormatError("format.damaged") from error
    for channel in recording.channels:
        if not _LEAST_UV <= abs(channel.microvolts_per_unit) <= _MOST_UV or not isfinite(
            channel.offset_microvolts
        ):
            raise WaveformError("waveform.no_sensitivity", lead=channel.lead)
    return recording


def _read(kind: Kind, data: bytes, companions: Mapping[str, bytes]) -> Recording:
    match kind:
        case Kind.SCP:
            return read_scp(data)
        case Kind.AECG:
            return read_aecg(data)
        case Kind.SIERRA:
            return read_sierra(data)
        case Kind.MUSE:
            return read_muse(data)
        case Kind.WFDB:
            if not is_wfdb_header(data):
                raise FormatError("format.wfdb_header_missing")
            return read_wfdb(data, companions)
    raise FormatError("format.unknown")
