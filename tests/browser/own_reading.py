"""The median beat of the stand-in server, and what a reader keeps and says there."""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemed.imaging.waveform import LEADS
from telemed.imaging.waveform.wire import from_wire
from tests.browser import samples

MARKS = {
    "p_onset_ms": -220.0,
    "p_offset_ms": -120.0,
    "qrs_onset_ms": -50.0,
    "qrs_offset_ms": 60.0,
    "t_onset_ms": 140.0,
    "t_offset_ms": 400.0,
}
RR_MS = 60_000 / 72
RATE = 500


def beat(case: dict[str, Any], st_mv: float = 0.0) -> dict[str, Any]:
    """One beat of `samples.heart`, with `st_mv` more in V4 from J to the end of T."""
    data = samples.heart()
    length = int.from_bytes(data[:4], "little")
    waveform = from_wire(json.loads(data[4 : 4 + length]), data[4 + length :])
    peak = round((0.3 + 3 * 60 / 72) * RATE)
    cut = waveform.samples[:, peak - 180 : peak + 320].astype(np.float64)
    cut[9, 180 + 30 : 180 + 200] += st_mv
    return _given(case, waveform.leads, cut)


def beat_at_st(case: dict[str, Any], levels: dict[str, float]) -> dict[str, Any]:
    """A beat that is flat but for ST: from J to the end of T at `levels` (mV by lead)."""
    flat = np.zeros((len(LEADS), 500))
    for lead, level in levels.items():
        flat[LEADS.index(lead), 180 + 28 : 180 + 200] = level
    return _given(case, LEADS, flat)


def _given(case: dict[str, Any], leads: tuple[str, ...], cut: NDArray[np.float64]) -> dict[str, Any]:
    instance = case["series"][0]["instances"][0]
    return {
        "analysis": case["analyses"][0]["id"],
        "sop_instance_uid": instance["sop_instance_uid"],
        "leads": list(leads),
        "sampling_rate": RATE,
        "fiducial": 180,
        "waves": MARKS,
        "beats": 11,
        "of": 12,
        "rr_ms": RR_MS,
        "microvolts_per_unit": 1.0,
        "missing": -32768,
        "samples": base64.b64encode(np.rint(cut * 1000).astype("<i2").tobytes()).decode(),
    }


def beats(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [beat(case)] if any(one.get("has_median_beat") for one in case["analyses"]) else []


class OwnReading:
    """Of one case: the latest of each, as the server keeps it."""

    def __init__(self) -> None:
        self.measurements: dict[str, dict[str, Any]] = {}
        self.verdicts: dict[tuple[str, str], str] = {}

    def measure(self, body: dict[str, Any]) -> None:
        self.measurements[body["analysis"]] = body["marks"]

    def judge(self, body: dict[str, Any]) -> None:
        self.verdicts[body["analysis"], body["finding"]] = body["verdict"]

    def answer(self) -> dict[str, Any]:
        return {
            "measurements": [
                {"analysis": analysis, "marks": marks, "measurements": {}, "mine": True}
                for analysis, marks in self.measurements.items()
            ],
            "verdicts": [
                {"analysis": analysis, "finding": finding, "verdict": verdict, "mine": True}
                for (analysis, finding), verdict in self.verdicts.items()
                if verdict != "open"
            ],
        }
