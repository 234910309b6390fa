"""The drawn ECG against a ruler: pixels of the canvas, through the real wire format and the built bundle.

The canvas' backing pixels are device pixels, so a screen's millimetre is `calibration x pixel ratio` of them.
"""

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

NOMINAL = 96 / 25.4
TOLERANCE_MM = 0.2

Ink = NDArray[np.float64]


def calibrate(page: Page, css_px_per_mm: float) -> None:
    """As a person does: opens the form, moves the slider, saves."""
    page.click("#ecg-calibrate")
    page.locator("#calibration-slider").fill(f"{css_px_per_mm:.3f}")
    page.click(".calibration button[type=submit]")
    page.locator(".calibration").wait_for(state="detached")


def drawn(page: Page) -> Ink:
    """How much trace ink lies on each pixel of the paper, 0 to 1."""
    page.locator(".ecg[data-drawn]").wait_for()
    url = page.locator("canvas.ecg-paper").evaluate("canvas => canvas.toDataURL('image/png')")
    picture = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    darkness = 255.0 - np.asarray(picture, dtype=np.float64).max(axis=2)
    # The grid is light red on white: its brightest channel stays above 230.
    ink: Ink = np.clip((darkness - 40.0) / 190.0, 0.0, 1.0)
    return ink


def centre(profile: NDArray[np.float64], first: int, last: int) -> float:
    """Centre of the ink between two pixels, where a pixel's own centre lies half a pixel in."""
    part = profile[first:last]
    assert part.sum() > 0, "there is no ink where the trace should be"
    return float((part * (np.arange(first, last) + 0.5)).sum() / part.sum())


def open_ecg(open_page: OpenPage, stub: Stub, ratio: float, calibration: float | None) -> tuple[Page, float]:
    page = open_page("/reading/cases/case-4?view=waiting", ratio=ratio)
    page.locator(".ecg[data-drawn]").wait_for()
    page.select_option("#ecg-ink", index=0)  # white paper: ink is dark
    if calibration is not None:
        calibrate(page, calibration)
    return page, (calibration or NOMINAL) * ratio


def rhythm_strip(ink: Ink, scale: float) -> tuple[float, list[float], float, float]:
    """Of the long strip of a square wave: (baseline, rising edges, top, bottom) in device pixels."""
    # Four rows of 30 mm, the first baseline 20 mm from the top: see src/ecg/sheet.ts.
    base = round((20 + 3 * 30) * scale)
    half = round(13 * scale)
    rows = ink[base - half : base + half]
    columns = rows.sum(axis=0)
    # An upright edge holds the ink of 10 mm in one or two columns, a plateau only a line's width.
    edges: list[float] = []
    high = columns > 0.5 * columns.max()
    start = round(11 * scale)  # past the calibration pulse
    x = start
    while x < len(columns):
        if high[x]:
            edges.append(centre(columns, max(x - 2, 0), min(x + 4, len(columns))))
            x += round(4 * scale)
        x += 1
    quarter = slice(round((10 + 25 * 0.15) * scale), round((10 + 25 * 0.35) * scale))
    upper = slice(round((10 + 25 * 0.65) * scale), round((10 + 25 * 0.85) * scale))
    low = centre(ink[:, quarter].mean(axis=1), base - round(3 * scale), base + round(3 * scale))
    top = centre(ink[:, upper].mean(axis=1), base - round(13 * scale), base - round(7 * scale))
    return float(base), edges, top, low


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("calibration", [None, 4.523, 5.2])
def test_one_millivolt_is_ten_millimetres_and_one_second_twenty_five(
    open_page: OpenPage, stub: Stub, ratio: float, calibration: float | None
) -> None:
    stub.state.waveform = samples.square_wave()
    page, scale = open_ecg(open_page, stub, ratio, calibration)
    _, edges, top, low = rhythm_strip(drawn(page), scale)
    assert abs((low - top) / scale - 10.0) < TOLERANCE_MM
    assert len(edges) >= 18, "two edges a second over ten seconds"
    first, last = edges[0], edges[18]
    assert abs((edges[2] - first) / scale - 25.0) < TOLERANCE_MM
    # Over nine seconds the same tolerance holds: no error that grows along the paper.
    assert abs((last - first) / scale - 9 * 25.0) < TOLERANCE_MM


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_grid_is_one_and_five_millimetres(open_page: OpenPage, stub: Stub, ratio: float) -> None:
    stub.state.waveform = samples.gap_wave(0.0, 10.0)
    page, scale = open_ecg(open_page, stub, ratio, None)
    url = page.locator("canvas.ecg-paper").evaluate("canvas => canvas.toDataURL('image/png')")
    picture = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"), dtype=np.float64
    )
    # A row between two horizontal lines, right of everything that is written: 100.5 mm to 250.5 mm.
    row = picture[round(2.5 * scale), :, 1]
    lines = [x for x in range(round(100.5 * scale), round(250.5 * scale)) if row[x] < row.max() - 12]
    runs = [x for x in lines if x - 1 not in lines]
    ends = [x for x in lines if x + 1 not in lines]
    middles = np.array([(a + b + 1) / 2 for a, b in zip(runs, ends, strict=True)]) / scale
    assert len(middles) == 150
    assert np.abs(middles - np.arange(101, 251)).max() < TOLERANCE_MM


def test_the_canvas_is_as_large_on_the_screen_as_its_millimetres(open_page: OpenPage, stub: Stub) -> None:
    for ratio in (1, 2):
        page, _ = open_ecg(open_page, stub, ratio, 4.0)
        box = page.locator("canvas.ecg-paper").bounding_box()
        assert box is not None
        # 10 mm of margin and ten seconds at 25 mm/s; the last pixel may be cut.
        assert abs(box["width"] / 4.0 - 260) < 2 / 4.0
        backing = page.locator("canvas.ecg-paper").evaluate("canvas => canvas.width")
        assert abs(backing - box["width"] * ratio) < 1e-3


@pytest.mark.parametrize(
    ("select", "index", "millimetres_per_second", "millimetres_per_millivolt"),
    [
        ("#ecg-speed", 0, 12.5, 10.0),
        ("#ecg-speed", 2, 50.0, 10.0),
        ("#ecg-gain", 0, 25.0, 5.0),
    ],
)
def test_other_speeds_and_gains_are_true_too(
    open_page: OpenPage,
    stub: Stub,
    select: str,
    index: int,
    millimetres_per_second: float,
    millimetres_per_millivolt: float,
) -> None:
    stub.state.waveform = samples.square_wave()
    page, scale = open_ecg(open_page, stub, 1, None)
    page.select_option(select, index=index)
    ink = drawn(page)
    base = round(110 * scale)
    speed, gain = millimetres_per_second, millimetres_per_millivolt
    quarter = slice(round((10 + speed * 0.15) * scale), round((10 + speed * 0.35) * scale))
    upper = slice(round((10 + speed * 0.65) * scale), round((10 + speed * 0.85) * scale))
    low = centre(ink[:, quarter].mean(axis=1), base - round(2 * scale), base + round(2 * scale))
    middle = base - round(gain * scale)
    top = centre(ink[:, upper].mean(axis=1), middle - round(2 * scale), middle + round(2 * scale))
    assert abs((low - top) / scale - gain) < TOLERANCE_MM
    # Rising edges stand at 0.5 s and 1.5 s.
    columns = ink[base - round(4 * scale) : base - round(1 * scale)].sum(axis=0)
    edges = [
        centre(columns, round((10 + speed * at - 1.5) * scale), round((10 + speed * at + 1.5) * scale))
        for at in (0.5, 1.5)
    ]
    assert abs((edges[1] - edges[0]) / scale - speed) < TOLERANCE_MM


def test_the_calibration_pulse_is_one_millivolt(open_page: OpenPage, stub: Stub) -> None:
    stub.state.waveform = samples.gap_wave(0.0, 10.0)
    page, scale = open_ecg(open_page, stub, 2, 4.1)
    ink = drawn(page)
    base = round(110 * scale)
    flat = slice(round(4 * scale), round(6 * scale))
    foot = slice(round(1.2 * scale), round(2.2 * scale))
    top = centre(ink[:, flat].mean(axis=1), base - round(12 * scale), base - round(8 * scale))
    low = centre(ink[:, foot].mean(axis=1), base - round(2 * scale), base + round(2 * scale))
    assert abs((low - top) / scale - 10.0) < TOLERANCE_MM


def test_what_was_not_recorded_is_not_drawn(open_page: OpenPage, stub: Stub) -> None:
    stub.state.waveform = samples.gap_wave(3.0, 4.0)
    page, scale = open_ecg(open_page, stub, 1, None)
    ink = drawn(page)
    base = round(110 * scale)
    band = ink[base - round(2 * scale) : base + round(2 * scale)].max(axis=0)

    def at(first: float, last: float) -> NDArray[np.float64]:
        return band[round((10 + 25 * first) * scale) : round((10 + 25 * last) * scale)]

    assert at(2.0, 2.9).min() > 0.4
    assert at(3.05, 3.95).max() < 0.1
    assert at(4.1, 5.0).min() > 0.4


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_layout_shows_all_twelve_leads(open_page: OpenPage, stub: Stub, index: int) -> None:
    """Along each lead's place on the paper a line runs from end to end."""
    page, scale = open_ecg(open_page, stub, 1, None)
    page.select_option("#ecg-format", index=index)
    ink = drawn(page)
    rows, columns, first, pitch = [(3, 4, 20, 30), (6, 2, 20, 25), (12, 1, 15, 20)][index]
    seconds = 10 / columns
    for row in range(rows):
        y = (first + row * pitch) * scale
        for column in range(columns):
            x = 10 + column * seconds * 25
            part = ink[
                round(y - 6 * scale) : round(y + 6 * scale),
                round((x + 1) * scale) : round((x + seconds * 25 - 1) * scale),
            ]
            assert (part.max(axis=0) > 0.3).mean() > 0.9


@pytest.fixture
def dragged() -> Callable[[Page, float, float, float, float], str]:
    def drag(page: Page, scale: float, seconds: float, millivolts: float, start: float) -> str:
        box = page.locator("canvas.ecg-caliper").bounding_box()
        assert box is not None
        x, y = box["x"] + start * scale, box["y"] + 60 * scale
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + seconds * 25 * scale, y - millivolts * 10 * scale)
        page.mouse.up()
        return page.locator(".readout").inner_text()

    return drag


def test_the_caliper_measures_time_rate_and_amplitude(
    open_page: OpenPage, stub: Stub, dragged: Callable[[Page, float, float, float, float], str]
) -> None:
    page, scale = open_ecg(open_page, stub, 1, 4.0)
    said = dragged(page, scale, 0.8, 1.0, 40)
    numbers = [
        float(word) for word in said.replace("ΔU", "").split() if word.lstrip("-").replace(".", "").isdigit()
    ]
    assert numbers == [800.0, 75.0, 1.0]
    page.keyboard.press("Escape")
    assert page.locator(".readout").inner_text() == ""
    assert "/cases/" in page.url
