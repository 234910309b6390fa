"""Sections 5 and 6: the encoded leads, brought back to the device's numbers.

Undone in the reverse order of writing (EN 1064 clause 5 and annex C): entropy code, differences, decimation
outside the protected zones, subtraction of the reference beat.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import FormatError
from telemed.imaging.formats.scp.huffman import Table, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from telemed.imaging.formats.scp.layout import LeadSpan, Locations

_HEAD = struct.Struct("<HHBB")
_LARGEST = 2**31 - 1
# EN 1064 allows a decimation by up to four.
_MOST_DECIMATION = 4


@dataclass(frozen=True)
class Encoded:
    """Section 5 or 6: nanovolts a unit, microseconds a sample, order of differences, and each lead's bytes."""

    nanovolts: int
    interval_us: int
    differences: int
    bimodal: bool
    leads: tuple[bytes, ...]


def read_encoded(body: bytes, leads: int, *, version: int) -> Encoded:
    """Raises FormatError format.scp_damaged, format.scp_cut; WaveformError for a missing scale or rate."""
    if len(body) < _HEAD.size + 2 * leads:
        raise FormatError("format.scp_damaged")
    nanovolts, interval, differences, bimodal = _HEAD.unpack_from(body, 0)
    if not nanovolts:
        raise WaveformError("waveform.no_sensitivity", lead="I")
    if not interval:
        raise WaveformError("waveform.no_sampling_rate")
    if differences > 2:
        raise FormatError("format.scp_damaged")
    sizes = struct.unpack_from(f"<{leads}H", body, _HEAD.size)
    at = _HEAD.size + 2 * leads
    if at + sum(sizes) > len(body):
        raise FormatError("format.scp_cut", expected=at + sum(sizes), found=len(body))
    parts = []
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    # From edition 3.0 on the byte is reserved: bimodal compression was given up.
    return Encoded(nanovolts, interval, differences, bool(bimodal & 1) and version < 30, tuple(parts))


def values(data: bytes, tables: Sequence[Table] | None, count: int, differences: int) -> NDArray[np.int64]:
    """`count` samples of one lead. Without tables they are plain 16-bit numbers."""
    if tables is None:
        if len(data) < 2 * count:
            raise WaveformError("waveform.truncated", expected=2 * count, found=len(data))
        stored = np.frombuffer(data, "<i2", count).astype(np.int64)
    else:
        stored = decode(data, list(tables), count)
    summed = _summed(stored, differences)
    if summed.size and max(-int(summed.min()), int(summed.max())) > _LARGEST:
        raise FormatError("format.scp_damaged")
    return summed


def _summed(stored: NDArray[np.int64], differences: int) -> NDArray[np.int64]:
    """The first value (two for second differences) is stored as it is; sums undo the rest."""
    if differences == 0 or len(stored) < 2:
        return stored
    if differences == 2:
        steps = stored.copy()
        steps[1] -= stored[0]
        steps[1:] = np.cumsum(steps[1:])
        stored = steps
    return np.cumsum(stored)


def decimation(rhythm: Encoded, reference: Encoded | None) -> int:
    """How many samples of the reference beat's clock one sample of the rhythm stands for, 1 where it is one."""
    if reference is None or rhythm.interval_us == reference.interval_us:
        return 1
    factor = round(rhythm.interval_us / reference.interval_us)
    if (
        not 2 <= factor <= _MOST_DECIMATION
        or abs(factor * reference.interval_us - rhythm.interval_us) > factor
    ):
        raise FormatError("format.scp_damaged")
    return factor


def stored_samples(span: LeadSpan, factor: int, zones: Sequence[tuple[int, int]]) -> int:
    """How many samples section 6 holds of a lead."""
    return sum(length if dense else -(-length // factor) for dense, length in _stretches(span, zones))


def expanded(
    stored: NDArray[np.int64], span: LeadSpan, factor: int, zones: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Every sample of a lead. Inside the zones they are all stored; outside, each is a mean of `factor`, put
    back at the middle of what it was taken from with straight lines between."""
    parts = []
    at = 0
    for dense, length in _stretches(span, zones):
        taken = length if dense else -(-length // factor)
        part = stored[at : at + taken]
        if not dense:
            middles = np.arange(taken) * factor + (factor - 1) / 2
            part = np.rint(np.interp(np.arange(length), middles, part)).astype(np.int64)
        parts.append(part)
        at += taken
    return np.concatenate(parts)


def _stretches(span: LeadSpan, zones: Sequence[tuple[int, int]]) -> list[tuple[bool, int]]:
    """(stored in full?, samples) from the start of a lead to its end."""
    found = []
    at = span.start
    for first, last in sorted(zones):
        begin, end = max(first, at), min(last, span.end)
        if end < begin:
            continue
        if begin > at:
            found.append((False, begin - at))
        found.append((True, end - begin + 1))
        at = end + 1
    if at <= span.end:
        found.append((False, span.end - at + 1))
    return found


def with_reference_beat(
    residual: NDArray[np.int64],
    beat: NDArray[np.int64],
    span: LeadSpan,
    locations: Locations,
    scales: tuple[int, int],
) -> tuple[NDArray[np.int64], int]:
    """The rhythm with the reference beat added where it was taken away, and its nanovolts a unit.

    `scales` are the nanovolts of residual and beat; the sum is in their greatest common divisor, so that
    nothing is rounded.
    """
    unit = math.gcd(*scales)
    out = residual * (scales[0] // unit)
    scaled = beat * (scales[1] // unit)
    for one in locations.beats:
        if one.type != 0:
            continue
        # Both counted from 1: the reference beat's own sample for the rhythm's first one.
        shift = locations.fiducial - one.fiducial
        first = max(one.start, span.start, 1 - shift)
        last = min(one.end, span.end, len(beat) - shift)
        if last >= first:
            out[first - span.start : last - span.start + 1] += scaled[first + shift - 1 : last + shift]
    return out, unit
