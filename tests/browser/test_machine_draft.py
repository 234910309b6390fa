"""The machine's draft beside an empty report, and what taking it does."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def statement(code: str, zh: str, en: str, level: str = "stated") -> dict[str, Any]:
    return {"code": code, "text": {"zh": zh, "en": en}, "level": level, "coding": []}


SINUS = statement("ecg.sinus_rhythm", "窦性心律", "Sinus rhythm")
NORMAL = statement("ecg.normal", "正常心电图", "Normal ECG")
RBBB = statement("ecg.rbbb", "完全性右束支传导阻滞", "Complete right bundle branch block")
LVH = statement("ecg.lvh", "左心室肥厚可能", "Left ventricular hypertrophy possible", "consider")


def answer(*statements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "model": {"name": "ecg-statements", "version": "1.0.0"},
        "sop_instance_uid": "2.25.900001",
        "in_domain": True,
        "reason": None,
        "findings": [],
        "measurements": {},
        "statements": list(statements),
        **changes,
    }


def opened(open_page: OpenPage, stub: Stub, *answers: dict[str, Any]) -> Page:
    stub.state.cases["case-1"]["analyses"] += answers
    page = open_page("/reading/cases/case-1?view=waiting")
    expect(page.locator(".identity h1")).to_be_visible()
    expect(page.locator(".ai .statements li").first).to_be_visible()
    return page


def test_the_draft_is_grey_text_until_one_key_takes_it(open_page: OpenPage, stub: Stub) -> None:
    # A network that counts the T waves as well: its rate is in no text, the measured one is in all.
    other = answer(SINUS, RBBB, LVH, measurements={"heart_rate_bpm": 152.0})
    page = opened(open_page, stub, other)
    draft = page.locator(".machine-draft")
    expect(draft).to_contain_text("完全性右束支传导阻滞")
    rate = page.locator(".measurements dd").first.inner_text()
    assert not rate.startswith("152")
    expect(draft).to_contain_text(f"心率 {rate}")
    expect(draft).to_contain_text("PR 间期 162 ms")
    expect(draft).to_contain_text("ecg-statements 1.0.0")
    expect(page.locator("#report-impression")).to_have_value("")
    page.keyboard.press("d")
    expect(page.locator("#report-impression")).to_have_value("窦性心律\n完全性右束支传导阻滞")
    expect(page.locator("#report-abnormal")).to_be_checked()
    expect(draft).to_have_count(0)
    # It is worth a look, and goes into no report by itself.
    expect(page.locator(".ai .statements .consider")).to_contain_text("左心室肥厚可能")
    page.locator(".report .message.warning").get_by_role("button").click()
    expect(page.locator("#report-impression")).to_have_value("")
    expect(draft).to_be_visible()


def test_a_normal_draft_is_not_marked_abnormal(open_page: OpenPage, stub: Stub) -> None:
    page = opened(open_page, stub, answer(SINUS, NORMAL))
    page.keyboard.press("d")
    expect(page.locator("#report-impression")).to_have_value("窦性心律\n正常心电图")
    expect(page.locator("#report-abnormal")).not_to_be_checked()


def test_the_normal_template_against_a_statement_is_pointed_out(open_page: OpenPage, stub: Stub) -> None:
    page = opened(open_page, stub, answer(SINUS, RBBB))
    page.keyboard.press("n")
    expect(page.locator(".report .message.warning")).to_contain_text("完全性右束支传导阻滞")


def test_two_recordings_or_only_doubts_give_no_draft(open_page: OpenPage, stub: Stub) -> None:
    page = opened(open_page, stub, answer(SINUS), answer(RBBB, sop_instance_uid="2.25.900002"))
    expect(page.locator(".machine-draft")).to_have_count(0)
    page.keyboard.press("d")
    expect(page.locator("#report-impression")).to_have_value("")


def test_a_text_that_is_written_has_no_rival(open_page: OpenPage, stub: Stub) -> None:
    page = opened(open_page, stub, answer(SINUS, RBBB))
    expect(page.locator(".machine-draft")).to_be_visible()
    page.locator("#report-impression").fill("d")
    expect(page.locator(".machine-draft")).to_have_count(0)
    expect(page.locator("#report-impression")).to_have_value("d")
