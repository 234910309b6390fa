"""The drawn ECG against a ruler: pixels of the canvas, through the real wire format and the built bundle.

The canvas' backing pixels are device pixels, so a screen's millimetre is `calibration x pixel ratio` of them.
"""

import base64
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

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
    ("select", "label", "millimetres_per_second", "millimetres_per_millivolt"),
    [
        ("#ecg-speed", "12.5 mm/s", 12.5, 10.0),
        ("#ecg-speed", "50 mm/s", 50.0, 10.0),
        ("#ecg-gain", "2.5 mm/mV", 25.0, 2.5),
        ("#ecg-gain", "5 mm/mV", 25.0, 5.0),
        ("#ecg-gain", "20 mm/mV", 25.0, 20.0),
    ],
)
def test_other_speeds_and_gains_are_true_too(
    open_page: OpenPage,
    stub: Stub,
    select: str,
    label: str,
    millimetres_per_second: float,
    millimetres_per_millivolt: float,
) -> None:
    stub.state.waveform = samples.square_wave()
    page, scale = open_ecg(open_page, stub, 1, None)
    page.select_option(select, label=label)
    ink = drawn(page)
    sheet = page.locator(".ecg").evaluate("element => element.dataset")
    base = round((float(sheet["first"]) + 3 * float(sheet["pitch"])) * scale)
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


LIMB = ["I", "II", "III", "aVR", "aVL", "aVF"]
CABRERA = ["aVL", "I", "-aVR", "II", "aVF", "III"]
CHEST = ["V1", "V2", "V3", "V4", "V5", "V6"]


def rows_of(layout: str, limb: list[str]) -> list[list[str]]:
    """The leads of each row from left to right."""
    quarters = [list(row) for row in zip(limb[:3], limb[3:], CHEST[:3], CHEST[3:], strict=True)]
    return {
        "3×4 + 1": [*quarters, ["II"]],
        "3×4 + 3": [*quarters, ["II"], ["V1"], ["V5"]],
        "6×2": [list(row) for row in zip(limb, CHEST, strict=True)],
        "12×1": [[lead] for lead in limb + CHEST],
        "单导联放大": [["II"]],
        "节律长图": [["II"], ["II"], ["II"]],
    }[layout]


@pytest.mark.parametrize("order", [LIMB, CABRERA])
def test_in_every_layout_each_lead_stands_in_its_place_at_its_true_scale(
    open_page: OpenPage, stub: Stub, order: list[str]
) -> None:
    """Each lead has a step of its own height: 25 mm from step to step, and the height tells whose line it is."""
    stub.state.waveform = samples.own_steps(30.0)
    page, scale = open_ecg(open_page, stub, 1, 3.6)
    if order is CABRERA:
        page.keyboard.press("b")
    for index, layout in enumerate(["3×4 + 1", "3×4 + 3", "6×2", "12×1", "单导联放大", "节律长图"]):
        page.keyboard.press(str(index + 1))
        expect(page.locator("#ecg-format option:checked")).to_have_text(layout)
        ink = drawn(page)
        sheet = page.locator(".ecg").evaluate("element => element.dataset")
        first, pitch = float(sheet["first"]), float(sheet["pitch"])
        for row, names in enumerate(rows_of(layout, order)):
            base = (first + row * pitch) * scale
            for column, name in enumerate(names):
                start = 10 + 250 * column / len(names)
                # A quarter of 2.5 s begins in the middle of a second: its steps come half a second earlier.
                rise = start + (12.5 if (column * 10 / len(names)) % 1 < 0.5 else 25)
                sign = -1 if name.startswith("-") else 1
                height = sign * (3 + 0.5 * (LIMB + CHEST).index(name.lstrip("-")))
                top = base - height * scale

                def level(
                    at: float, y: float, ink: Ink = ink, rise: float = rise, base: float = base
                ) -> float:
                    columns = ink[:, round((rise + at - 3) * scale) : round((rise + at + 3) * scale)]
                    return centre(columns.mean(axis=1), round(y - 1.2 * scale), round(y + 1.2 * scale))

                low, high = level(-6, base), level(6, top)
                assert abs((low - high) / scale - height) < TOLERANCE_MM, (layout, name)
                middle = slice(
                    round(min(base, top) + 0.3 * abs(height) * scale),
                    round(min(base, top) + 0.7 * abs(height) * scale),
                )
                edges = ink[middle].sum(axis=0)
                found = [
                    centre(edges, round((rise + 25 * n - 1.5) * scale), round((rise + 25 * n + 1.5) * scale))
                    for n in range(2)
                ]
                assert abs((found[1] - found[0]) / scale - 25) < TOLERANCE_MM, (layout, name)


def test_chest_leads_stand_at_half_gain_where_that_is_chosen_and_the_pulse_shows_both(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.waveform = samples.own_steps()
    page, scale = open_ecg(open_page, stub, 1, 3.6)
    page.keyboard.press("3")
    page.keyboard.press("9")
    expect(page.locator("#ecg-chest")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ecg-setting")).to_contain_text("10 mm/mV · 胸导联 5 mm/mV")
    ink = drawn(page)
    sheet = page.locator(".ecg").evaluate("element => element.dataset")

    def level(at: float, y: float, reach: float = 3) -> float:
        columns = ink[:, round((at - reach) * scale) : round((at + reach) * scale)]
        return centre(columns.mean(axis=1), round((y - 1.2) * scale), round((y + 1.2) * scale)) / scale

    for row, lead in enumerate(LIMB):
        base = float(sheet["first"]) + row * float(sheet["pitch"])
        for start, name, gain in ((10, lead, 10), (10 + 125, CHEST[row], 5)):
            height = gain * (0.3 + 0.05 * (LIMB + CHEST).index(name))
            low, high = level(start + 6, base), level(start + 18.5, base - height)
            assert abs(low - high - height) < TOLERANCE_MM, name
        # The pulse: 1 mV at the gain of the limb leads, then at that of the chest leads.
        assert abs(base - level(3.75, base - 10, 0.8) - 10) < TOLERANCE_MM
        assert abs(base - level(6.25, base - 5, 0.8) - 5) < TOLERANCE_MM
    box = page.locator("canvas.ecg-caliper").bounding_box()
    assert box is not None
    for start, millivolts in ((40, 1.0), (170, 2.0)):
        x, y = box["x"] + start * scale, box["y"] + float(sheet["first"]) * scale
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 25 * scale, y - 10 * scale)
        page.mouse.up()
        assert said(page) == [1000.0, 60.0, millivolts]
        page.keyboard.press("Escape")


def test_all_rows_of_every_layout_are_in_view_at_once(open_page: OpenPage, stub: Stub) -> None:
    page, _ = open_ecg(open_page, stub, 1, None)
    for index in range(6):
        page.keyboard.press(str(index + 1))
        box = page.locator("canvas.ecg-paper").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 1080


def band(ink: Ink, scale: float) -> float:
    """Height in mm of what the long strip covers, away from its ends."""
    part = ink[round(96 * scale) : round(124 * scale), round(80 * scale) : round(190 * scale)]
    rows = np.flatnonzero(part.max(axis=1) > 0.5)
    return float(rows[-1] - rows[0]) / scale


def test_filters_are_of_the_display_alone_and_always_named(open_page: OpenPage, stub: Stub) -> None:
    stub.state.waveform = samples.hum(10.0, 50.0)
    page, scale = open_ecg(open_page, stub, 2, None)
    setting = page.locator(".ecg-setting")
    expect(setting).to_have_text("25 mm/s · 10 mm/mV · 未加滤波 · 500 Hz")
    line = 2.5 * 1.1 / scale
    assert abs(band(drawn(page), scale) - 20) < 1.0 + line
    page.keyboard.press("o")
    expect(setting).to_have_text("25 mm/s · 10 mm/mV · 显示滤波：50 Hz 陷波 · 500 Hz")
    # The mains are gone, and the 10 Hz beside them are as high as they were.
    assert abs(band(drawn(page), scale) - 10) < 0.3 + line
    page.keyboard.press("o")
    page.select_option("#ecg-lowpass", label="低通 35 Hz")
    expect(setting).to_contain_text("低通 35 Hz")
    # 0.5 mV of 50 Hz behind a zero-phase limit of 35 Hz, 3 dB down there: |H| = 1 / (1 + (50/35)^4 / 2.414).
    left = 0.5 / (1 + (50 / 35) ** 4 * (np.sqrt(2) - 1))
    assert abs(band(drawn(page), scale) - 10 - 20 * left) < 1.0 + line
    page.select_option("#ecg-lowpass", label="低通 关")
    page.keyboard.press("w")
    page.keyboard.press("w")
    expect(setting).to_contain_text("基线 0.5 Hz · ST 段以未滤波为准")


def test_a_filter_moves_nothing_in_time(open_page: OpenPage, stub: Stub) -> None:
    stub.state.waveform = samples.square_wave()
    page, scale = open_ecg(open_page, stub, 2, None)
    half = slice(round(104.5 * scale), round(105.5 * scale))

    def crossings() -> NDArray[np.float64]:
        ink = drawn(page)[half].sum(axis=0)
        return np.array(
            [
                centre(ink, round((10 + 25 * at - 1) * scale), round((10 + 25 * at + 1) * scale))
                for at in (2.5, 3.0, 6.5, 7.0)
            ]
        )

    before = crossings()
    page.select_option("#ecg-lowpass", label="低通 40 Hz")
    assert np.abs(crossings() - before).max() / scale < 0.1


def test_one_lead_is_enlarged_by_a_double_click_and_put_back_by_a_key(
    open_page: OpenPage, stub: Stub
) -> None:
    page, scale = open_ecg(open_page, stub, 1, None)
    page.locator("canvas.ecg-caliper").dblclick(position={"x": (10 + 6 * 25) * scale, "y": 51 * scale})
    expect(page.locator("#ecg-rhythm option:checked")).to_have_text("V2")
    expect(page.locator(".ecg-setting")).to_contain_text("50 mm/s · 20 mm/mV")
    page.keyboard.press("l")
    expect(page.locator("#ecg-format option:checked")).to_have_text("3×4 + 1")
    expect(page.locator(".ecg-setting")).to_contain_text("25 mm/s · 10 mm/mV")


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
    expect(page.locator(".readout")).to_have_text("")
    assert "/cases/" in page.url


def said(page: Page) -> list[float]:
    text = page.locator(".readout").inner_text()
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_the_caliper_is_held_by_its_ends_and_by_its_inside(
    open_page: OpenPage, stub: Stub, dragged: Callable[[Page, float, float, float, float], str]
) -> None:
    page, scale = open_ecg(open_page, stub, 1, 4.0)
    dragged(page, scale, 0.8, 1.0, 40)
    box = page.locator("canvas.ecg-caliper").bounding_box()
    assert box is not None

    def drag(x: float, y: float, to: float) -> None:
        page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        page.mouse.down()
        page.mouse.move(box["x"] + to * scale, box["y"] + y * scale)
        page.mouse.up()

    drag(60, 55, 65)  # the second line, 5 mm further
    assert said(page) == [1000.0, 60.0, 1.0]
    drag(50, 55, 90)  # the whole of it
    assert said(page) == [1000.0, 60.0, 1.0]
    drag(105, 55, 100)
    assert said(page) == [800.0, 75.0, 1.0]


def marks(page: Page, scale: float, y: float) -> list[float]:
    """Where upright lines of the caliper's canvas stand, in mm."""
    url = page.locator("canvas.ecg-caliper").evaluate("canvas => canvas.toDataURL('image/png')")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))[..., 3]
    band = picture[round((y - 4) * scale) : round((y + 4) * scale)].astype(np.float64)
    dark = band.max(axis=0) > 128
    starts = np.flatnonzero(dark & ~np.roll(dark, 1))
    ends = np.flatnonzero(dark & ~np.roll(dark, -1))
    return [float(a + b + 1) / 2 / scale for a, b in zip(starts, ends, strict=True)]


def test_the_caliper_obeys_keys_and_marches_out(open_page: OpenPage, stub: Stub) -> None:
    page, scale = open_ecg(open_page, stub, 1, 4.0)
    page.keyboard.press("q")
    assert said(page) == [1000.0, 60.0, 1.0]
    for key in ("Control+ArrowLeft", "Control+ArrowLeft", "ArrowRight", "Control+ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert said(page) == [962.0, 62.0, 1.09]
    page.keyboard.press("t")
    page.keyboard.press("Control+ArrowRight")  # the other end, towards the first
    assert said(page) == [942.0, 64.0, 1.09]
    page.keyboard.press("m")
    lines = np.array(marks(page, scale, 100))
    assert len(lines) == 11
    # Each line is whole pixels wide: within one of them, and no error that adds up.
    assert np.abs(lines - lines[0] - 0.942 * 25 * np.arange(11)).max() <= 1 / scale
    page.keyboard.press("Escape")
    assert marks(page, scale, 100) == []
