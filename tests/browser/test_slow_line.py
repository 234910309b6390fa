"""On a slow line the reader is elsewhere when an answer comes: what was said of a case stays with that case."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.opening import open_case
from tests.browser.stub import Stub
from tests.browser.test_machine_draft import statement

pytestmark = pytest.mark.browser

A, B = "示例·阿依古丽", "示例乙"


def hold(page: Page, path: str) -> list[Route]:
    """What is asked for under this path waits in the list that is returned."""
    held: list[Route] = []
    page.route(re.compile(path), lambda route: held.append(route))
    return held


def first(page: Page, held: list[Route]) -> Route:
    for _ in range(1500):
        if held:
            return held.pop(0)
        page.wait_for_timeout(20)
    pytest.fail("nothing was asked for under this path")


def posted(stub: Stub, ending: str) -> list[str]:
    """The cases that something was posted about, in their order."""
    found = (re.fullmatch(rf"/api/v1/cases/(.*)/{ending}", path) for _, path, _ in stub.state.requests)
    return [match[1] for match in found if match]


def test_a_signature_is_of_the_case_and_the_words_it_was_given_for(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    drafts = hold(page, "/case-1/draft$")
    page.keyboard.press("e")
    with page.expect_request("**/case-1/draft"):
        page.keyboard.type("一")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".identity h1")).to_have_text(B)
    page.keyboard.press("e")
    page.keyboard.type("二")
    first(page, drafts).continue_()
    expect(page.locator(".undo-bar")).to_contain_text(A)
    assert posted(stub, "sign") == ["case-1"]
    (sent,) = stub.state.sent("POST", "/sign$")
    assert (sent["revision"], sent["words"]["findings"]) == (1, "一")
    # Signed behind the reader's back, and the reader stays with the case that is being written.
    expect(page.locator(".identity h1")).to_have_text(B)
    expect(page.locator("#report-findings")).to_have_value("二")

    # A signature that is refused when the reader has left says whose it is, and leads back.
    signatures = hold(page, "/case-2/sign$")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".grid")).to_be_visible()
    problem = {"status": 422, "code": "error.glyphs_missing", "detail": "无法打印的字符", "field": "findings"}
    first(page, signatures).fulfill(status=422, json=problem)
    note = page.locator(".side-notes [role=alert]")
    expect(note).to_contain_text(B)
    expect(note).to_contain_text("无法打印的字符")
    expect(page.locator(".grid")).to_be_visible()
    page.keyboard.press("Alt+g")
    expect(page.locator(".identity h1")).to_have_text(B)
    expect(page.locator("#report-findings")).to_have_value("二")
    expect(note).to_have_count(0)
    assert {path for _, path, _ in stub.state.requests if "/cases//" in path} == set()


def test_a_signature_waits_for_the_verdicts_of_its_case_and_claims_no_other(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.cases["case-1"]["analyses"][0]["statements"] = [
        statement("ecg.lvh", "左心室肥厚", "Left ventricular hypertrophy"),
        statement("ecg.st_t", "ST-T 改变", "ST-T changes"),
    ]
    page = open_case(open_page, 1)
    expect(page.locator(".next-verdict")).to_have_count(1)
    verdicts = hold(page, "/verdicts$")
    page.keyboard.press("a")
    page.keyboard.press("z")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("j")
    expect(page.locator(".identity h1")).to_have_text(B)
    assert posted(stub, "sign") == []
    first(page, verdicts).continue_()
    # What is refused after the reader went on is told, and stops the signature that would have left it out.
    first(page, verdicts).fulfill(
        status=409, json={"status": 409, "code": "error.x", "detail": "已被他人认领"}
    )
    note = page.locator(".side-notes [role=alert]")
    expect(note).to_contain_text(A)
    expect(note).to_contain_text("尚未签名")
    assert posted(stub, "sign") == []
    page.unroute(re.compile("/verdicts$"))
    page.keyboard.press("Alt+g")
    expect(page.locator(".identity h1")).to_have_text(A)
    expect(page.locator(".next-verdict")).to_have_count(1)
    held = hold(page, "/verdicts$")
    page.keyboard.press("z")
    page.keyboard.press("Control+Enter")
    first(page, held).continue_()
    expect(page.locator(".undo-bar")).to_contain_text(A)
    said = [
        path.rsplit("/", 1)[1] for _, path, _ in stub.state.requests if re.search("/(verdicts|sign)$", path)
    ]
    assert said == ["verdicts", "verdicts", "sign"]
    assert set(posted(stub, "claim")) == {"case-1"}
