"""Two stored ECGs of one person, measured by the shipped models and compared in the real application."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from ai_models.analyser import Analyser
from ai_models.ecg.training import data
from ai_models.engine import Engine
from tests.browser.axe import AXE, violations
from tests.browser.house import House, house
from tests.cast import TOWNSHIP_A1, Cast, approve_model
from tests.factories.dicom import ecg_bytes, group, uid
from tests.integration.web.conftest import Program
from tests.unit.ai_models import synthetic

pytestmark = pytest.mark.browser

Samples = NDArray[np.floating[Any]]
LAST, NOW = str(uid("serial", "last")), str(uid("serial", "now"))
INTERVALS = ("heart_rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms")


@pytest.fixture
def real_house(cast: Cast) -> Iterator[House]:
    """The cast's house with the shipped models in the place of its stand-in, approved by its administrator."""
    analyser = Analyser(Engine())
    world = replace(cast.world, analyser=analyser)
    site, admin = cast.sites[TOWNSHIP_A1], cast.people["admin"]
    with world.unit_of_work() as uow:
        for model in analyser.models_for("ECG"):
            approve_model(world, uow, site, admin, model)
        uow.commit()
    with house(replace(cast, world=world)) as found:
        yield found


def made_pair() -> tuple[Samples, Samples]:
    """The same heart, and later: faster, P nearer to QRS, ST raised in front of the left ventricle."""
    before = synthetic.samples()
    later = (
        (-0.13, 0.022, (0.08, 0.12, -0.02)),
        *synthetic.WAVES[1:],
        (0.12, 0.05, (0.02, 0.0, -0.16)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "WAVES", later)
        return before, synthetic.samples(bpm=88.0)


def public_pair() -> tuple[Samples, Samples]:
    """The first person of the public recordings who has two."""
    if not (data.DEFAULT_ROOT / "ptbxl").is_dir():
        pytest.skip("the public recordings are not on this machine")
    first: dict[str, Samples] = {}
    for recording in data.ptbxl(data.DEFAULT_ROOT):
        if recording.group in first:
            return first[recording.group], recording.samples
        first[recording.group] = recording.samples
    raise AssertionError("nobody has two recordings")


def sent(found: House, samples: Samples, study: str) -> None:
    raw = np.rint(samples.T * 1000).astype(np.int16)
    found.sent(ecg_bytes(group(raw), patient_id="FIC-P7", patient_name="测试癸", study_uid=study, seed=study))


def st_at_j(beat: dict[str, Any]) -> dict[str, float]:
    """mV by lead at the J point against the end of PR, computed here on its own."""
    rows = np.frombuffer(base64.b64decode(beat["samples"]), "<i2").reshape(len(beat["leads"]), -1)
    values = rows * beat["microvolts_per_unit"] / 1000

    def mean(lead: int, start: float, end: float) -> float:
        at = [round(beat["fiducial"] + ms * beat["sampling_rate"] / 1000) for ms in (start, end)]
        return float(values[lead, at[0] : at[1] + 1].mean())

    onset, j = beat["waves"]["qrs_onset_ms"], beat["waves"]["qrs_offset_ms"]
    return {
        name: mean(lead, j - 4, j + 4) - mean(lead, onset - 20, onset - 4)
        for lead, name in enumerate(beat["leads"])
    }


def inks(page: Page) -> set[str]:
    """Which of the two recordings' colours lie on the comparison."""
    url = page.locator(".compare-body canvas").evaluate("canvas => canvas.toDataURL('image/png')")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")).astype(
        int
    )
    colours = {"now": (0xD5, 0xEE, 0xE2), "last": (0x7F, 0xD0, 0xEE)}
    return {name for name, rgb in colours.items() if (np.abs(picture - rgb).sum(axis=2) < 60).sum() > 20}


@pytest.mark.parametrize("pair", [made_pair, pytest.param(public_pair, marks=pytest.mark.shared_data)])
def test_a_stored_ecg_stands_beside_the_one_before_it_with_what_changed(
    chromium: Browser, real_house: House, pair: Any
) -> None:
    before, later = pair()
    sent(real_house, before, LAST)
    real_house.cast.clock.move(minutes=5)
    sent(real_house, later, NOW)
    case = real_house.case_of(NOW)
    reader = Program(real_house.sender.http.app, "reporting")  # type: ignore[arg-type]
    kept = {}
    for study in (LAST, NOW):
        path = f"/api/v1/cases/{real_house.case_of(study)}"
        values = {}
        for answer in reader.get(path)["analyses"]:
            values |= answer["measurements"] or {}
        (beat,) = reader.get(f"{path}/median-beats")
        kept[study] = (values, st_at_j(beat))
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = real_house.sign_in(context)
    page.goto(f"{real_house.base}/reading/cases/{case}?view=all")
    expect(page.locator(".beat-panel")).to_be_visible()
    page.locator(".ecg[data-drawn]").wait_for()
    page.keyboard.press("7")
    table = page.locator(".compare-table")
    expect(table.locator("[data-name=heart_rate_bpm]")).to_be_visible()
    # In flutter there is no PR.
    both = [name for name in INTERVALS if all(name in values for values, _ in kept.values())]
    assert len(both) >= 4
    for name in both:
        cells = table.locator(f"[data-name={name}] td").all_inner_texts()
        last, now, change = [int(cell.split()[0]) for cell in cells]
        # Drawn from marks kept finer than the measurements' tenths.
        assert abs(last - kept[LAST][0][name]) <= 0.6, name
        assert abs(now - kept[NOW][0][name]) <= 0.6, name
        assert abs(change - (kept[NOW][0][name] - kept[LAST][0][name])) <= 1.2, name
    moved = {lead: level - kept[LAST][1][lead] for lead, level in kept[NOW][1].items()}
    shown = {
        row.get_attribute("data-name"): float(row.locator("td").last.inner_text())
        for row in table.locator("tr[data-name]").all()
        if row.locator("th").inner_text().startswith("ST ")
    }
    assert shown.keys() == {lead for lead, by in moved.items() if abs(by) >= 0.05}
    for lead, by in shown.items():
        assert by == pytest.approx(moved[str(lead)], abs=0.011)
    if pair is made_pair:
        assert {"V2", "V3"} <= shown.keys()
        assert table.locator("[data-name=pr_ms] td").last.inner_text().startswith("-")
    assert inks(page) == {"now", "last"}
    expect(page.get_by_role("button", name="重叠")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("8")
    expect(page.get_by_role("button", name="并排")).to_have_attribute("aria-pressed", "true")
    assert inks(page) == {"now", "last"}
    if AXE.exists():
        assert violations(page) == []
    context.close()
