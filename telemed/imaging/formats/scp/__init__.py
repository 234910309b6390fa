"""SCP-ECG: EN 1064 and ISO 11073-91064, editions 1 to 2 in full, 3 as far as they agree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.formats.errors import MOST_SAMPLES, FormatError
from telemed.imaging.formats.recording import Channel, Recording, in_lead_order
from telemed.imaging.formats.scp.container import Section, looks_like_scp, sections
from telemed.imaging.formats.scp.huffman import Table, read_tables
from telemed.imaging.formats.scp.layout import LeadSpan, Locations, read_leads, read_locations
from telemed.imaging.formats.scp.patient import annotations_of, filters, header
from telemed.imaging.formats.scp.rhythm import (
    Encoded,
    decimation,
    expanded,
    read_encoded,
    stored_samples,
    values,
    with_reference_beat,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["looks_like_scp", "read_scp"]


def read_scp(data: bytes) -> Recording:
    """Read the rhythm of an SCP-ECG record, int32 as recorded, microvolts by the amplitude multiplier.

    Raises FormatError format.scp_cut (expected, found), format.scp_checksum (section), format.scp_damaged,
    format.scp_huffman, format.too_large; WaveformError waveform.no_waveform, waveform.no_sensitivity,
    waveform.no_sampling_rate, waveform.truncated.
    """
    found = sections(data)
    if 3 not in found or 6 not in found:
        raise WaveformError("waveform.no_waveform")
    spans, subtracted = read_leads(found[3].body)
    tables = read_tables(found[2].body) if 2 in found else None
    rhythm = read_encoded(found[6].body, len(spans), version=found[6].version)
    lead_bytes = _Leads(tables, rhythm)
    if subtracted or rhythm.bimodal:
        lead_bytes = _with_reference(found, len(spans), lead_bytes, subtracted=subtracted)
    channels = lead_bytes.channels(spans)
    about = found[1].body if 1 in found else b""
    return Recording(
        kind="scp",
        channels=in_lead_order(channels),
        sampling_rate=float(f"{1e6 * lead_bytes.factor / rhythm.interval_us:.9g}"),
        header=header(about),
        filters=filters(about),
        annotations=annotations_of(found),
    )


@dataclass(frozen=True)
class _Leads:
    """All that is needed to bring the bytes of section 6 back to samples."""

    tables: list[Table] | None
    rhythm: Encoded
    factor: int = 1
    locations: Locations = field(default_factory=Locations)
    # Only where it was subtracted; what its samples are in nanovolts and microseconds it says itself.
    beat: Encoded | None = None

    def channels(self, spans: tuple[LeadSpan, ...]) -> list[Channel]:
        """The leads on one clock; where a lead starts later or ends earlier it is absent."""
        start, end = min(span.start for span in spans), max(span.end for span in spans)
        if end - start >= MOST_SAMPLES:
            raise WaveformError("waveform.too_long", samples=end - start + 1)
        found = []
        for n, span in enumerate(spans):
            if span.lead is None:
                continue
            samples, nanovolts = self._samples(n, span)
            raw, absent = np.zeros(end - start + 1, np.int32), np.ones(end - start + 1, np.bool_)
            place = slice(span.start - start, span.end - start + 1)
            raw[place], absent[place] = samples, False
            found.append(Channel(span.lead, raw, nanovolts / 1000.0, 0.0, absent if absent.any() else None))
        return found

    def _samples(self, n: int, span: LeadSpan) -> tuple[NDArray[np.int64], int]:
        rhythm, zones = self.rhythm, self.locations.protected if self.rhythm.bimodal else ()
        count = span.samples if self.factor == 1 else stored_samples(span, self.factor, zones)
        samples = values(rhythm.leads[n], self.tables, count, rhythm.differences)
        if self.factor > 1:
            samples = expanded(samples, span, self.factor, zones)
        if self.beat is None:
            return samples, rhythm.nanovolts
        length = self.locations.length_ms * 1000 // self.beat.interval_us
        beat = values(self.beat.leads[n], self.tables, length, self.beat.differences)
        scales = (rhythm.nanovolts, self.beat.nanovolts)
        return with_reference_beat(samples, beat, span, self.locations, scales)


def _with_reference(found: dict[int, Section], leads: int, plain: _Leads, *, subtracted: bool) -> _Leads:
    """Sections 4 and 5, without which neither a subtraction nor a decimation can be undone."""
    if 4 not in found or 5 not in found:
        raise FormatError("format.scp_damaged")
    reference = read_encoded(found[5].body, leads, version=found[5].version)
    return replace(
        plain,
        factor=decimation(plain.rhythm, reference),
        locations=read_locations(found[4].body, subtracted=True),
        beat=reference if subtracted else None,
    )
