"""A critical value from the key in the case to its closing on the township page and in the inbox."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import critical_values, samples
from tests.browser.conftest import OpenPage
from tests.browser.opening import open_case
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def opened_case(open_page: OpenPage, stub: Stub) -> Page:
    page = open_page("/reading/cases/case-1?view=waiting")
    # The list of findings has come: only then does the key have something to show.
    expect(page.locator(".critical-panel .message.warning")).to_contain_text("急性心肌梗死图形")
    return page


def told(stub: Stub) -> None:
    one = critical_values.value(stub.state.cases["case-1"])
    critical_values.move(one, "confirm", {})
    stub.state.critical.append(one)


def test_one_key_raises_with_what_the_machine_proposes_first(open_page: OpenPage, stub: Stub) -> None:
    page = opened_case(open_page, stub)
    assert stub.state.sent("POST", "/critical$") == []
    # By hand as by key: the proposal itself, and the report's own button.
    choice = page.locator(".critical-panel select")
    page.locator(".critical-panel .message").get_by_role("button", name="上报危急值").click()
    expect(choice).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(choice).to_be_focused()
    expect(choice.locator("option").first).to_contain_text("急性心肌梗死图形")
    page.keyboard.press("Enter")
    card = page.locator(".critical-panel .critical-card")
    expect(card).to_contain_text("待第二位医师核对")
    expect(card.locator(".clock")).not_to_be_empty()
    assert stub.state.sent("POST", "/critical$") == [{"code": "ecg.ami", "note": ""}]
    card.get_by_role("button", name="核对无误").click()
    expect(page.locator(".critical-panel .critical-card")).to_contain_text("已通知")


def test_escape_leaves_the_question_and_raises_nothing(
    open_page: OpenPage, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened_case(open_page, stub)
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    expect(page.locator(".critical-panel select")).to_have_count(0)
    expect(page.locator(".case-page")).to_be_visible()
    # Where the machine proposes nothing, Enter raises nothing before somebody has chosen.
    monkeypatch.setitem(critical_values.RULES[1], "proposed", False)
    with page.expect_response("**/critical"):
        page.reload()
    expect(page.locator(".report-actions .primary")).to_be_visible()
    expect(page.locator(".critical-panel .message")).to_have_count(0)
    page.keyboard.press("k")
    expect(page.locator(".critical-panel select")).to_have_value("")
    page.keyboard.press("Enter")
    expect(page.locator(".critical-panel select:invalid")).to_be_visible()
    assert stub.state.sent("POST", "/critical$") == []


@pytest.mark.parametrize(("path", "width"), [("/township", 1280), ("/inbox", 360)])
def test_the_red_card_is_received_acted_upon_and_closed(
    open_page: OpenPage, stub: Stub, path: str, width: int
) -> None:
    told(stub)
    page = open_page(path, width=width)
    card = page.locator("#critical-values .critical-card")
    expect(card).to_contain_text("急性心肌梗死图形")
    expect(card.locator(".clock")).not_to_be_empty()
    expect(page).to_have_title(re.compile("^▲ 1 · "))
    # Never wider than the telephone it is read on.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # Without the words that were read back nothing is sent.
    card.get_by_role("button", name="接收确认").click()
    assert stub.state.sent("POST", "/acknowledge$") == []
    words = card.locator(".say input")
    words.fill("急性心肌梗死,")
    # The ladder goes on while somebody writes: what is half written stays, and so does the cursor.
    stub.state.critical[0]["escalated"] = ["team"]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(card.locator(".escalated")).to_contain_text("家庭医生团队")
    expect(words).to_be_focused()
    words.press_sequentially("立即转诊")
    card.get_by_role("button", name="接收确认").click()
    expect(card).to_contain_text("已接收")
    expect(page).not_to_have_title(re.compile("▲"))
    expect(card.locator(".clock")).to_have_count(0)
    card.get_by_role("button", name="已呼叫 120").click()
    expect(card.locator(".actions-taken")).to_contain_text("已呼叫 120")
    # A second call is a second action; something else is done only in words.
    card.get_by_role("button", name="已呼叫 120").click()
    expect(card.locator(".actions-taken li")).to_have_count(2)
    card.get_by_role("button", name="其他处置").click()
    expect(card.locator(".say input")).to_be_focused()
    card.locator(".say input").fill("家属已到场")
    card.get_by_role("button", name="其他处置").click()
    expect(card.locator(".actions-taken li").last).to_contain_text("家属已到场")
    card.get_by_role("button", name="办结").click()
    expect(card).to_have_count(0)
    assert stub.state.sent("POST", "/acknowledge$") == [
        {"how": "screen", "read_back": "急性心肌梗死,立即转诊"}
    ]
    sent = stub.state.sent("POST", "/act$")
    assert [(one["kind"], one["note"]) for one in sent] == [
        ("called_120", ""),
        ("called_120", ""),
        ("other", "家属已到场"),
    ]
    assert len({one["id"] for one in sent}) == 3


def test_a_reader_in_a_case_is_told_of_an_emergency_and_of_a_second_look(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_case(open_page, 4)
    notes = page.locator(".side-notes [role]")
    # Of those that stood in the list already nothing new is said.
    stub.state.push([stub.state.row(stub.state.cases["case-2"])])
    new = samples.row(
        90,
        effective_priority="stat",
        raised_because="MI",
        patient=samples.patient("示例新", "M", 50, "9090"),
    )
    stub.state.cases[new["id"]] = samples.case(new)
    stub.state.push([stub.state.row(new)])
    expect(notes).to_have_count(1)
    expect(notes).to_contain_text("新到急诊：示例新")
    expect(notes).to_contain_text("心肌梗死")
    # Another took it: nothing to be done any more.
    stub.state.cases["case-90"].update(state="reading", holder={"name": "示例·钱医师", "mine": False})
    stub.state.push([stub.state.row(stub.state.cases["case-90"])])
    expect(notes).to_have_count(0)
    stub.state.critical.append(critical_values.value(stub.state.cases["case-1"]))
    stub.state.push([stub.state.row(stub.state.cases["case-1"])])
    expect(notes).to_have_count(1)
    alert = page.locator(".side-notes [role=alert]")
    expect(alert).to_contain_text("危急值待复核：示例·阿依古丽")
    page.keyboard.press("e")
    page.keyboard.press("Alt+g")
    expect(page.locator(".identity h1")).to_have_text("示例·阿依古丽")
    expect(page.locator(".critical-card")).to_be_visible()
    expect(notes).to_have_count(0)
