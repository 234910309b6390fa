"""May the ECG network judge this recording? If not, why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.signal import LEADS, Resampled
from telemed.imaging.waveform import Waveform

SHORTEST_S = 5.0
"""Trained on windows of 3 s and judged on recordings of 10 s; under 5 s too few windows agree with each other."""
LONGEST_S = 60.0
RATES_HZ = (100.0, 2000.0)
YOUNGEST_YEARS = 16.0
"""Trained on adults; rate, axis, PR and T waves of children have limits of their own (Rijnbeek 2001) up to here."""
LARGEST_MV = 50.0
"""No electrode on a body gives more; such numbers are a wrong unit or a broken scale."""

# What spoils the meaning of every beat is refused; saturation spoils some beats and is only noted.
_REFUSED = {"quality.lead_off": "waveform.lead_off", "quality.einthoven": "waveform.einthoven"}


@dataclass(frozen=True)
class Verdict:
    """`reason` is None where the recording is in the model's domain; `samples` is its complete part then.

    `start` is the sample of the recording at which that part begins, `rate` their number a second.
    """

    reason: str | None
    params: dict[str, str | int]
    quality: dict[str, Any]
    samples: NDArray[np.float32] | None = None
    start: int = 0
    rate: float = 0.0

    @cached_property
    def resampled(self) -> Resampled:
        """The complete part at other rates, for all models that read the recording. Only in domain."""
        assert self.samples is not None
        return Resampled(self.samples, self.rate)


def judge(waveform: Waveform) -> Verdict:
    """Hold a recording against the input domain of the ECG network.

    Reasons: waveform.child (years, limit; an unknown age is not held against it), waveform.not_twelve_leads
    (missing), waveform.sampling_rate (hertz), waveform.too_short, waveform.too_long_for_model, waveform.gaps (no
    complete stretch of 5 s), waveform.lead_off (leads), waveform.implausible_amplitude, waveform.einthoven (the limb
    leads contradict each other).
    """
    rate = waveform.sampling_rate
    quality: dict[str, Any] = {"sampling_rate_hz": rate, "duration_s": 0.0, "problems": []}
    age = waveform.age_years
    if age is not None and age < YOUNGEST_YEARS:
        return Verdict("waveform.child", {"years": f"{age:g}", "limit": f"{YOUNGEST_YEARS:g}"}, quality)
    if (
        tuple(waveform.leads) != LEADS
        or waveform.samples.ndim != 2
        or waveform.samples.shape[0] != len(LEADS)
    ):
        missing = ", ".join(lead for lead in LEADS if lead not in waveform.leads) or "-"
        return Verdict("waveform.not_twelve_leads", {"missing": missing}, quality)
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        return Verdict("waveform.sampling_rate", {"hertz": f"{rate:g}"}, quality)
    seconds = waveform.samples.shape[1] / rate
    quality["duration_s"] = round(seconds, 3)
    if seconds < SHORTEST_S:
        return Verdict("waveform.too_short", _seconds(seconds, SHORTEST_S), quality)
    if seconds > LONGEST_S:
        return Verdict("waveform.too_long_for_model", _seconds(seconds, LONGEST_S), quality)
    residual, findings = waveform.einthoven_mv, waveform.quality
    quality["problems"] = [{"code": finding.code, "leads": list(finding.leads)} for finding in findings]
    quality["einthoven_mv"] = round(residual, 4) if np.isfinite(residual) else None
    for finding in findings:
        if finding.code in _REFUSED:
            return Verdict(_REFUSED[finding.code], {"leads": ", ".join(finding.leads)}, quality)
    part = longest_complete(waveform.samples)
    samples = waveform.samples[:, part]
    complete = samples.shape[1] / rate
    quality["complete_s"] = round(complete, 3)
    if complete < SHORTEST_S:
        return Verdict("waveform.gaps", _seconds(complete, SHORTEST_S), quality)
    if float(np.abs(samples).max()) > LARGEST_MV:
        return Verdict("waveform.implausible_amplitude", {"millivolt": int(LARGEST_MV)}, quality)
    return Verdict(None, {}, quality, samples, part.start, rate)


def longest_complete(samples: NDArray[np.float32]) -> slice:
    """The longest stretch of (12, n) in which every lead has a sample, possibly empty."""
    complete = np.isfinite(samples).all(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], complete.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return slice(0, 0)
    longest = int(np.argmax(ends - starts))
    return slice(int(starts[longest]), int(ends[longest]))


def _seconds(found: float, limit: float) -> dict[str, str | int]:
    return {"seconds": f"{found:.1f}", "limit": f"{limit:g}"}
