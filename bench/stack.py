"""A CT of 300 slices on the case page, as it comes from the archive: opened cold, fetched whole, leafed through.

`ct_first_slice_ms`: from the key that opens the case to the full grey values of its first slice.
`ct_whole_stack_s`: to the last slice in the memory of the page.
`ct_scroll_per_s`: slices painted in a second while a key is held down, each one waited for.
`ct_memory_mb`: what the page's process then takes, its share of shared pages counted.

The issue names no limits for these; the ones here are the product's own: the first slice as soon as a film, the whole
before a reader has looked at the first slices, leafing as smooth as a film of moving pictures needs it, and half of
the memory that a weak computer has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from playwright.sync_api import Page
from pydicom.uid import CTImageStorage

from bench.result import Row, under_limit
from telemed.demo.dicom_objects import FictionalPatient, Occasion, dr_object, uid_from

SLICES, SIDE = 300, 512
FIRST_MS, WHOLE_S, PER_SECOND, MEMORY_MB = 2500.0, 30.0, 20.0, 2048.0
LEAF = """
bench.leaf = async (seconds) => {
    const frame = () => document.querySelector(".picture-frame");
    const shown = () => document.querySelector(".image-corner").textContent;
    const paint = () => new Promise(requestAnimationFrame);
    const begun = performance.now();
    let painted = 0, key = "]";
    while (performance.now() - begun < seconds * 1000) {
        const before = shown();
        frame().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        for (let waited = 0; shown() === before && waited < 60; waited++) await paint();
        // At the end of the stack it goes back.
        if (shown() === before) key = key === "]" ? "[" : "]";
        else painted += 1;
    }
    return painted * 1000 / (performance.now() - begun);
};
bench.whole = (count) => new Promise((resolve) => {
    const look = () => {
        const frames = performance.getEntriesByType("resource").filter(({ name }) => /\\/frames\\/1/.test(name));
        if (frames.length >= count) resolve(performance.now() - bench.pressed);
        else setTimeout(look, 50);
    };
    look();
});
"""


def slices() -> Iterator[Any]:
    """One body of water with a spine and grain, 5 mm apart: 300 slices of 512 x 512, 12 bits in 16."""
    person = FictionalPatient("BENCH-CT", "Ceshi^Duanceng=测试^断层", "M", date(1955, 1, 1))
    taken = datetime.now(ZoneInfo("Asia/Shanghai"))
    occasion = Occasion(person, taken, "BENCH-CT", "示例镇卫生院", 9000)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    body = np.where(((x - 256) / 200.0) ** 2 + ((y - 256) / 150.0) ** 2 < 1, 1024 + 40, 24)
    generator = np.random.default_rng(7)
    study, series, frame = (uid_from("bench", "ct", word) for word in ("study", "series", "frame"))
    for number in range(1, SLICES + 1):
        spine = (x - 256) ** 2 + (y - 350) ** 2 < (20 + 10 * np.sin(number / 9)) ** 2
        levels = np.where(spine, 1024 + 600, body) + generator.normal(0, 12, body.shape)
        ds = dr_object(
            occasion, np.clip(levels, 0, 4095).astype(np.uint16), bits=12, view="PA", instance_number=number
        )
        for keyword in ("ImagerPixelSpacing", "ViewPosition", "PatientOrientation", "DetectorType"):
            del ds[keyword]
        ds.SOPClassUID, ds.Modality = CTImageStorage, "CT"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.SOPInstanceUID = uid_from("bench", "ct", number)
        ds.BodyPartExamined, ds.StudyDescription = "CHEST", "CT 胸部体模 PHANTOM"
        ds.SeriesDescription = "PHANTOM, NOT A PATIENT"
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
        ds.WindowCenter, ds.WindowWidth = 40, 400
        ds.PixelSpacing, ds.SliceThickness = [0.7, 0.7], 5
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.ImagePositionPatient = [-180, -180, -5 * number]
        ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        yield ds


def measured(page: Page, *, seconds: float) -> list[Row]:
    """On a page at the list, with the CT the one case of its kind there."""
    page.evaluate(LEAF)
    page.evaluate("performance.setResourceTimingBufferSize(5000)")
    page.evaluate("bench.both()")
    page.keyboard.press("Enter")
    _, first = page.evaluate("bench.result")
    whole = page.evaluate("count => bench.whole(count)", SLICES) / 1000
    rate = float(page.evaluate("seconds => bench.leaf(seconds)", seconds))
    note = f"{SLICES} slices of {SIDE} x {SIDE}, Explicit VR Little Endian, one study"
    return [
        under_limit("ct_first_slice_ms", [float(first)], "ms", FIRST_MS, note=note),
        under_limit("ct_whole_stack_s", [float(whole)], "s", WHOLE_S, note=note),
        Row(
            what="ct_scroll_per_s", value=round(rate, 1), unit="slices/s", peer="limit", peer_value=PER_SECOND,
            ratio=round(rate / PER_SECOND, 2), goal=f">= {PER_SECOND} slices/s", met=rate >= PER_SECOND,
            note=f"mean of {seconds:g} s, each slice painted before the next key",
        ),
        under_limit("ct_memory_mb", [_memory_mb(page)], "MB", MEMORY_MB, note="PSS of the page's process"),
    ]  # fmt: skip


def _memory_mb(page: Page) -> float:
    browser = page.context.browser
    assert browser is not None
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(_pss(int(one["id"])) for one in told if one["type"] == "renderer")


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
