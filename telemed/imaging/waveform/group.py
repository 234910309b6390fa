"""One multiplex group of a waveform object, brought to millivolts (PS3.3 C.10.9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed.imaging.errors import WaveformError
from telemed.imaging.waveform.leads import leads_of_channels
from telemed.imaging.waveform.units import millivolts_per
from telemed.imaging.waveform.values import number, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemed.imaging.waveform.direct import Source

# PS3.3 C.10.9.1.5; mu-law and A-law (MB, AB) are for voice and are refused.
_DTYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
    (64, "SV"): "i8",
    (64, "UV"): "u8",
}
_REPRESENTATIVE = re.compile(r"MEDIAN|AVERAGE|TEMPLATE|REPRESENTATIVE|MEAN BEAT", re.IGNORECASE)
# A derived group shorter than this is a representative beat even when its label is silent.
_SHORTEST_RHYTHM_S = 2.0


@dataclass(frozen=True)
class Group:
    """What a multiplex group says of itself, before any sample is touched."""

    item: Source
    channels: list[Source]
    leads: tuple[str | None, ...]
    samples: int
    rate: float
    label: str
    offset_s: float

    @property
    def known(self) -> frozenset[str]:
        return frozenset(lead for lead in self.leads if lead)

    @cached_property
    def scales(self) -> dict[str, tuple[float, float]]:
        """(mV per raw unit, offset in mV) of each known lead. Raises WaveformError when one is not stated."""
        channels = zip(self.leads, self.channels, strict=True)
        return {lead: scale(channel, lead) for lead, channel in channels if lead}

    @property
    def is_representative_beat(self) -> bool:
        if _REPRESENTATIVE.search(self.label):
            return True
        derived = text(self.item, "WaveformOriginality").upper() == "DERIVED"
        return derived and self.samples / self.rate < _SHORTEST_RHYTHM_S


def describe(item: Source) -> Group | None:
    """The group, or None when it holds no sample (devices write an empty first group)."""
    channels = list(item.get("ChannelDefinitionSequence") or [])
    count = int(number(item, "NumberOfWaveformSamples") or 0)
    rate = number(item, "SamplingFrequency") or 0.0
    if not channels or count <= 0 or not item.get("WaveformData"):
        return None
    if not np.isfinite(rate) or rate <= 0:
        raise WaveformError("waveform.no_sampling_rate")
    declared = int(number(item, "NumberOfWaveformChannels") or len(channels))
    if declared != len(channels):
        raise WaveformError("waveform.channels_do_not_match", declared=declared, described=len(channels))
    return Group(
        item=item,
        channels=channels,
        leads=tuple(leads_of_channels(channels)),
        samples=count,
        rate=float(rate),
        label=text(item, "MultiplexGroupLabel"),
        offset_s=(number(item, "MultiplexGroupTimeOffset") or 0.0) / 1000.0,
    )


def millivolts(group: Group, leads: tuple[str, ...], little: bool) -> NDArray[np.float32]:
    """The named leads of a group in mV, float32 of shape (len(leads), samples); padding becomes NaN.

    value = raw x sensitivity x correction + baseline, in the channel's unit (PS3.3 C.10.9.1.4.2), then to mV.
    Raises WaveformError when samples are missing or a channel has no scale.
    """
    item, channels = group.item, group.channels
    rows = [group.leads.index(lead) for lead in leads]
    raw = _raw(group, little)[:, rows]
    padded = _padding(item, raw, little)
    raw = _sign_extended(raw, [channels[row] for row in rows], padded)
    scales = [group.scales[lead] for lead in leads]
    gain = np.array([s[0] for s in scales])
    base = np.array([s[1] for s in scales])
    # Sixteen bits fit into float32; wider samples keep their low bits by going through float64.
    work: NDArray[Any] = raw.astype(np.float32 if raw.dtype.itemsize <= 2 else np.float64)
    out = np.multiply(work.T, gain[:, None].astype(work.dtype), order="C")
    if base.any():
        out += base[:, None].astype(work.dtype)
    if padded is not None:
        out[padded.T] = np.nan
    result: NDArray[np.float32] = out.astype(np.float32, copy=False)
    return result


def scale(channel: Source, lead: str) -> tuple[float, float]:
    """(mV per raw unit, offset in mV) of a channel. Raises WaveformError when it is not stated."""
    sensitivity = number(channel, "ChannelSensitivity")
    if sensitivity is None or sensitivity == 0 or not np.isfinite(sensitivity):
        raise WaveformError("waveform.no_sensitivity", lead=lead)
    units = channel.get("ChannelSensitivityUnitsSequence") or []
    names = [text(units[0], "CodeValue"), text(units[0], "CodeMeaning")] if len(units) else []
    factor = millivolts_per(*names)
    if factor is None:
        raise WaveformError("waveform.unknown_unit", lead=lead, unit=names[0] if names else "-")
    correction = number(channel, "ChannelSensitivityCorrectionFactor")
    gain = sensitivity * (1.0 if correction is None else correction) * factor
    return gain, (number(channel, "ChannelBaseline") or 0.0) * factor


def _raw(group: Group, little: bool) -> NDArray[Any]:
    """Raw samples of shape (samples, channels): a view on the bytes, nothing is copied."""
    item = group.item
    bits = int(number(item, "WaveformBitsAllocated") or 0)
    kind = text(item, "WaveformSampleInterpretation").upper()
    code = _DTYPES.get((bits, kind))
    if code is None:
        raise WaveformError("waveform.unsupported_samples", bits=bits, interpretation=kind or "-")
    dtype = np.dtype(("<" if little else ">") + code)
    expected = group.samples * len(group.leads) * dtype.itemsize
    data = item.get("WaveformData")
    if len(data) < expected:
        raise WaveformError("waveform.truncated", expected=expected, found=len(data))
    flat = np.frombuffer(data, dtype=dtype, count=group.samples * len(group.leads))
    return flat.reshape(group.samples, len(group.leads))


def _padding(item: Source, raw: NDArray[Any], little: bool) -> NDArray[np.bool_] | None:
    value = item.get("WaveformPaddingValue")
    size = raw.dtype.itemsize
    if value is None or value == b"":
        return None
    if isinstance(value, bytes | memoryview):
        if len(value) < size:
            return None
        value = np.frombuffer(value, raw.dtype.newbyteorder("<" if little else ">"), 1)[0]
    mask = raw == value
    return mask if mask.any() else None


def _sign_extended(
    raw: NDArray[Any], channels: list[Source], padded: NDArray[np.bool_] | None
) -> NDArray[Any]:
    """Repair signed samples of fewer bits whose upper bits are zero instead of the sign.

    Only a channel that fits the unsigned range of its stored bits and leaves the signed one is touched: a
    device that understates its bits keeps its values.
    """
    if raw.dtype.kind != "i":
        return raw
    allocated = raw.dtype.itemsize * 8
    for column, channel in enumerate(channels):
        bits = int(number(channel, "WaveformBitsStored") or allocated)
        if not 1 < bits < allocated:
            continue
        values = raw[:, column] if padded is None else raw[~padded[:, column], column]
        if values.size and values.min() >= 0 and 1 << (bits - 1) <= values.max() < 1 << bits:
            if not raw.flags.writeable:
                raw = raw.copy()
            negative = raw[:, column] >= 1 << (bits - 1)
            raw[negative, column] -= 1 << bits
    return raw
