"""The ECG sheet: grid and lines as vectors in millimetres, and the words beside them."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from telemed.i18n import text
from telemed.imaging.ecg_layout import (
    MAJOR_GRID_MM,
    MINOR_GRID_MM,
    PAPER_S,
    EcgLayout,
    ecg_layout,
    leads_beyond,
    polyline_mm,
    segments,
)
from telemed.imaging.waveform import Waveform

# Paper red, light enough that a black line stays clear on a monochrome printer.
_MINOR = 'stroke="#f6d3d0" stroke-width="0.1"'
_MAJOR = 'stroke="#e9a5a0" stroke-width="0.18"'
_TRACE = 'stroke="#000" stroke-width="0.25" stroke-linejoin="round" stroke-linecap="round"'


class Label(TypedDict):
    lead: str
    x_mm: float
    y_mm: float


class EcgPage(TypedDict):
    title: str
    svg: str
    width_mm: float
    height_mm: float
    labels: list[Label]
    scale: str
    facts: list[str]
    notes: list[str]


def ecg_page(waveform: Waveform, language: str) -> EcgPage:
    layout = ecg_layout()
    lines = [polyline_mm(waveform, strip) for strip in layout.strips]
    return {
        "title": text("pdf.ecg.title", language),
        "svg": _svg(layout, lines),
        "width_mm": layout.width_mm,
        "height_mm": layout.height_mm,
        "labels": [
            {"lead": strip.lead, "x_mm": strip.x0_mm + 1, "y_mm": strip.baseline_y_mm - layout.row_mm * 0.4}
            for strip in layout.strips
        ],
        "scale": text("pdf.ecg.scale", language),
        "facts": _facts(waveform, language),
        "notes": _notes(waveform, leads_beyond(waveform, layout, lines), language),
    }


def _facts(waveform: Waveform, language: str) -> list[str]:
    filters = waveform.filters
    parts = [
        text(f"pdf.ecg.{kind}", language, value=f"{value:g}")
        for kind, value in (
            ("high_pass", filters.low_hz),
            ("low_pass", filters.high_hz),
            ("notch", filters.notch_hz),
        )
        # A device writes 0 for a filter that is off.
        if value
    ]
    device = (
        text("pdf.ecg.filter", language, filter=", ".join(parts))
        if parts
        else text("pdf.ecg.filter_unknown", language)
    )
    return [
        device,
        text("pdf.ecg.no_filter_added", language),
        text("pdf.ecg.sampling", language, rate=f"{waveform.sampling_rate:g}"),
    ]


def _notes(waveform: Waveform, beyond: tuple[str, ...], language: str) -> list[str]:
    notes = [text("pdf.ecg.print_at_full_size", language)]
    # A sample or two more than ten seconds is rounding of the device, not a part left out.
    if waveform.duration > PAPER_S + 0.1:
        notes.append(
            text("pdf.ecg.span", language, shown=f"{PAPER_S:g}", total=f"{round(waveform.duration, 1):g}")
        )
    silent = [
        lead for lead, row in zip(waveform.leads, waveform.samples, strict=True) if not np.isfinite(row).any()
    ]
    notes += [
        text(f"pdf.ecg.{kind}", language, leads=" ".join(leads))
        for kind, leads in (("absent", silent), ("derived", waveform.derived), ("clipped", beyond))
        if leads
    ]
    return notes


def _svg(layout: EcgLayout, lines: list[NDArray[np.float64]]) -> str:
    """Numbers only: nothing that a person or a device wrote comes into the drawing."""
    width, height = layout.width_mm, layout.height_mm
    traces = [segment for line in lines for segment in segments(line)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" fill="none" '
        f'width="{width:g}mm" height="{height:g}mm" viewBox="0 0 {width:g} {height:g}">'
        f'<path {_MINOR} d="{_grid(width, height, MINOR_GRID_MM)}"/>'
        f'<path {_MAJOR} d="{_grid(width, height, MAJOR_GRID_MM)}"/>'
        f'<path {_TRACE} d="{_paths([*layout.pulses, *traces])}"/></svg>'
    )


def _grid(width: float, height: float, step: float) -> str:
    columns = [f"M{x:g} 0V{height:g}" for x in np.arange(0, width + step / 2, step)]
    rows = [f"M0 {y:g}H{width:g}" for y in np.arange(0, height + step / 2, step)]
    return "".join(columns + rows)


def _paths(lines: list[NDArray[np.float64]]) -> str:
    # A thousandth of a millimetre is 0.1 uV: below any device's resolution.
    return "".join("M" + "L".join(["%.3f %.3f"] * len(line)) % tuple(line.ravel().tolist()) for line in lines)
