"""Where a film network looked: off until asked for, over the picture, named for what it is."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

SWITCH = ".attention-switch button"
CANVAS = "canvas.attention"


def answered(stub: Stub, **changes: Any) -> dict[str, Any]:
    """The DX case of the samples with a film network's answer."""
    case = stub.state.cases["case-2"]
    case["ai"] = {"state": "done", "flags": ["tb"]}
    case["analyses"] = [
        {
            "model": {"name": "chest-tb", "version": "1.0.0"},
            "in_domain": True,
            "reason": None,
            "findings": [{"name": "tb", "probability": 0.83, "threshold": 0.41, "flag": True}],
            "measurements": {},
            "statements": [],
            "has_heat_map": True,
            **changes,
        }
    ]
    return case


def heat_map(case: dict[str, Any], elsewhere: float = 0.1) -> dict[str, Any]:
    cells = [[1.0 if (row, column) == (3, 11) else elsewhere for column in range(15)] for row in range(15)]
    return {
        "sop_instance_uid": case["series"][0]["instances"][0]["sop_instance_uid"],
        "model": "chest-tb",
        "version": "1.0.0",
        "finding": "tb",
        "cells": cells,
        "region": [0.03125, 0.03125, 0.96875, 0.96875],
    }


def answer_with(page: Page, maps: list[dict[str, Any]]) -> None:
    def fulfil(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(maps))

    page.route("**/api/v1/cases/case-2/heat-maps", fulfil)


def brightest(page: Page) -> tuple[float, float]:
    """Where the map is most opaque, as shares of the canvas."""
    x, y = page.evaluate(
        """selector => {
            const canvas = document.querySelector(selector);
            const { width, height } = canvas;
            const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            let best = 0;
            for (let at = 0; at < width * height; at++) if (data[at * 4 + 3] > data[best * 4 + 3]) best = at;
            return [(best % width) / width, Math.floor(best / width) / height];
        }""",
        CANVAS,
    )
    return float(x), float(y)


def coloured(page: Page) -> float:
    """The share of the canvas that is coloured at all."""
    share = page.evaluate(
        """selector => {
            const canvas = document.querySelector(selector);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let some = 0;
            for (let at = 3; at < data.length; at += 4) if (data[at] > 0) some++;
            return some / (canvas.width * canvas.height);
        }""",
        CANVAS,
    )
    return float(share)


def test_the_map_is_off_until_asked_for_and_lies_where_the_network_looked(
    open_page: OpenPage, stub: Stub
) -> None:
    case = answered(stub)
    page = open_page("/reading/cases/case-2?view=waiting")
    answer_with(page, [heat_map(case)])
    expect(page.locator(".ai .finding.flagged")).to_contain_text("肺结核征象")
    expect(page.locator(".ai .finding.flagged")).to_contain_text("0.83")
    expect(page.locator(CANVAS)).to_be_hidden()
    expect(page.locator(SWITCH)).to_have_attribute("aria-pressed", "false")
    frame = page.locator(".picture-frame")
    # The refusal of the full grey values has come, and stands over the picture.
    expect(page.locator(".stage-messages .message")).to_be_visible()
    before = frame.bounding_box()
    page.click(SWITCH)
    expect(page.locator(CANVAS)).to_be_visible()
    assert frame.bounding_box() == before
    page.locator(".stage-messages").get_by_role("button", name="关闭").click()
    expect(page.locator(".stage-messages .message")).to_have_count(0)
    assert frame.bounding_box() == before
    expect(page.locator(".attention-switch")).to_contain_text(
        "模型关注最强的区域（至多四分之一），不是病灶轮廓"
    )
    x, y = brightest(page)
    assert abs(x - (0.03125 + 0.9375 * 11.5 / 15)) < 0.04
    assert abs(y - (0.03125 + 0.9375 * 3.5 / 15)) < 0.04
    page.locator(".attention-switch input[type=range]").fill("40")
    expect(page.locator(CANVAS)).to_have_css("opacity", "0.4")
    page.click(SWITCH)
    expect(page.locator(CANVAS)).to_be_hidden()


def test_the_map_moves_with_the_picture_and_another_case_starts_without(
    open_page: OpenPage, stub: Stub
) -> None:
    case = answered(stub)
    page = open_page("/reading/cases/case-2?view=waiting")
    # Evidence all over: most of the picture stays as it is.
    answer_with(page, [heat_map(case, elsewhere=0.8)])
    page.click(SWITCH)
    expect(page.locator(CANVAS)).to_be_visible()
    assert 0 < coloured(page) < 0.25
    page.get_by_role("button", name="放大").click()
    transforms = [
        page.locator(selector).evaluate("e => e.style.transform") for selector in ("img.picture", CANVAS)
    ]
    assert transforms[0] == transforms[1] != ""
    page.keyboard.press("Escape")
    page.goto(stub.url + "/reading/cases/case-2?view=waiting")
    expect(page.locator(SWITCH)).to_have_attribute("aria-pressed", "false")


def test_out_of_domain_there_is_a_reason_and_no_switch(open_page: OpenPage, stub: Stub) -> None:
    reason = "未写明年龄，无法判断是否适用。"
    case = answered(
        stub, in_domain=False, reason="film.no_age", reason_text=reason, findings=[], has_heat_map=False
    )
    case["ai"] = {"state": "out_of_domain", "flags": []}
    case["ai_reason"] = reason
    page = open_page("/reading/cases/case-2?view=waiting")
    expect(page.locator(".ai .analysis .out_of_domain")).to_contain_text("未写明年龄")
    expect(page.locator(SWITCH)).to_be_hidden()
