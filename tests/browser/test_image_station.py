"""Full grey values on the case page, against pydicom and numpy: stored, and as they stand on the screen."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import pictures
from tests.browser.house import House, house
from tests.cast import Cast

pytestmark = pytest.mark.browser

SHOWN = ".picture-frame.full .image-surface canvas"
# A budget, nothing that is asserted: a busy machine takes its time.
PATIENCE = 60_000

LISTEN = """() => {
    window.pictures = {};
    document.addEventListener("telemed:picture", ({ detail }) => { window.pictures[detail.instance] = detail; });
}"""
VALUES = """instance => {
    const { values, rows, columns } = window.pictures[instance];
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192)
        text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return { rows, columns, values: btoa(text) };
}"""
# At one to one: the picture lies in the middle of the canvas, to the pixel.
GREYS = """([selector, rows, columns]) => {
    const canvas = document.querySelector(selector);
    const left = Math.round((canvas.width - columns) / 2), top = Math.round((canvas.height - rows) / 2);
    const { data } = canvas.getContext("2d").getImageData(left, top, columns, rows);
    const grey = [];
    for (let at = 0; at < data.length; at += 4) grey.push(data[at]);
    return grey;
}"""


@dataclass
class Seen:
    page: Page
    # What the page asked the server to decode, because the browser could not.
    left_to_server: list[str]

    def values(self, sop: str) -> NDArray[np.float32]:
        self.page.wait_for_function("sop => window.pictures[sop]", arg=sop)
        found: dict[str, Any] = self.page.evaluate(VALUES, sop)
        return np.frombuffer(base64.b64decode(found["values"]), "<f4").reshape(
            found["rows"], found["columns"]
        )

    def greys(self, rows: int, columns: int) -> NDArray[np.float64]:
        found = self.page.evaluate(GREYS, [SHOWN, rows, columns])
        return np.asarray(found, np.float64).reshape(rows, columns)


@pytest.fixture
def rooms(cast: Cast) -> Iterator[House]:
    with house(cast) as found:
        yield found


@pytest.fixture
def seen(chromium: Browser, rooms: House) -> Iterator[Seen]:
    context: BrowserContext = chromium.new_context(viewport={"width": 1600, "height": 1000}, locale="zh-CN")
    context.set_default_timeout(PATIENCE)
    context.add_init_script(f"({LISTEN})()")
    faults: list[str] = []
    left: list[str] = []

    def heard(text: str) -> None:
        if "Content Security Policy" in text:
            faults.append(text)
        if text.startswith("the server decodes"):
            left.append(text.split()[6])

    page = rooms.sign_in(context)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: heard(said.text))
    yield Seen(page, left)
    context.close()
    assert faults == []


def test_every_syntax_shows_the_stored_values_and_the_grey_that_the_standard_says(
    rooms: House, seen: Seen
) -> None:
    films = pictures.films()
    rooms.sent(*(film.data for film in films))
    page = seen.page
    page.goto(f"{rooms.base}/reading/cases/{rooms.case_of(pictures.STUDY)}")
    wrong = []
    for number, film in enumerate(films):
        if number:
            page.keyboard.press("]")
        else:
            expect(page.locator(".picture-frame.full")).to_be_visible()
        values = seen.values(film.sop)
        expected = film.values()
        away = np.abs(values - expected).max() if values.shape == expected.shape else np.inf
        if away > film.loss + 1e-4 * np.abs(expected).max() * (expected % 1).any():
            wrong.append(f"{film.name}: values differ by {away}")
        page.keyboard.press("v")
        expect(page.locator(".image-corner")).to_contain_text("100%")
        shown = film.shown()
        greys = np.abs(seen.greys(*shown.shape) - shown).max()
        # Half a level of rounding; where values may differ, that much of the window.
        if greys > 0.501 + film.loss * 255 / float(film.dataset().get("WindowWidth", 255)):
            wrong.append(f"{film.name}: greys differ by {greys}")
    assert wrong == []
    assert seen.left_to_server == [pictures.JPEG_EXTENDED]
