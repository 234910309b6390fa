"""Short codes, templates, the report before, and a review that changes words; against the stand-in server."""

import pytest
from playwright.sync_api import expect

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.opening import open_case
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def test_short_codes_and_templates_become_their_words(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    with page.expect_response("**/report-texts"):
        page.reload()
    expect(page.locator(".identity h1")).to_be_visible()
    page.keyboard.press("e")
    findings = page.locator("#report-findings")
    # "a" could still become "af": it waits for its space; a full-width semicolon is one as well.
    page.keyboard.type("见;a")
    expect(findings).to_have_value("见;a")
    page.keyboard.type(" 及;af")
    expect(findings).to_have_value("见窦性心律不齐及心房颤动")
    findings.evaluate("field => { field.value = ''; }")
    page.keyboard.insert_text("；")
    page.keyboard.type("taf")
    expect(findings).to_have_value("P 波消失,代之以 f 波。")
    expect(page.locator("#report-impression")).to_have_value("心房颤动")
    page.locator(".report .message.good button").click()
    expect(page.locator("#report-impression")).to_have_value("")
    page.keyboard.press("Alt+t")
    expect(page.locator(".templates button").first).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("#report-impression")).to_have_value("心房颤动")


def test_the_report_before_stands_beside_with_one_key_from_case_to_case(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.priors = {"case-1": samples.PRIORS, "case-2": samples.PRIORS}
    page = open_case(open_page, 1)
    page.keyboard.press("Alt+o")
    expect(page.locator(".priors")).to_contain_text("窦性心律,心率 66 次/分。")
    page.keyboard.press("j")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    expect(page.locator(".priors")).to_contain_text("正常范围心电图")
    page.keyboard.press("Alt+o")
    expect(page.locator(".priors")).to_be_hidden()


def test_review_changes_words_and_the_difference_is_shown(open_page: OpenPage, stub: Stub) -> None:
    case = stub.state.cases["case-1"]
    case.update(state="awaiting_review", report=samples.report(state="awaiting_review", pdf_url=None))
    case["can"].update(claim=False, review=True)
    page = open_case(open_page, 1)
    page.locator("#report-impression").fill("急性下壁心肌梗死图形,请结合临床与心肌标志物。")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    (sent,) = stub.state.sent("POST", "/case-1/review$")
    assert sent["words"]["impression"].startswith("急性下壁")
    before = samples.report()
    case["report"] = samples.report(
        impression="急性下壁心肌梗死图形,请结合临床与心肌标志物。",
        submitted={name: before[name] for name in ("findings", "impression", "recommendation")},
    )
    page.goto(f"{stub.url}/reading/cases/case-1?view=done")
    changes = page.locator(".review-changes")
    expect(changes.locator("del")).to_have_text("前")
    expect(changes.locator("ins")).to_have_text("下")
