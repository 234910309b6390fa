"""Sections 3 and 4: which leads there are, and where the QRS complexes lie."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from telemed.imaging.formats.errors import MOST_SAMPLES, FormatError
from telemed.imaging.waveform.leads import lead_of_code

_LEAD = struct.Struct("<IIB")
_SUBTRACTED = struct.Struct("<HIII")
_PROTECTED = struct.Struct("<II")
_MOST_LEADS = 64


@dataclass(frozen=True)
class LeadSpan:
    """Samples `start` to `end`, both counted from 1 and both included. `lead` is None for none of the twelve."""

    lead: str | None
    start: int
    end: int

    @property
    def samples(self) -> int:
        return self.end - self.start + 1


@dataclass(frozen=True)
class Beat:
    """A QRS in the rhythm: its type (0 is the reference beat), and the first, fiducial and last sample."""

    type: int
    start: int
    fiducial: int
    end: int


@dataclass(frozen=True)
class Locations:
    """`fiducial` is the sample of the reference beat that lies on each beat's own fiducial sample, `length_ms`
    how long that beat is."""

    length_ms: int = 0
    fiducial: int = 0
    beats: tuple[Beat, ...] = ()
    protected: tuple[tuple[int, int], ...] = ()


def read_leads(body: bytes) -> tuple[tuple[LeadSpan, ...], bool]:
    """The leads of section 3, and whether the reference beat was subtracted. Raises FormatError."""
    count = body[0] if len(body) >= 2 else 0
    if not 1 <= count <= _MOST_LEADS or len(body) < 2 + count * _LEAD.size:
        raise FormatError("format.scp_damaged")
    spans = []
    for n in range(count):
        start, end, number = _LEAD.unpack_from(body, 2 + n * _LEAD.size)
        # Some devices count from zero; what matters is the number of samples and the common clock.
        if end < start or end - start >= MOST_SAMPLES:
            raise FormatError("format.scp_damaged")
        # ISO 11073 numbers the leads alike in MDC and SCP-ECG.
        spans.append(LeadSpan(lead_of_code(f"2:{number}"), start, end))
    return tuple(spans), bool(body[1] & 1)


def read_locations(body: bytes, *, subtracted: bool) -> Locations:
    """Section 4. The zones follow only where a reference beat was subtracted. Raises FormatError."""
    if len(body) < 6:
        raise FormatError("format.scp_damaged")
    length_ms, fiducial, count = struct.unpack_from("<HHH", body, 0)
    if not subtracted or not count:
        return Locations(length_ms, fiducial)
    middle = 6 + count * _SUBTRACTED.size
    if len(body) < middle:
        raise FormatError("format.scp_damaged")
    beats = tuple(Beat(*_SUBTRACTED.unpack_from(body, 6 + n * _SUBTRACTED.size)) for n in range(count))
    # Without bimodal compression a writer may leave the protected zones out.
    zones = min(count, (len(body) - middle) // _PROTECTED.size)
    protected = tuple(_PROTECTED.unpack_from(body, middle + n * _PROTECTED.size) for n in range(zones))
    zoned = tuple((first, last) for first, last in protected if 0 < first <= last)
    return Locations(length_ms, fiducial, beats, zoned)
