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


Picture = NDArray[np.uint8]


def printed(page: Page, folder: Path) -> list[tuple[Picture, str]]:
    """Each page that comes out: (rows, columns, 3) from the corner of the ECG's paper, and its text."""
    file = folder / "ecg.pdf"
    page.pdf(path=file, prefer_css_page_size=True)
    # Without compression: it takes longer than all that is asked of the picture.
    command = ["pdftoppm", "-r", str(DPI), file.name, "page"]
    subprocess.run(command, cwd=folder, check=True)
    found = []
    for sheet, path in zip(PdfReader(file).pages, sorted(folder.glob("page-*.ppm")), strict=True):
        size = sorted(float(side) * 25.4 / 72 for side in sheet.mediabox[2:])
        assert np.abs(np.array(size) - (210, 297)).max() < 0.5
        picture = np.asarray(Image.open(path).convert("RGB"))
        path.unlink()
        pink = grid_of(picture)
        top = int(np.argmax(pink.mean(axis=1) > 0.3))
        left = int(np.argmax(pink.mean(axis=0) > 0.3))
        # A PDF names some characters by their radicals.
        text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", sheet.extract_text()))
        found.append((picture[top:, left:], text))
    return found


def grid_of(picture: Picture) -> NDArray[np.bool_]:
    """The only thing in colour."""
    return np.subtract(picture[..., 0], picture[..., 2], dtype=np.int16) > 10


def ink_of(picture: Picture) -> NDArray[np.float64]:
    ink: NDArray[np.float64] = np.clip((215.0 - picture.max(axis=2)) / 190.0, 0.0, 1.0)
    return ink


def centre(profile: NDArray[np.float64], first: float, last: float) -> float:
    low, high = round(first), round(last)
    part = profile[low:high]
    assert part.sum() > 0, "there is no ink where the trace should be"
    return float((part * (np.arange(low, high) + 0.5)).sum() / part.sum())


WHO = ("示例·阿依古丽", "P301X", "QS20261122001")


@pytest.mark.parametrize(("speed", "parts"), [(25.0, [""]), (50.0, ["0–5s/10s·1/2", "5–10s/10s·2/2"])])
def test_one_second_and_one_millivolt_are_true_millimetres_of_the_printed_page(
    open_page: OpenPage, stub: Stub, tmp_path: Path, speed: float, parts: list[str]
) -> None:
    stub.state.waveform = samples.square_wave()
    page = open_page("/reading/cases/case-1?view=waiting")
    expect(page.locator(".beat-panel")).to_be_visible()
    page.select_option("#ecg-speed", label=f"{speed:g} mm/s")
    page.keyboard.press("o")
    page.keyboard.press("n")
    pages, mm = printed(page, tmp_path), 25.4 / DPI
    # Paper across has room for five seconds at 50 mm/s: the others stand on a page of their own.
    assert len(pages) == len(parts)
    base = 20 + 3 * 30  # the long strip of 3x4+1, see src/ecg/sheet.ts
    for number, (picture, text) in enumerate(pages):
        ink = ink_of(picture)
        edges = ink[round((base - 8) / mm) : round((base - 2) / mm)].sum(axis=0)
        rises = (0.5, 1.0, 1.5, 4.5)
        found = [
            centre(edges, (10 + speed * at - 1.5) / mm, (10 + speed * at + 1.5) / mm) * mm for at in rises
        ]
        assert abs(found[2] - found[0] - speed) < TOLERANCE_MM
        assert abs(found[3] - found[0] - 4 * speed) < TOLERANCE_MM

        def level(at: float, y: float, ink: NDArray[np.float64] = ink) -> float:
            columns = ink[:, round((10 + speed * at - 2) / mm) : round((10 + speed * at + 2) / mm)]
            return centre(columns.mean(axis=1), (y - 2) / mm, (y + 2) / mm) * mm

        assert abs(level(0.25, base) - level(0.75, base - 10) - 10.0) < TOLERANCE_MM
        for said in (*WHO, f"{speed:g}mm/s·10mm/mV", "50Hz陷波", parts[number]):
            assert said in text, said
    assert "正常心电图" in pages[-1][1]
    # The screen is as it was.
    expect(page.locator(".ecg > .ecg-setting")).to_be_visible()
    assert page.locator("canvas.ecg-paper").evaluate("canvas => canvas.style.width").endswith("px")


def test_rows_that_would_stand_too_near_each_other_go_on_on_the_next_page(
    open_page: OpenPage, stub: Stub, tmp_path: Path
) -> None:
    """3x4+3 and 6x2 fit a page; 12x1 takes two at 10 mm/mV, and of a long strip the whole recording is printed."""
    stub.state.waveform = samples.own_steps(90.0)
    page = open_page("/reading/cases/case-1?view=waiting")
    expect(page.locator(".beat-panel")).to_be_visible()
    page.keyboard.press("n")
    mm, texts = 25.4 / DPI, {}
    for key, count in (("2", 1), ("3", 1), ("4", 2), ("6", 2)):
        page.keyboard.press(key)
        pages = printed(page, tmp_path)
        assert len(pages) == count, key
        texts[key] = [text for _, text in pages]
        for picture, text in pages:
            across = np.flatnonzero(grid_of(picture).mean(axis=0) > 0.3)
            assert abs((across[-1] + 1) * mm - 260) < 0.5
            assert all(one in text for one in WHO)
        if key == "4":
            # Each lead's own step, 20 mm from row to row: six limb leads, then six chest leads.
            inks = [ink_of(picture) for picture, _ in pages]
            for lead in range(12):
                base, height = 15 + 20 * (lead % 6), 3 + 0.5 * lead
                columns = inks[lead // 6][:, round((10 + 28) / mm) : round((10 + 34) / mm)]
                flat = inks[lead // 6][:, round((10 + 15.5) / mm) : round((10 + 21.5) / mm)]
                low = centre(columns.mean(axis=1), (base - 1.2) / mm, (base + 1.2) / mm)
                high = centre(flat.mean(axis=1), (base - height - 1.2) / mm, (base - height + 1.2) / mm)
                assert abs((low - high) * mm - height) < TOLERANCE_MM, lead
    assert "60–90s/90s·2/2" in texts["6"][1]
