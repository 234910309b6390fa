"""The reader's own hand: marks of the median beat that move, and findings judged one by one."""

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser import own_reading, samples
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub
from tests.browser.test_machine_draft import statement

PATH = "/reading/cases/case-1?view=waiting"
LVH = statement("ecg.lvh", "左心室肥厚", "Left ventricular hypertrophy")
STT = statement("ecg.st_t", "ST-T 改变", "ST-T changes")


def value(page: Page, name: str) -> str:
    return page.locator(f'td[data-name="{name}"]').inner_text()


def test_marks_of_the_median_beat_move_by_key_and_mouse_and_the_intervals_follow(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_page(PATH)
    expect(page.locator(".beat-panel")).to_be_visible()
    assert (value(page, "pr_ms"), value(page, "qrs_ms"), value(page, "qt_ms")) == (
        "170 ms",
        "110 ms",
        "450 ms",
    )
    page.keyboard.press("y")
    for _ in range(3):
        page.keyboard.press("Control+ArrowRight")
    assert (value(page, "pr_ms"), value(page, "p_ms")) == ("140 ms", "70 ms")
    mark = page.locator('[data-mark="t_offset_ms"]')
    box = page.locator(".beat canvas").bounding_box()
    place = mark.bounding_box()
    assert box is not None
    assert place is not None
    page.mouse.move(place["x"] + 6, place["y"] + 60)
    page.mouse.down()
    # The canvas is one second wide.
    page.mouse.move(place["x"] + 6 - 0.1 * box["width"], place["y"] + 60)
    page.mouse.up()
    at = int(mark.get_attribute("aria-valuenow") or 0)
    assert abs(at - 300) <= 4
    qt = at + 50
    rr = own_reading.RR_MS / 1000
    assert value(page, "qt_ms") == f"{qt} ms"
    assert value(page, "qtc_ms") == f"{round(qt / rr**0.5)} ms"
    assert value(page, "qtc_fridericia_ms") == f"{round(qt / rr ** (1 / 3))} ms"
    # No mark passes its neighbour.
    page.locator('[data-mark="qrs_onset_ms"]').focus()
    for _ in range(20):
        page.keyboard.press("Control+ArrowRight")
    assert value(page, "qrs_ms") == "2 ms"
    page.get_by_role("button", name="还原").click()
    assert value(page, "qrs_ms") == "110 ms"
    expect(page.locator(".beat-state")).to_have_text("标记为机器所置，可拖动修正")


def test_kept_marks_go_into_the_report_by_one_key_and_are_there_again(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_page(PATH)
    expect(page.locator(".beat-panel")).to_be_visible()
    page.keyboard.press("y")
    page.keyboard.press("Control+ArrowRight")
    expect(page.locator(".beat-state")).to_have_text("标记已移动，尚未采用")
    with page.expect_response(re.compile("/measurements$")):
        page.keyboard.press("v")
    expect(page.locator("#report-findings")).to_have_value(
        "心率 72 次/分，PR 间期 160 ms，QRS 时限 110 ms，QT 间期 450 ms，QTc 493 ms。"
    )
    (kept,) = stub.state.sent("POST", "/measurements$")
    assert kept["marks"]["p_onset_ms"] == -210
    expect(page.locator(".beat-state")).to_have_text("医师测量值已随病例保存")
    again = open_page(PATH)
    expect(again.locator('td[data-name="pr_ms"]')).to_have_text("160 ms")
    # A reader who sees no P says so, and nobody computes with one.
    page.get_by_role("button", name="无 P 波").click()
    with page.expect_response(re.compile("/measurements$")):
        page.keyboard.press("v")
    again.reload()
    expect(again.locator('td[data-name="pr_ms"]')).to_have_text("–")
    expect(again.locator('[data-mark="p_onset_ms"]')).to_be_hidden()
    expect(again.locator('[data-mark="qrs_onset_ms"]')).to_be_visible()


def test_st_is_marked_at_j_by_lead_sex_and_age(open_page: OpenPage, stub: Stub) -> None:
    case = stub.state.cases["case-1"]
    page = open_page("/reading")
    levels: dict[str, float] = {}
    page.route("**/median-beats", lambda route: route.fulfill(json=[own_reading.beat_at_st(case, levels)]))
    rows = page.locator(".beat-st tr")
    people = (("M", 39, 0.25), ("M", 40, 0.2), ("M", None, 0.2), ("F", 39, 0.15), ("", 60, 0.15))
    for sex, years, limit in people:
        case["patient"] |= {"sex": sex, "age": None if years is None else {"value": years, "unit": "year"}}
        levels |= {
            "V2": limit,
            "V3": limit - 0.01,
            "V4": 0.1,
            "V5": 0.09,
            "I": -0.05,
            "II": -0.04,
            "aVR": -0.2,
        }
        page.goto(stub.url + PATH)
        expect(rows.filter(has_text="V2").locator("td").first).to_have_text(f"↑{limit:.2f}")
        marked = rows.filter(has=page.locator("td.notable")).locator("th").all_inner_texts()
        assert marked == ["I", "V2", "V4"], (sex, years)
    # J+60 and J+80 stand at the same levels here, and have no limits.
    expect(page.locator(".beat-st td:not(:nth-child(2)).notable")).to_have_count(0)
    expect(rows.filter(has_text="V2").locator("td").nth(2)).to_have_text("0.15")


def test_findings_are_judged_one_by_one_by_a_key_each_and_stay_so(open_page: OpenPage, stub: Stub) -> None:
    answer = stub.state.cases["case-1"]["analyses"][0]
    answer["statements"] = [LVH, STT]
    # The network's own "normal" over its threshold, beside an infarction: its figure stands, its flag does not.
    answer["findings"] = [
        one | ({"probability": 0.61, "flag": True} if one["name"] == "NORM" else {})
        for one in answer["findings"]
    ]
    page = open_page(PATH)
    expect(page.locator(".next-verdict")).to_have_count(1)
    normal = page.locator(".finding", has_text="正常心电图")
    expect(normal).to_contain_text("0.61")
    expect(normal).not_to_contain_text("⚑")
    expect(page.locator(".finding.flagged")).to_have_count(2)
    expect(page.locator(".analysis", has=normal)).to_contain_text("不作提示")

    def press(key: str) -> None:
        with page.expect_response(re.compile("/verdicts$")):
            page.keyboard.press(key)

    press("a")
    expect(page.locator("#report-impression")).to_have_value("左心室肥厚")
    expect(page.locator(".statements li", has_text="ST-T 改变").locator(".next-verdict")).to_be_visible()
    press("z")
    expect(page.locator("#report-impression")).to_have_value("左心室肥厚")
    press("a")  # the flagged finding MI: a class, no sentence for the report
    expect(page.locator("#report-impression")).to_have_value("左心室肥厚")
    assert [(one["finding"], one["verdict"]) for one in stub.state.sent("POST", "/verdicts$")] == [
        ("ecg.lvh", "accepted"),
        ("ecg.st_t", "rejected"),
        ("MI", "accepted"),
    ]
    again = open_page(PATH)
    expect(again.get_by_role("button", name="接受", pressed=True)).to_have_count(2)
    expect(again.get_by_role("button", name="否定", pressed=True)).to_have_count(1)
    # Rejected after all: its sentence leaves the report.
    first = page.locator(".statements li", has_text="左心室肥厚")
    with page.expect_response(re.compile("/verdicts$")):
        first.get_by_role("button", name="否定").click()
    expect(page.locator("#report-impression")).to_have_value("")
    with page.expect_response(re.compile("/verdicts$")):
        first.get_by_role("button", name="修改").click()
    expect(page.locator("#report-impression")).to_be_focused()
    expect(page.locator("#report-impression")).to_have_value("左心室肥厚")


def test_on_a_slow_line_each_key_falls_on_the_next_finding_and_what_was_refused_is_open_again(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.cases["case-1"]["analyses"][0]["statements"] = [LVH, STT]
    page = open_page(PATH)
    expect(page.locator(".next-verdict")).to_have_count(1)
    held: list[Route] = []
    page.route(re.compile("/verdicts$"), lambda route: route.continue_() if held else held.append(route))
    for key in "aza":
        page.keyboard.press(key)
    accepted = page.get_by_role("button", name="接受", pressed=True)
    expect(accepted).to_have_count(2)
    expect(page.get_by_role("button", name="否定", pressed=True)).to_have_count(1)
    expect(page.locator("#report-impression")).to_have_value("左心室肥厚")
    assert [one.request.post_data_json["finding"] for one in held] == ["ecg.lvh"]
    with page.expect_response(
        lambda one: one.url.endswith("/verdicts") and "MI" in (one.request.post_data or "")
    ):
        held[0].continue_()
    assert [(one["finding"], one["verdict"]) for one in stub.state.sent("POST", "/verdicts$")] == [
        ("ecg.lvh", "accepted"),
        ("ecg.st_t", "rejected"),
        ("MI", "accepted"),
    ]
    expect(accepted).to_have_count(2)
    page.route(re.compile("/verdicts$"), lambda route: route.abort())
    page.locator(".finding", has_text="梗").get_by_role("button", name="否定").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(accepted).to_have_count(2)


def prior(case_id: str, days: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": case_id,
        "modality": "ECG",
        "exam": "十二导联心电图",
        "body_part": "",
        "site": "青石镇卫生院",
        "arrived_at": samples.iso(-60 * 24 * days),
        "state": "final",
        "study_instance_uid": "2.25.1",
        "comparable": True,
        "earlier": True,
        "same_part": True,
        "impression": "窦性心律，正常心电图。",
        "abnormal": False,
        "report_id": None,
        **changes,
    }


def test_the_last_ecg_is_laid_over_this_one_with_a_table_of_changes(open_page: OpenPage, stub: Stub) -> None:
    now, last = stub.state.cases["case-1"], stub.state.cases["case-8"]
    now["analyses"][0]["measurements"] = {"qrs_axis_deg": -170}
    last["analyses"][0]["measurements"] = {"qrs_axis_deg": 170}
    stub.state.priors["case-1"] = [prior("case-8", 40), prior("case-2", 10, comparable=False)]
    page = open_page("/reading")
    page.route(
        re.compile("case-1/median-beats"),
        lambda route: route.fulfill(json=[own_reading.beat(now, st_mv=0.25)]),
    )
    page.goto(stub.url + PATH)
    expect(page.locator(".beat-panel")).to_be_visible()
    page.keyboard.press("7")
    changes = page.locator(".compare-table")
    expect(changes).to_contain_text("上次诊断：窦性心律，正常心电图。")
    expect(changes.locator('[data-name="pr_ms"] td')).to_have_text(["170 ms", "170 ms", "0"])
    # From 170 to -170 degrees an axis turns by 20, not by 340.
    expect(changes.locator('[data-name="qrs_axis_deg"] td')).to_have_text(["170°", "-170°", "+20"])
    expect(changes.locator('[data-name="V4"] td').last).to_have_text(re.compile(r"^\+0\.\d\d$"))
    expect(changes.locator('[data-name="V5"]')).to_have_count(0)
    assert [request for request in stub.state.sent("GET", "/cases/case-2") if request] == []

    def blue(first: float, last: float) -> float:
        """Share of columns of V4's place that hold the last ECG's colour, of its width from `first` to `last`."""
        url = page.locator(".compare-body canvas").evaluate("canvas => canvas.toDataURL('image/png')")
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"))
        scale = picture.shape[1] / 200
        cell = picture[
            : round(25 * scale), round((150 + 50 * first) * scale) : round((150 + 50 * last) * scale)
        ]
        colour = np.array([0x7F, 0xD0, 0xEE])
        near = np.abs(cell.astype(int) - colour).sum(axis=2) < 60
        return float(near.any(axis=0).mean())

    # Where the two differ the dashes of the last one show: from J to the end of T.
    assert blue(0.1, 0.3) == 0
    assert blue(0.4, 0.7) > 0.1
    page.keyboard.press("8")
    expect(page.get_by_role("button", name="并排")).to_have_attribute("aria-pressed", "true")
    assert blue(0, 0.5) == 0
    assert blue(0.5, 1) > 0.5
    page.keyboard.press("7")
    expect(page.locator(".beat-panel")).to_be_visible()
    expect(page.locator(".compare")).to_be_hidden()


def test_an_earlier_ecg_counts_as_its_reader_measured_it_and_its_leads_stand_on_the_same_paper(
    open_page: OpenPage, stub: Stub
) -> None:
    last, newest = stub.state.cases["case-8"], stub.state.cases["case-6"]
    newest["analyses"] = []
    newest["series"] = last["series"]
    # 20 ms wider than the machine's 110.
    marks = {**own_reading.MARKS, "qrs_offset_ms": 80.0}
    stub.state.own["case-8"].measure({"analysis": last["analyses"][0]["id"], "marks": marks})
    stub.state.priors["case-1"] = [prior("case-6", 5, impression=""), prior("case-8", 40)]
    page = open_page(PATH)
    expect(page.locator(".beat-panel")).to_be_visible()
    page.keyboard.press("7")
    table = page.locator(".compare-table")
    expect(table.locator('[data-name="qrs_ms"] td')).to_have_text(["130 ms", "110 ms", "-20"])
    expect(table).to_contain_text("上次（医师测量）")
    # The newest has no beat: said, and every date is that of what is compared.
    dates = [page.locator(".choose-prior option").nth(n).inner_text() for n in (0, 1)]
    expect(page.locator(".compare .messages")).to_contain_text(f"（{dates[0]}）没有保存代表心搏")
    expect(page.locator(".bench-tabs")).to_contain_text(f"与上次对比（{dates[1]}）")
    page.locator(".choose-prior select").select_option(label=dates[0])
    expect(page.locator(".compare .ecg[data-drawn]")).to_be_visible()
    expect(page.locator(".compare .messages")).to_contain_text("只能对比十二导联波形")
    expect(page.locator(".bench-tabs")).to_contain_text(f"与上次对比（{dates[0]}）")
    # On the paper of this one: marked, and by the same settings.
    page.locator(".ecg-stage .ecg").click()
    caption = page.locator(".ecg-stage .ecg-setting")
    before = caption.inner_text()
    page.keyboard.press("0")
    expect(page.locator(".then-banner")).to_have_text(f"上次心电图 {dates[0]}（不是本次）")
    assert caption.inner_text().endswith(before)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    printed = page.locator(".ecg-stage .ecg").inner_text()
    assert "mm/s" in printed and "上次" not in printed
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.keyboard.press("0")
    expect(page.locator(".then-banner")).to_have_text("")
    expect(caption).to_have_text(before)


def test_without_an_answer_of_a_machine_the_leads_are_compared(open_page: OpenPage, stub: Stub) -> None:
    stub.state.cases["case-1"]["analyses"] = []
    stub.state.priors["case-1"] = [prior("case-8", 40)]
    page = open_page(PATH)
    page.locator(".ecg-stage .ecg[data-drawn]").wait_for()
    page.keyboard.press("7")
    expect(page.locator(".compare .ecg[data-drawn]")).to_be_visible()
    expect(page.locator(".compare")).to_contain_text("上次诊断：窦性心律")
    expect(page.locator(".compare canvas[role=img]").first).to_be_hidden()
    page.keyboard.press("7")
    expect(page.locator(".compare")).to_be_hidden()
