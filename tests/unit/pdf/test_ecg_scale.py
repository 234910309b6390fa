"""The printed ECG is a measuring instrument: these tests measure the finished PDF, not our drawing of it."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pypdf import PageObject, PdfReader

from telemed.adapters.pdf import TypstPdf
from telemed.imaging.ecg_layout import ecg_layout, polyline_mm
from tests.unit.pdf.documents import report, waveform
from tests.unit.pdf.strokes import Stroke, strokes


@pytest.fixture(scope="module")
def printed(pdf: TypstPdf) -> bytes:
    return pdf.render(report(), waveform())


@pytest.fixture(scope="module")
def sheet(printed: bytes) -> PageObject:
    return PdfReader(io.BytesIO(printed)).pages[1]


@pytest.fixture(scope="module")
def drawing(sheet: PageObject) -> list[Stroke]:
    return [stroke for stroke in strokes(sheet) if len(stroke.subpaths) > 10]


@pytest.fixture(scope="module")
def traces(drawing: list[Stroke]) -> list[NDArray[np.float64]]:
    (black,) = [stroke for stroke in drawing if not any(stroke.colour)]
    return black.subpaths


def test_the_ecg_has_a_landscape_a4_sheet_of_its_own(printed: bytes) -> None:
    first, second = PdfReader(io.BytesIO(printed)).pages
    assert [float(side) * 25.4 / 72 for side in first.mediabox[2:]] == pytest.approx([210, 297], abs=0.05)
    assert [float(side) * 25.4 / 72 for side in second.mediabox[2:]] == pytest.approx([297, 210], abs=0.05)


def test_the_calibration_pulse_is_ten_millimetres_high_and_five_wide(
    traces: list[NDArray[np.float64]],
) -> None:
    for pulse in traces[:4]:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10, abs=0.01)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(5, abs=0.01)


def test_every_sample_lies_where_25_mm_a_second_and_10_mm_a_millivolt_put_it(
    traces: list[NDArray[np.float64]],
) -> None:
    layout, recording = ecg_layout(), waveform()
    origin = traces[0][0]
    assert len(traces) == len(layout.pulses) + len(layout.strips)
    for strip, line in zip(layout.strips, traces[len(layout.pulses) :], strict=True):
        row = recording.samples[recording.leads.index(strip.lead)]
        first = round(strip.start_s * 500)
        assert len(line) == len(polyline_mm(recording, strip)) > 1200
        seconds = np.arange(len(line)) / 500
        assert line[:, 0] - origin[0] == pytest.approx(strip.x0_mm + seconds * 25, abs=0.01)
        # The page's y axis points up, as the millivolts do.
        baseline = origin[1] - (strip.baseline_y_mm - layout.strips[0].baseline_y_mm)
        assert line[:, 1] - baseline == pytest.approx(row[first : first + len(line)] * 10, abs=0.01)


def test_the_grid_has_lines_every_millimetre_and_heavier_ones_every_five(drawing: list[Stroke]) -> None:
    minor, major = sorted((s for s in drawing if any(s.colour)), key=lambda stroke: stroke.width_mm)
    for stroke, step, columns, rows in ((minor, 1, 261, 141), (major, 5, 53, 29)):
        uprights = sorted({round(float(p[0, 0]), 3) for p in stroke.subpaths if np.ptp(p[:, 0]) < 1e-3})
        levels = sorted({round(float(p[0, 1]), 3) for p in stroke.subpaths if np.ptp(p[:, 1]) < 1e-3})
        assert (len(uprights), len(levels)) == (columns, rows)
        assert np.diff(uprights) == pytest.approx(step, abs=0.01)
        assert np.diff(levels) == pytest.approx(step, abs=0.01)


def test_the_drawing_stays_on_the_paper(drawing: list[Stroke]) -> None:
    points = np.concatenate([path for stroke in drawing for path in stroke.subpaths])
    assert points[:, 0].min() > 10
    assert points[:, 0].max() < 287
    assert points[:, 1].min() > 20
    assert points[:, 1].max() < 190


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is absent: install poppler-utils")
def test_the_pulse_measures_the_same_on_the_rasterised_page(printed: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(printed)
    subprocess.run(
        ["pdftoppm", "-r", "600", "-f", "2", "-l", "2", "-png", "report.pdf", "page"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (picture,) = tmp_path.glob("page*.png")
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB"))
    mm = 25.4 / 600
    red = (pixels[..., 0].astype(int) - pixels[..., 2]) > 12
    grid_rows = np.flatnonzero(red.mean(axis=1) > 0.5)
    grid_columns = np.flatnonzero(red.mean(axis=0) > 0.4)
    top, left = grid_rows[0], grid_columns[0]
    # The pulse of the first row: left of the first column, above the second row.
    area = pixels[top : top + round(35 / mm), left : left + round(9.5 / mm)].max(axis=2) < 110
    dark_rows, dark_columns = area.sum(axis=1) * mm, area.sum(axis=0) * mm
    horizontal = np.flatnonzero(dark_rows > 3.5)
    vertical = np.flatnonzero(dark_columns > 9)
    # From line to line, centre to centre, whatever the lines' own width is.
    half = len(vertical) // 2
    width = (vertical[half:].mean() - vertical[:half].mean()) * mm
    upper, lower = horizontal[horizontal < horizontal.mean()], horizontal[horizontal > horizontal.mean()]
    assert width == pytest.approx(5, abs=0.2)
    assert (lower.mean() - upper.mean()) * mm == pytest.approx(10, abs=0.2)
