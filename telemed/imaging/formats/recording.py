"""One recording as its file has it: the integers of the device, and what stands beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.waveform.derive import complete_limb_leads
from telemed.imaging.waveform.model import LEADS, Annotation, Filters, Waveform
from telemed.imaging.waveform.reader import missing_leads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

# The 16-bit value that stands for "not recorded" in WFDB format 16, and in the objects written here.
PADDING = -32768


@dataclass(frozen=True)
class SourceHeader:
    """Who, when and with what, as the file says it; "" and None where it is silent.

    `patient_name` has DICOM's carets between family and given name. `sex` is M, F, O or "". `acquired_at` is
    aware only where the file states a zone.
    """

    patient_id: str = ""
    patient_name: str = ""
    sex: str = ""
    birth_date: date | None = None
    age_years: int | None = None
    acquired_at: datetime | None = None
    manufacturer: str = ""
    model: str = ""
    serial_number: str = ""
    software: str = ""
    institution: str = ""
    order_number: str = ""


@dataclass(frozen=True)
class Channel:
    """One lead. microvolts = raw x `microvolts_per_unit` + `offset_microvolts`.

    `raw` is int32 of shape (n,), the numbers of the file. `absent` is a bool mask of the same shape for spans
    that were not recorded, None where there are none.
    """

    lead: str
    raw: NDArray[np.int32]
    microvolts_per_unit: float
    offset_microvolts: float = 0.0
    absent: NDArray[np.bool_] | None = None

    def millivolts(self) -> NDArray[np.float32]:
        """float32 mV of shape (n,), NaN where absent; the same arithmetic as for a DICOM channel."""
        narrow = self.fits_16_bits
        work: NDArray[Any] = self.raw.astype(np.float32 if narrow else np.float64)
        out = work * work.dtype.type(self.microvolts_per_unit * 1e-3)
        if self.offset_microvolts:
            out += work.dtype.type(self.offset_microvolts * 1e-3)
        if self.absent is not None:
            out[self.absent] = np.nan
        millivolts: NDArray[np.float32] = out.astype(np.float32, copy=False)
        return millivolts

    @property
    def fits_16_bits(self) -> bool:
        """Whether every recorded value lies in -32767 to 32767, so that `PADDING` stays free."""
        kept = self.raw if self.absent is None else self.raw[~self.absent]
        return int(kept.min(initial=0)) > PADDING and int(kept.max(initial=0)) <= -(PADDING + 1)


@dataclass(frozen=True)
class Recording:
    """What a reader returns. All channels have the same number of samples, at `sampling_rate` Hz."""

    kind: str
    channels: tuple[Channel, ...]
    sampling_rate: float
    header: SourceHeader = field(default_factory=SourceHeader)
    filters: Filters = field(default_factory=Filters)
    annotations: tuple[Annotation, ...] = ()
    label: str = "RHYTHM"

    @property
    def samples(self) -> int:
        return len(self.channels[0].raw) if self.channels else 0

    def waveform(self) -> Waveform:
        """All twelve leads in millivolts, absent limb leads computed; see `Waveform`.

        Raises WaveformError `waveform.no_waveform`, `waveform.not_twelve_leads` (missing).
        """
        if not self.samples:
            raise WaveformError("waveform.no_waveform")
        recorded = {channel.lead: channel.millivolts() for channel in self.channels}
        missing = missing_leads(frozenset(recorded))
        if missing:
            raise WaveformError("waveform.not_twelve_leads", missing=", ".join(missing))
        samples, derived = complete_limb_leads(recorded)
        scales = {(c.microvolts_per_unit, c.offset_microvolts) for c in self.channels}
        gain, offset = next(iter(scales))
        return Waveform(
            leads=LEADS,
            samples=samples,
            sampling_rate=self.sampling_rate,
            label=self.label,
            derived=derived,
            resolution_uv=gain if len(scales) == 1 and offset == 0 and gain > 0 else None,
            filters=self.filters,
            annotations=self.annotations,
        )


def in_lead_order(channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """The channels of the twelve leads in the order of `LEADS`; of a repeated lead the first."""
    known: dict[str, Channel] = {}
    for channel in channels:
        known.setdefault(channel.lead, channel)
    return tuple(known[lead] for lead in LEADS if lead in known)


def measured(values: Mapping[str, float | None]) -> tuple[Annotation, ...]:
    """Global measurements as annotations (PS3.16 CID 3228, 3229). None is left out, and so is an interval or a
    rate of zero: devices write it for "not measured"."""
    return tuple(
        Annotation(code=code, scheme=scheme, meaning=meaning, value=float(value), unit=unit)
        for name, (code, scheme, meaning, unit) in _MEASUREMENTS.items()
        if (value := values.get(name)) is not None and (unit == "deg" or value > 0)
    )


_MEASUREMENTS = {
    "rate": ("2:16016", "MDC", "Heart rate", "/min"),
    "pr": ("2:15872", "MDC", "PR interval", "ms"),
    "qrs": ("2:16156", "MDC", "QRS duration", "ms"),
    "qt": ("2:16160", "MDC", "QT interval", "ms"),
    "qtc": ("2:15876", "MDC", "QTc interval", "ms"),
    "p_axis": ("5.10.3-11", "SCPECG", "P axis", "deg"),
    "qrs_axis": ("5.10.3-13", "SCPECG", "QRS axis", "deg"),
    "t_axis": ("5.10.3-15", "SCPECG", "T axis", "deg"),
}
