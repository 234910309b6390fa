"""A film of five megapixels on the case page: real processes, a real browser in software, every paint waited for.

`preview_ms`: from the key that opens a case nobody fetched ahead to the server's picture on the screen.
`full_dx_ms`: of the same, to the full grey values on the screen.
`full_dx_j2k_ms`: the same for a film in lossless JPEG 2000, decoded in the browser.
`next_case_ms`: from the key to the full grey values of the next case, after a look of a few seconds at this one.
`ct_...`: a CT of 300 slices, see `bench.stack`.

The page's scripts are in the browser's cache and the list is looked at for a second first. The film is 2048 x 2500,
14 bits in 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from playwright.sync_api import Page
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless

from bench import stack
from bench.house import House, house, reading_room
from bench.result import Row, under_limit
from telemed.demo.dicom_objects import FictionalPatient, Occasion, dr_object, to_file
from telemed.demo.roles import wait_for

PREVIEW_MS, FULL_MS, NEXT_MS = 500.0, 2500.0, 300.0
LOOK_MS = 6000
# As little as nobody looks at a list before opening a case; meanwhile the browser reads the station's script.
LOOK_AT_LIST_MS = 1000
# Nothing of the page asks for WebGL: a computer without a graphics card, on which Chromium composes by itself.
CHROMIUM = ["--disable-gpu"]
# Milliseconds from the keydown to the frame after the one in which it was there.
WATCH = """
window.bench = { pressed: 0 };
document.addEventListener("keydown", (event) => { bench.pressed = event.timeStamp; }, true);
bench.painted = (what) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${what} did not come`)), 30_000);
    const come = {
        preview: () => {
            const picture = document.querySelector("img.picture");
            return picture?.isConnected && picture.complete && picture.naturalWidth > 0;
        },
        full: () => document.querySelector(".picture-frame.full[data-shown]"),
    }[what];
    const look = () => {
        if (bench.pressed === 0 || !come()) requestAnimationFrame(look);
        else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - bench.pressed)));
    };
    requestAnimationFrame(look);
});
bench.both = () => {
    bench.pressed = 0;
    bench.result = Promise.all([bench.painted("preview"), bench.painted("full")]);
};
bench.next = () => {
    // The case that is open is not the one that is waited for.
    delete document.querySelector(".picture-frame").dataset.shown;
    bench.pressed = 0;
    bench.result = bench.painted("full");
};
"""


def rows(*, only: str | None, quick: bool) -> list[Row]:
    opened, leafed = (3, 3) if quick else (6, 6)
    films = [_film(number, compressed=number % 2 == 1) for number in range(2 * opened)]
    with _with(films) as base, reading_room(base, WATCH, *CHROMIUM) as page:
        # The first one fetches the scripts, as the first case of the day does.
        _open(page, 0)
        times = [_open(page, number) for number in range(2 * opened)]
        raw, packed = times[0::2], times[1::2]
        following = _leaf(page, leafed)
        page.goto("/reading?view=waiting&modality=CT")
        page.locator(".rows .row").first.wait_for()
        page.wait_for_timeout(LOOK_AT_LIST_MS)
        leafing = stack.measured(page, seconds=3 if quick else 10)
    found = [
        under_limit("preview_ms", [one for one, _ in times], "ms", PREVIEW_MS, note="raw and JPEG 2000 in turn"),
        under_limit("full_dx_ms", [one for _, one in raw], "ms", FULL_MS, note="Explicit VR Little Endian"),
        under_limit("full_dx_j2k_ms", [one for _, one in packed], "ms", FULL_MS, note="JPEG 2000 lossless"),
        under_limit("next_case_ms", following, "ms", NEXT_MS,
                    note=f"raw and JPEG 2000 in turn, {LOOK_MS} ms at each case"),
        *leafing,
    ]  # fmt: skip
    return [row for row in found if only in (None, row.what)]


def _open(page: Page, number: int) -> tuple[float, float]:
    page.goto("/reading?view=waiting&modality=DX")
    page.locator(".rows .row").first.wait_for()
    page.wait_for_timeout(LOOK_AT_LIST_MS)
    for _ in range(number):
        page.keyboard.press("j")
    page.evaluate("bench.both()")
    page.keyboard.press("Enter")
    preview, full = page.evaluate("bench.result")
    return float(preview), float(full)


def _leaf(page: Page, count: int) -> list[float]:
    _open(page, 0)
    found = []
    for _ in range(count):
        page.wait_for_timeout(LOOK_MS)
        page.evaluate("bench.next()")
        page.keyboard.press("j")
        found.append(float(page.evaluate("bench.result")))
    return found


def _film(number: int, *, compressed: bool) -> Any:
    person = FictionalPatient(
        f"BENCH-{number:04d}", f"Ceshi^{number}=测试^{number:03d}", "F", date(1960, 1, 1)
    )
    taken = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(minutes=number)
    occasion = Occasion(person, taken, f"BENCH-{number:04d}", "示例镇卫生院", number)
    y, x = np.mgrid[0:2500, 0:2048]
    lungs = sum(np.exp(-(((x - at) / 380.0) ** 2 + ((y - 1200) / 750.0) ** 2)) for at in (650, 1400))
    grain = np.random.default_rng(number).normal(0, 40, x.shape)
    levels = np.clip(3000 + 9000 * lungs + grain, 0, 16383).astype(np.uint16)
    ds = dr_object(occasion, levels, bits=14, view="PA")
    if compressed:
        ds = dcmread(BytesIO(to_file(ds)))
        ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    return ds


@contextmanager
def _with(films: Sequence[Any]) -> Iterator[str]:
    """A consortium with these films in its list."""
    with house() as here:
        here.receive("DEMO_DR", films)
        here.receive("DEMO_DR", list(stack.slices()))
        wait_for("every film in the list", lambda: _all_listed(here, len(films) + 1), 300)
        yield here.base


def _all_listed(here: House, count: int) -> bool | None:
    there = [row for row in here.listed() if row["ai"]["state"] not in ("pending", "failed")]
    return True if len(there) >= count else None
