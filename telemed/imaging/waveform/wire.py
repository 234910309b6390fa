"""The form in which twelve leads travel to the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from telemed.imaging.waveform.model import LEADS, Waveform

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = -32768
_MOST = 32767


class WireHead(TypedDict):
    """The JSON head beside the samples. mV = sample x microvolts_per_unit / 1000; `missing` is no sample."""

    leads: list[str]
    sampling_rate: float
    samples: int
    microvolts_per_unit: float
    missing: int


def to_wire(waveform: Waveform) -> tuple[WireHead, bytes]:
    """Pack an ECG as (head, body).

    The body is int16 little endian, lead after lead, `len(leads) x samples x 2` bytes. The unit is the
    device's own bit where it has one (half of it where leads were computed, so that aVR is exact), else
    1 uV, and wider only when the largest deflection would not fit.
    """
    step = _unit(waveform)
    with np.errstate(invalid="ignore"):
        scaled = np.rint(waveform.samples.astype(np.float64) * (1000.0 / step))
    scaled[~np.isfinite(scaled)] = MISSING
    head: WireHead = {
        "leads": list(waveform.leads),
        "sampling_rate": waveform.sampling_rate,
        "samples": int(waveform.samples.shape[1]),
        "microvolts_per_unit": step,
        "missing": MISSING,
    }
    return head, np.ascontiguousarray(scaled, dtype="<i2").tobytes()


def from_wire(head: WireHead, body: bytes) -> Waveform:
    """The ECG that `to_wire` packed, to half a unit. Raises ValueError when body and head do not fit."""
    if list(head["leads"]) != list(LEADS):
        raise ValueError("leads are not the twelve in canonical order")
    flat: NDArray[np.int16] = np.frombuffer(body, dtype="<i2").reshape(len(LEADS), head["samples"])
    samples = flat.astype(np.float32) * np.float32(head["microvolts_per_unit"] / 1000.0)
    samples[flat == head["missing"]] = np.nan
    return Waveform(leads=LEADS, samples=samples, sampling_rate=head["sampling_rate"])


def _unit(waveform: Waveform) -> float:
    finite = waveform.samples[np.isfinite(waveform.samples)]
    peak = float(np.abs(finite).max()) * 1000.0 if finite.size else 0.0
    own = waveform.resolution_uv
    candidates = [1.0] if own is None else [own / 2, own] if waveform.derived else [own]
    for unit in candidates:
        if peak <= unit * _MOST:
            return unit
    return peak / _MOST
