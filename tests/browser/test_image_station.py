"""Full grey values on the case page, against pydicom and numpy: stored, and as they stand on the screen."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pydicom import dcmread

from telemed.imaging.pixels import rendered
from tests.browser import pictures
from tests.browser.axe import AXE, violations
from tests.browser.house import House, house
from tests.cast import HOSPITAL_A, Cast
from tests.integration.web.conftest import Program

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


def sides(page: Page) -> str:
    """Left, right, top, bottom."""
    found = [
        page.locator(f".image-side.{side}").text_content() for side in ("left", "right", "top", "bottom")
    ]
    return " ".join(filter(None, found))


def corner_of_picture(page: Page, rows: int, columns: int) -> tuple[float, float]:
    """At one to one the picture lies in the middle, wherever a message has moved it."""
    box = page.locator(".image-surface").first.bounding_box()
    assert box is not None
    return box["x"] + (box["width"] - columns) / 2, box["y"] + (box["height"] - rows) / 2


def dragged(page: Page, key: str, rows: int, columns: int, *points: tuple[float, float]) -> None:
    left, top = corner_of_picture(page, rows, columns)
    page.keyboard.press(key)
    page.mouse.move(left + points[0][0], top + points[0][1])
    page.mouse.down()
    page.mouse.move(left + points[1][0] - 3, top + points[1][1])
    page.mouse.move(left + points[1][0], top + points[1][1])
    page.mouse.up()


@pytest.fixture
def rooms(cast: Cast) -> Iterator[House]:
    with house(cast) as found:
        yield found


@pytest.fixture
def seen(chromium: Browser, rooms: House) -> Iterator[Seen]:
    context: BrowserContext = chromium.new_context(viewport={"width": 1600, "height": 1000}, locale="zh-CN")
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
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
        # Half a level of rounding; where values may differ, that much of the window.
        limit = 0.501 + film.loss * 255 / float(film.dataset().get("WindowWidth", 255))
        greys = np.abs(seen.greys(*shown.shape) - shown).max()
        for _ in range(40):
            # The values are there before they are drawn, and the corner may say 100% of the film before.
            if greys <= limit:
                break
            page.wait_for_timeout(100)
            greys = np.abs(seen.greys(*shown.shape) - shown).max()
        if greys > limit:
            wrong.append(f"{film.name}: greys differ by {greys}")
    assert wrong == []
    texts = page.locator(".image-pane svg text")
    dragged(page, "l", pictures.ROWS, pictures.COLUMNS, (20, 50), (70, 50))
    expect(texts.filter(has_text=re.compile(r"^(9\.9|10(\.\d)?) mm（探测器平面）$"))).to_be_visible()
    dragged(page, "b", pictures.ROWS, pictures.COLUMNS, (20, 60), (70, 85))
    expect(texts.filter(has_text=re.compile(r"^面积 \d+(\.\d)? mm²（探测器平面）"))).to_be_visible()
    assert seen.left_to_server == [pictures.JPEG_EXTENDED]


def test_a_stack_is_leafed_windowed_and_measured(rooms: House, seen: Seen) -> None:
    rooms.sent(*pictures.slices(12))
    page = seen.page
    page.goto(f"{rooms.base}/reading/cases/{rooms.case_of(pictures.CT_STUDY)}")
    corner, texts = page.locator(".image-corner"), page.locator(".image-pane svg text")
    expect(corner).to_contain_text("1 / 12 · 窗位 40 窗宽 400")
    # Seen from the feet: the right hand lies at the left.
    assert sides(page) == "R L A P"
    page.keyboard.press(".")
    expect(page.locator(".image-side.top")).to_have_text("R")
    assert sides(page) == "P A R L"
    page.keyboard.press("f")
    expect(page.locator(".image-side.left")).to_have_text("A")
    assert sides(page) == "A P R L"
    page.keyboard.press("Home")
    expect(page.locator(".image-side.left")).to_have_text("R")
    page.keyboard.press("2")
    expect(corner).to_contain_text("窗位 -600 窗宽 1500")
    page.keyboard.press("]")
    expect(corner).to_contain_text("2 / 12 · 窗位 -600 窗宽 1500")
    page.keyboard.press("PageDown")
    expect(corner).to_contain_text("12 / 12")
    page.keyboard.press("v")
    expect(corner).to_contain_text("100%")

    def drag(key: str, *points: tuple[float, float]) -> None:
        dragged(page, key, 256, 256, *points)

    left, top = corner_of_picture(page, 256, 256)
    page.mouse.move(left + 80.5, top + 180.5)
    expect(page.locator(".image-under")).to_contain_text("x 80 · y 180 · -900 HU")
    drag("l", (30, 230), (130, 230))
    expect(texts.filter(has_text=re.compile(r"^70(\.\d)? mm$"))).to_be_visible()
    expect(page.locator(".picture-stage .message")).to_contain_text("认领病例后保存")
    # A rectangle inside of the dense square: nothing but 1200 HU.
    drag("b", (115, 65), (145, 95))
    expect(texts.filter(has_text="均值 1200 HU")).to_be_visible()
    expect(texts.filter(has_text="标准差 0 HU")).to_be_visible()
    page.keyboard.press("Delete")
    expect(texts.filter(has_text="均值")).to_have_count(0)
    # An ellipse from its centre: twelve pixels either way, all of them dense.
    drag("o", (130, 80), (142, 92))
    expect(texts.filter(has_text="均值 1200 HU")).to_be_visible()
    area = re.search(r"面积 ([\d.]+) mm²", texts.filter(has_text="面积").text_content() or "")
    assert area is not None
    assert float(area[1]) == pytest.approx(np.pi * (12 * pictures.CT_SPACING) ** 2, rel=0.05)
    page.keyboard.press("Delete")
    expect(texts.filter(has_text="面积")).to_have_count(0)
    drag("a", (30, 200), (90, 200))
    left, top = corner_of_picture(page, 256, 256)
    page.mouse.move(left + 90, top + 145)
    page.mouse.click(left + 90, top + 140)
    expect(texts.filter(has_text=re.compile(r"^(89\.\d|90(\.\d)?)°$"))).to_be_visible()
    page.keyboard.press("Delete")
    expect(texts.filter(has_text="°")).to_have_count(0)
    dense = "([selector, inverted]) => { const canvas = document.querySelector(selector);" + (
        "const at = [canvas.width / 2, canvas.height / 2 - 48]; return"
        " canvas.getContext('2d').getImageData(...at, 1, 1).data[0] === (inverted ? 0 : 255); }"
    )
    for inverted in (True, False):
        page.keyboard.press("i")
        page.wait_for_function(dense, arg=[SHOWN, inverted])
    drag("s", (128, 200), (128, 120))
    expect(corner).not_to_contain_text("12 / 12")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(corner).to_contain_text("12 / 12")
    drag("z", (128, 200), (128, 120))
    expect(corner).not_to_contain_text("· 100%")
    page.keyboard.press("v")
    expect(corner).to_contain_text("· 100%")
    page.keyboard.press("0")
    page.keyboard.press("v")
    drag("m", (100, 100), (140, 124))
    page.mouse.move(left + 80.5, top + 180.5)
    # The picture has moved by that much, to a pixel of rounding.
    expect(page.locator(".image-under")).to_contain_text(re.compile(r"x (39|40|41) · y 15[5-7] "))
    page.keyboard.press("t")
    nominal = round(pictures.CT_SPACING * 96 / 25.4 * 100)
    expect(corner).to_contain_text(f"{nominal}%")
    expect(page.locator(".picture-stage .message")).to_contain_text("未校准")
    page.get_by_role("button", name="屏幕校准").click()
    slider = page.get_by_label("横条长度")
    slider.fill("5")
    page.get_by_role("button", name="保存校准").click()
    expect(corner).to_contain_text(f"{round(pictures.CT_SPACING * 5 * 100)}%")
    expect(page.locator(".picture-stage .message")).not_to_contain_text("未校准")
    page.keyboard.press("g")
    expect(corner).not_to_contain_text("12 / 12")
    page.keyboard.press("g")
    mark = page.get_by_role("button", name="标为关键图")
    page.keyboard.press("y")
    # A mark is the reader's who holds the case, and nobody holds it yet.
    expect(page.locator(".picture-stage .message")).to_contain_text("认领")
    expect(mark).to_have_attribute("aria-pressed", "false")
    case = page.url.split("/reading")[1].split("?")[0]
    with page.expect_response("**/marks/*"):
        page.keyboard.press("c")
    expect(page.get_by_role("button", name="放弃认领")).to_be_visible()
    page.keyboard.press("y")
    expect(mark).to_have_attribute("aria-pressed", "true")
    marked = (corner.text_content() or "").split("·")[0]
    note = page.get_by_label("关键图说明")
    page.keyboard.press("Alt+y")
    expect(note).to_be_focused()
    page.keyboard.type("致密影")
    with page.expect_response("**/key-images"):
        page.keyboard.press("Enter")
    expect(note).not_to_be_focused()
    # Who holds the case keeps what was measured before he did: the length, for the rectangle was taken away.
    kept = page.evaluate("path => fetch(path).then(answer => answer.json())", f"/api/v1{case}/marks")["rows"]
    assert [(row["kind"], row["unit"], row["hounsfield"]) for row in kept] == [("length", "mm", True)]
    assert kept[0]["values"]["length"] == pytest.approx(70, abs=1)
    assert np.abs(np.array(kept[0]["points"]) - [[30, 230], [130, 230]]).max() < 1.5
    # The centre hangs its chests in bones from now on.
    centre = rooms.cast.sites[HOSPITAL_A].uid
    rule = {"institution": centre, "modality": "CT", "body_part": "chest", "prior": False, "window": 4}
    Program(rooms.sender.http.app, "admin").post("/api/v1/admin/hanging", rule, expect=201)  # type: ignore[arg-type]
    page.reload()
    expect(corner).to_contain_text("1 / 12 · 窗位 300 窗宽 1500")
    expect(texts).to_have_count(0)
    expect(page.get_by_role("button", name="关键图 1 幅")).to_be_visible()
    page.keyboard.press("'")
    expect(corner).to_contain_text(marked)
    expect(mark).to_have_attribute("aria-pressed", "true")
    expect(corner).to_contain_text("窗位 -600 窗宽 1500")
    expect(note).to_have_value("致密影")
    # The measurement is there again, on its picture alone, and can be taken away for good.
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(corner).to_contain_text("12 / 12")
    expect(texts.filter(has_text=re.compile(r"^70(\.\d)? mm$"))).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("Delete")
    page.keyboard.press("?")
    for name in ("长度", "椭圆 ROI", "真实大小", "播放"):
        expect(page.locator(".keys-panel").get_by_text(name, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    # Measured and left in one breath: it is kept.
    with page.expect_response(lambda answer: answer.request.method == "PUT") as put:
        drag("l", (30, 230), (130, 230))
        page.keyboard.press("Escape")
    assert put.value.ok
    expect(page.locator(".case-page")).to_be_hidden()
    assert seen.left_to_server == []


def test_each_frame_of_an_enhanced_object_has_its_own_scale_window_and_place(
    rooms: House, seen: Seen
) -> None:
    data = pictures.enhanced()
    rooms.sent(data)
    page = seen.page
    page.goto(f"{rooms.base}/reading/cases/{rooms.case_of(pictures.ENHANCED_STUDY)}")
    corner = page.locator(".image-corner")
    expect(corner).to_contain_text("1 / 2 · 窗位 900 窗宽 2000")
    assert sides(page) == "R L H F"
    ds = dcmread(BytesIO(data))
    for number, intercept in ((0, -1024), (1, -500)):
        if number:
            page.keyboard.press("]")
            expect(corner).to_contain_text("2 / 2 · 窗位 1000 窗宽 2500")
        page.wait_for_function(
            "([sop, frame]) => window.pictures[sop]?.frame === frame",
            arg=[str(ds.SOPInstanceUID), number + 1],
        )
        values = seen.values(str(ds.SOPInstanceUID))
        assert np.array_equal(values, ds.pixel_array[number].astype(np.float32) + intercept)
        page.keyboard.press("v")
        expect(corner).to_contain_text("100%")
        center, width = 900 + 100 * number, 2000 + 500 * number
        share = np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
        assert np.abs(seen.greys(*values.shape) - share * 255).max() <= 0.501
        # The server's picture of the frame says the same.
        shown = np.asarray(Image.open(BytesIO(rendered(data, frame=number + 1, format="png"))), np.float64)
        assert np.abs(shown - share * 255).max() <= 0.501
    # Half a millimetre a pixel, for all frames.
    page.keyboard.press("t")
    expect(corner).to_contain_text(f"{round(0.5 * 96 / 25.4 * 100)}%")


def test_the_last_exam_of_the_same_part_stands_beside_series_by_series_and_is_leafed_by_millimetres(
    rooms: House, seen: Seen
) -> None:
    rooms.sent(*pictures.slices(6, "2.25.7001", step=4), pictures.scout("2.25.7001"))
    # Newer than that, and of another part; and one of the same part that was made later.
    rooms.sent(*pictures.slices(1, "2.25.7002", body_part="HEAD"))
    rooms.sent(*pictures.slices(12), pictures.scout())
    rooms.sent(*pictures.slices(2, "2.25.7003"))
    page = seen.page
    page.goto(f"{rooms.base}/reading/cases/{rooms.case_of(pictures.CT_STUDY)}")
    this, prior = page.locator(".image-corner").first, page.locator(".image-corner").nth(1)
    titles, series = page.locator(".image-title"), page.locator(".series-strip button")
    # The layout of a CT has its prior beside from the start; the scout came last and is looked at first.
    expect(titles.nth(1)).to_have_text(re.compile("^既往 11-21 .*定位像$"))
    expect(series).to_have_text(["1定位像1 幅", "2平扫 5 mm12 幅"])
    expect(series.first).to_have_attribute("aria-current", "true")
    page.keyboard.press("}")
    expect(this).to_contain_text("1 / 12")
    expect(series.nth(1)).to_have_attribute("aria-current", "true")
    expect(titles.nth(1)).to_contain_text("平扫 5 mm")
    expect(prior).to_contain_text("1 / 6")
    for _ in range(4):
        page.keyboard.press("]")
    expect(this).to_contain_text("5 / 12")
    expect(prior).to_contain_text("3 / 6")
    page.keyboard.press("3")
    expect(prior).to_contain_text("窗位 40 窗宽 400")
    # Back over the edge of the series: to the scouts of both, and forward again.
    page.keyboard.press("{")
    expect(titles.nth(1)).to_contain_text("定位像")
    series.nth(1).click()
    expect(this).to_contain_text("1 / 12")
    expect(prior).to_contain_text("1 / 6")
    # What the tools offer goes with what is shown.
    expect(page.get_by_role("button", name="播放")).to_be_visible()
    page.keyboard.press("q")
    expect(page.locator(".image-pane")).to_have_count(1)
    page.keyboard.press("q")
    expect(page.locator(".image-pane")).to_have_count(2)
    if AXE.exists():
        assert violations(page) == []
    # Another one by choice; what was made later is called so, in the list and over its pictures.
    page.keyboard.press("Alt+o")
    later = page.locator(".priors h2:has-text('此后的检查') ~ details")
    expect(later).to_have_count(1)
    later.locator("summary").click()
    later.get_by_role("button", name="图像并列对照").click()
    expect(titles.nth(1)).to_have_text(re.compile("^此后检查 11-21 .*平扫 5 mm$"))
    expect(prior).to_contain_text("1 / 2")
    page.keyboard.press("{")
    expect(titles.nth(1)).to_contain_text("此后检查")


def test_without_the_grey_values_the_preview_stays_says_so_and_can_be_asked_again(
    rooms: House, seen: Seen
) -> None:
    rooms.sent(*pictures.slices(1))
    page = seen.page
    page.route("**/frames/**", lambda route: route.abort())
    page.goto(f"{rooms.base}/reading/cases/{rooms.case_of(pictures.CT_STUDY)}")
    expect(page.locator(".preview-mark")).to_contain_text("非完整灰度")
    expect(page.locator("img.picture")).to_be_visible()
    page.unroute("**/frames/**")
    page.get_by_role("button", name="重试").click()
    expect(page.locator(".picture-frame.full")).to_be_visible()
    expect(page.locator(".preview-mark")).to_be_hidden()
