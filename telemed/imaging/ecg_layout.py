"""Where each lead of a printed or drawn 12-lead ECG lies, in millimetres of paper.

The scale is the paper's own: 25 mm a second and 10 mm a millivolt on a grid of 1 mm and 5 mm (Kligfield et
al., Circulation 2007;115:1306-1324). The origin is the upper left corner of the grid, x goes to the right
and y goes down, as on every page and canvas. Nothing here rounds: 1 mV is 10 mm, 1 s is 25 mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

MM_PER_S: Final = 25.0
MM_PER_MV: Final = 10.0
MINOR_GRID_MM: Final = 1.0
MAJOR_GRID_MM: Final = 5.0
# What paper shows at once: the ten seconds of a standard resting recording.
PAPER_S: Final = 10.0
# The calibration pulse: 1 mV for 0.2 s, with 2.5 mm of baseline on either side, left of the first column.
PULSE_MV: Final = 1.0
PULSE_S: Final = 0.2
PULSE_MARGIN_MM: Final = 2.5
PULSE_AREA_MM: Final = 10.0

DEFAULT_LAYOUT: Final = "3x4+1"
_COLUMNS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "3x4+1": (("I", "II", "III"), ("aVR", "aVL", "aVF"), ("V1", "V2", "V3"), ("V4", "V5", "V6")),
    "6x2": (("I", "II", "III", "aVR", "aVL", "aVF"), ("V1", "V2", "V3", "V4", "V5", "V6")),
    "12x1": (("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"),),
}
# Chosen so that each layout stays within 150 mm, the height left on landscape A4 below its head.
_ROW_MM: Final = {"3x4+1": 35.0, "6x2": 25.0, "12x1": 12.0}
LAYOUTS: Final = tuple(_COLUMNS)


class Leads(Protocol):
    """The part of `telemed.imaging.waveform.Waveform` that is drawn.

    `samples` has shape (len(leads), n), in mV, NaN where nothing was recorded; `sampling_rate` is in Hz.
    """

    @property
    def leads(self) -> tuple[str, ...]: ...
    @property
    def samples(self) -> NDArray[np.float32]: ...
    @property
    def sampling_rate(self) -> float: ...


@dataclass(frozen=True)
class Strip:
    """One lead over one span of time: seconds of the recording, millimetres of the grid."""

    lead: str
    start_s: float
    duration_s: float
    x0_mm: float
    baseline_y_mm: float

    @property
    def width_mm(self) -> float:
        return self.duration_s * MM_PER_S


@dataclass(frozen=True)
class EcgLayout:
    """A page's worth of strips, one calibration pulse a row, and the extents of the grid below them."""

    name: str
    strips: tuple[Strip, ...]
    pulses: tuple[NDArray[np.float64], ...]
    width_mm: float
    height_mm: float
    row_mm: float


def ecg_layout(name: str = DEFAULT_LAYOUT, *, rhythm_lead: str = "II", start_s: float = 0.0) -> EcgLayout:
    """The strips of a layout: "3x4+1" (four columns of 2.5 s over a rhythm strip of 10 s), "6x2" or "12x1".

    Columns follow one another in time, so that a beat at the right end of a row goes on in the next column.
    `start_s` is the second of the recording at the left edge. Raises ValueError for an unknown layout or
    rhythm lead, or a negative start.
    """
    if name not in _COLUMNS:
        raise ValueError(f"no ECG layout {name!r}; there are {', '.join(LAYOUTS)}")
    if rhythm_lead not in _COLUMNS["12x1"][0]:
        raise ValueError(f"no lead {rhythm_lead!r} for the rhythm strip")
    if start_s < 0:
        raise ValueError(f"an ECG is drawn from its start on, not from {start_s} s")
    columns, row = _COLUMNS[name], _ROW_MM[name]
    column_s = PAPER_S / len(columns)
    baselines = [row * (index + 0.5) for index in range(len(columns[0]) + (name == "3x4+1"))]
    strips = [
        Strip(lead, start_s + column * column_s, column_s, PULSE_AREA_MM + column * column_s * MM_PER_S, y)
        for column, leads in enumerate(columns)
        for lead, y in zip(leads, baselines, strict=False)
    ]
    if name == "3x4+1":
        strips.append(Strip(rhythm_lead, start_s, PAPER_S, PULSE_AREA_MM, baselines[-1]))
    return EcgLayout(
        name=name,
        strips=tuple(strips),
        pulses=tuple(_pulse(y) for y in baselines),
        width_mm=PULSE_AREA_MM + PAPER_S * MM_PER_S,
        height_mm=_whole_squares(row * len(baselines)),
        row_mm=row,
    )


def polyline_mm(waveform: Leads, strip: Strip) -> NDArray[np.float64]:
    """The line of a strip: float64 of shape (k, 2), x and y in mm.

    Rows of NaN split it where nothing was recorded: never at its ends, never two in a row. Samples lie at
    start_s <= t <= start_s + duration_s; a recording that ends earlier gives a shorter line, one without any
    sample in that span an empty one. Raises ValueError where the waveform has no such lead.
    """
    if strip.lead not in waveform.leads:
        raise ValueError(f"the waveform has no lead {strip.lead!r}")
    rate = waveform.sampling_rate
    # A sample lies at index / rate; the small term keeps one that falls exactly on an edge.
    first = max(int(np.ceil(strip.start_s * rate - 1e-6)), 0)
    last = int(np.floor((strip.start_s + strip.duration_s) * rate + 1e-6))
    values = np.asarray(
        waveform.samples[waveform.leads.index(strip.lead)][first : last + 1], dtype=np.float64
    )
    seconds = np.arange(first, first + values.size, dtype=np.float64) / rate - strip.start_s
    line = np.column_stack((strip.x0_mm + seconds * MM_PER_S, strip.baseline_y_mm - values * MM_PER_MV))
    recorded = np.isfinite(values)
    line[~recorded] = np.nan
    # Of a gap its first row stays, unless it touches an end.
    keep = recorded | np.concatenate(([False], recorded[:-1]))
    line = line[keep]
    return line[:-1] if line.size and np.isnan(line[-1, 0]) else line


def segments(line: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The unbroken parts of a line from `polyline_mm`: each float64 (k, 2) in mm, k >= 1, free of NaN."""
    gaps = np.flatnonzero(np.isnan(line[:, 0]))
    parts = np.split(line, gaps)
    return [part for part in (part[1:] if index else part for index, part in enumerate(parts)) if part.size]


def leads_beyond(
    waveform: Leads, layout: EcgLayout, lines: Sequence[NDArray[np.float64]] | None = None
) -> tuple[str, ...]:
    """The leads whose line leaves the grid at its top or bottom, so that a page can say what it cuts off."""
    drawn = lines if lines is not None else [polyline_mm(waveform, strip) for strip in layout.strips]
    beyond = {
        strip.lead
        for strip, line in zip(layout.strips, drawn, strict=True)
        if line.size and (np.nanmin(line[:, 1]) < 0 or np.nanmax(line[:, 1]) > layout.height_mm)
    }
    return tuple(lead for lead in waveform.leads if lead in beyond)


def _pulse(baseline_y_mm: float) -> NDArray[np.float64]:
    """Points of a calibration pulse, (6, 2) in mm, from the left edge of the grid to the first strip."""
    left, right = PULSE_MARGIN_MM, PULSE_MARGIN_MM + PULSE_S * MM_PER_S
    top = baseline_y_mm - PULSE_MV * MM_PER_MV
    return np.array(
        [
            (0.0, baseline_y_mm),
            (left, baseline_y_mm),
            (left, top),
            (right, top),
            (right, baseline_y_mm),
            (PULSE_AREA_MM, baseline_y_mm),
        ]
    )


def _whole_squares(mm: float) -> float:
    return float(np.ceil(mm / MAJOR_GRID_MM) * MAJOR_GRID_MM)
