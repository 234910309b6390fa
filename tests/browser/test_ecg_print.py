"""The ECG on A4: what a ruler on the printed page would measure, from the page's own geometry."""

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm is absent: install poppler-utils"),
]

DPI = 300
TOLERANCE_MM = 0.2


def printed(page: Page, folder: Path) -> tuple[NDArray[np.float64], str]:
    """The one page that comes out: (rows, columns, 3) from the corner of the ECG's paper, and its text."""
    file = folder / "ecg.pdf"
    page.pdf(path=file, prefer_css_page_size=True)
    (sheet,) = PdfReader(file).pages
    size = sorted(float(side) * 25.4 / 72 for side in sheet.mediabox[2:])
    assert np.abs(np.array(size) - (210, 297)).max() < 0.5
    command = ["pdftoppm", "-r", str(DPI), "-png", "-singlefile", file.name, "page"]
    subprocess.run(command, cwd=folder, check=True)
    picture = np.asarray(Image.open(folder / "page.png").convert("RGB"), dtype=np.float64)
    # The grid is the only thing in colour.
    pink = picture[..., 0] - picture[..., 2] > 10
    top = int(np.argmax(pink.mean(axis=1) > 0.3))
    left = int(np.argmax(pink.mean(axis=0) > 0.3))
    return picture[top:, left:], sheet.extract_text()


def centre(profile: NDArray[np.float64], first: float, last: float) -> float:
    low, high = round(first), round(last)
    part = profile[low:high]
    assert part.sum() > 0, "there is no ink where the trace should be"
    return float((part * (np.arange(low, high) + 0.5)).sum() / part.sum())


@pytest.mark.parametrize("speed", [25.0, 50.0])
def test_one_second_and_one_millivolt_are_true_millimetres_of_the_printed_page(
    open_page: OpenPage, stub: Stub, tmp_path: Path, speed: float
) -> None:
    stub.state.waveform = samples.square_wave()
    page = open_page("/reading/cases/case-1?view=waiting")
    expect(page.locator(".beat-panel")).to_be_visible()
    page.select_option("#ecg-speed", label=f"{speed:g} mm/s")
    page.keyboard.press("o")
    page.keyboard.press("n")
    picture, text = printed(page, tmp_path)
    ink, mm = np.clip((215.0 - picture.max(axis=2)) / 190.0, 0.0, 1.0), 25.4 / DPI
    base = 20 + 3 * 30  # the long strip of 3x4+1, see src/ecg/sheet.ts
    edges = ink[round((base - 8) / mm) : round((base - 2) / mm)].sum(axis=0)
    found = [
        centre(edges, (10 + speed * at - 1.5) / mm, (10 + speed * at + 1.5) / mm) * mm
        for at in (0.5, 1.0, 1.5, 4.5)
    ]
    assert abs(found[2] - found[0] - speed) < TOLERANCE_MM
    assert abs(found[3] - found[0] - 4 * speed) < TOLERANCE_MM

    def level(at: float, y: float) -> float:
        columns = ink[:, round((10 + speed * at - 2) / mm) : round((10 + speed * at + 2) / mm)]
        return centre(columns.mean(axis=1), (y - 2) / mm, (y + 2) / mm) * mm

    assert abs(level(0.25, base) - level(0.75, base - 10) - 10.0) < TOLERANCE_MM
    # A PDF names some characters by their radicals.
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    for said in (
        "示例·阿依古丽",
        "P301X",
        "QS20261122001",
        f"{speed:g}mm/s·10mm/mV",
        "50Hz陷波",
        "正常心电图",
    ):
        assert said in text, said
    # Paper across has room for five seconds at 50 mm/s, and says which.
    assert ("0–5s/10s" in text) == (speed == 50)
    # The screen is as it was.
    expect(page.locator(".ecg-setting")).to_be_visible()
    assert page.locator("canvas.ecg-paper").evaluate("canvas => canvas.style.width").endswith("px")


def test_every_layout_fits_one_page(open_page: OpenPage, stub: Stub, tmp_path: Path) -> None:
    page = open_page("/reading/cases/case-1?view=waiting")
    expect(page.locator(".beat-panel")).to_be_visible()
    page.keyboard.press("n")
    for key in ("2", "3", "4"):
        page.keyboard.press(key)
        picture, _ = printed(page, tmp_path)
        pink = picture[..., 0] - picture[..., 2] > 10
        across = np.flatnonzero(pink.mean(axis=0) > 0.3)
        assert abs((across[-1] + 1) * 25.4 / DPI - 260) < 0.5
