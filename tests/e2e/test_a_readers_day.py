"""A reader's day by keyboard alone: ten cases on the real processes, each the way such cases go.

A step waits for what it looks at, so a busy machine makes it slower and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from telemed.demo.consortium import add_resident
from telemed.demo.roles import Person, wait_for
from telemed.demo.sender import send
from tests.e2e.conftest import House, SignIn
from tests.e2e.pictures import picture
from tests.e2e.the_day import DayCase, order, resident, the_day

pytestmark = pytest.mark.browser

READ = ("done", "out_of_domain", "no_model")


@pytest.fixture
def day(house: House) -> Iterator[dict[str, DayCase]]:
    cases = the_day()
    add_resident(house.application.world, resident(cases["critical"]))
    house.person("technician").post("/api/v1/orders", order(cases["critical"]))
    settings = house.application.settings
    for case in cases.values():
        send(
            settings.dicom_host,
            settings.dicom_port,
            calling=case.calling,
            called=settings.ae_title,
            datasets=case.datasets,
        )
    reader = house.person("reporting")
    wait_for("ten cases read by the machine", lambda: len(_rows(reader, READ)) == len(cases) or None, 120)
    yield cases


def _rows(reader: Person, states: tuple[str, ...] = ()) -> dict[str, Any]:
    rows = [
        row
        for view in ("all", "done")
        for row in reader.get("/api/v1/worklist", view=view, limit="200")["rows"]
    ]
    return {
        row["accession_number"]: row
        for row in rows
        if row["accession_number"].startswith("DAY-") and (not states or row["ai"]["state"] in states)
    }


class Keyboard:
    """Hands that never leave the keys."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press, self.type = page.keyboard.press, page.keyboard.type

    def open(self, case: DayCase) -> None:
        """From the list, by the number on the request."""
        page = self.page
        expect(page.locator(".list-foot")).to_be_visible()
        self.press("Escape")
        self.press("/")
        self.type(case.accession)
        row = page.locator(".rows .row")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(case.name)
        self.press("Enter")
        # Out of the field, on the row that was found.
        expect(page.locator(".search input")).not_to_be_focused()
        self.press("Enter")
        expect(page.locator(".identity h1")).to_have_text(case.name)
        expect(page.locator(".report-actions")).not_to_be_empty()

    def reach(self, wanted: Locator) -> None:
        """As far as the Tab key has to go, from wherever it is."""
        expect(wanted).to_be_visible()
        for _ in range(150):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"the Tab key never came to {wanted}")

    def sign(self) -> None:
        with self.page.expect_response("**/sign") as answer:
            self.press("Control+Enter")
        assert answer.value.ok, answer.value.text()
        # Nothing else is open: back to the list.
        expect(self.page.locator(".list-foot")).to_be_visible()

    def judge(self, key: str) -> None:
        with self.page.expect_response("**/verdicts") as answer:
            self.press(key)
        assert answer.value.ok, answer.value.text()


def test_ten_cases_by_keyboard_alone(
    house: House, day: dict[str, DayCase], sign_in: SignIn, tmp_path: Any
) -> None:
    page = sign_in("reporting")
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    expect(page.locator(".line.live")).to_be_visible()
    picture(page, "list", tmp_path)
    keys = Keyboard(page)
    findings, impression = page.locator("#report-findings"), page.locator("#report-impression")

    # Normal: one key for the text, one to sign.
    keys.open(day["normal"])
    keys.press("n")
    keys.sign()

    # What the machine says: accepted, edited, rejected.
    keys.open(day["accepted"])
    keys.judge("a")
    keys.press("d")
    expect(impression).not_to_have_value("")
    keys.sign()
    keys.open(day["edited"])
    keys.press("d")
    keys.press("e")
    expect(findings).to_be_focused()
    keys.press("Control+End")
    keys.type("律齐。")
    keys.sign()
    keys.open(day["rejected"])
    keys.judge("z")
    keys.press("n")
    keys.sign()

    _critical(house, keys, day["critical"], sign_in, tmp_path)
    _film(keys, day["film"], tmp_path)
    _repeat(house, keys, day["repeat"])
    _taken_over(house, keys, day["taken over"], sign_in)

    # The line is lost while somebody writes, and comes back.
    keys.open(day["slices"])
    expect(page.locator(".image-corner")).to_contain_text("1 / 300")
    for seen in (11, 21, 31):
        keys.press("PageDown")
        expect(page.locator(".image-corner")).to_contain_text(f"{seen} / 300")
    keys.press("ArrowDown")
    expect(page.locator(".image-corner")).to_contain_text("32 / 300")
    page.context.set_offline(True)
    keys.press("e")
    keys.type("双肺野清晰。")
    expect(page.locator(".save-state.retrying")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".save-state.saved")).to_be_visible()
    keys.press("Tab")
    keys.type("未见明显异常")
    keys.sign()

    # The tab dies with words that no server has.
    keys.open(day["crashed"])
    keys.press("d")
    expect(page.locator(".save-state.saved")).to_be_visible()
    page.context.set_offline(True)
    keys.press("e")
    keys.press("Control+End")
    keys.type("崩溃前最后一句。")
    expect(page.locator(".save-state.retrying")).to_be_visible()
    again = page.context.new_page()
    page.close()
    page.context.set_offline(False)
    again.goto(f"{house.base}/reading")
    keys = Keyboard(again)
    keys.open(day["crashed"])
    keys.reach(again.locator(".report .message.warning button").first)
    keys.press("Enter")
    expect(again.locator("#report-findings")).to_have_value(_ends("崩溃前最后一句。"))
    keys.sign()

    states = {number: row["state"] for number, row in _rows(house.person("reporting")).items()}
    assert states.pop(day["repeat"].accession) == "repeat_requested"
    # Two people sign here.
    assert set(states.values()) == {"awaiting_review"}
    assert len(states) == len(day) - 1


def _ends(text: str) -> Any:
    return re.compile(f"{re.escape(text)}$")


def _critical(house: House, keys: Keyboard, case: DayCase, sign_in: SignIn, tmp_path: Any) -> None:
    """Raised, looked at by a second doctor, seen at the township, received and closed by the family doctor."""
    page = keys.page
    keys.open(case)
    expect(page.locator(".ecg[data-drawn]")).to_be_visible()
    picture(page, "reading", tmp_path)
    keys.press("k")
    expect(page.locator(".critical-panel select")).to_be_focused()
    wanted = page.locator(".critical-panel option", has_text="急性心肌梗死")
    while not wanted.evaluate("option => option.selected"):
        keys.press("ArrowDown")
    keys.press("Enter")
    card = page.locator(".critical-panel .critical-card")
    expect(card).to_contain_text("待第二位医师核对")
    expect(card.locator(".clock")).not_to_be_empty()
    picture(page, "critical-card", tmp_path)

    second = Keyboard(sign_in("reviewing"))
    second.press("1")
    expect(second.page.locator(".rows .row")).to_have_count(1)
    second.press("Enter")
    expect(second.page.locator(".identity h1")).to_have_text(case.name)
    mine = second.page.locator(".critical-panel .critical-card")
    expect(mine).to_contain_text("待第二位医师核对")
    second.press("Alt+j")
    second.press("Enter")
    expect(mine).to_contain_text("已通知")

    township = sign_in("technician", 1366, 768)
    expect(township.locator("#critical-values .clock")).not_to_be_empty()
    expect(township.locator("#critical-values")).to_contain_text(case.name)
    picture(township, "township", tmp_path)

    doctor = Keyboard(sign_in("family", 360, 740))
    red = doctor.page.locator("#critical-values .critical-card", has_text=case.name)
    expect(red.locator(".clock")).not_to_be_empty()
    picture(doctor.page, "inbox", tmp_path)
    doctor.reach(red.locator(".say input"))
    doctor.type("急性心肌梗死图形,马上联系患者")
    doctor.press("Enter")
    expect(red).to_contain_text("已接收")
    doctor.reach(red.get_by_role("button", name="已呼叫 120"))
    doctor.press("Enter")
    expect(red.locator(".actions-taken")).to_contain_text("已呼叫 120")
    doctor.reach(red.get_by_role("button", name="办结"))
    doctor.press("Enter")
    expect(red).to_have_count(0)

    keys.press("d")
    keys.sign()


def _film(keys: Keyboard, case: DayCase, tmp_path: Any) -> None:
    """The machine's attention over the film, off again, and its finding rejected."""
    page = keys.page
    keys.open(case)
    expect(page.locator(".picture-frame.full")).to_be_visible()
    keys.press("h")
    expect(page.locator("canvas.attention")).to_be_visible()
    picture(page, "film", tmp_path)
    keys.press("h")
    expect(page.locator("canvas.attention")).to_be_hidden()
    keys.judge("Alt+z")
    keys.press("n")
    keys.sign()


def _repeat(house: House, keys: Keyboard, case: DayCase) -> None:
    page = keys.page
    keys.open(case)
    keys.press("x")
    keys.type("体位不正")
    keys.reach(page.locator(".mark-picture"))
    for key in ("Space", "ArrowDown", "Shift+ArrowRight"):
        keys.press(key)
    expect(page.locator(".mark-box")).to_be_visible()
    keys.reach(page.get_by_role("button", name="要求重做", exact=True).first)
    with page.expect_response("**/repeat") as answer:
        keys.press("Enter")
    assert answer.value.ok, answer.value.text()
    expect(page.locator(".list-foot")).to_be_visible()
    exams = house.person("technician").get("/api/v1/exams")["exams"]
    (back,) = [exam for exam in exams if exam["accession_number"] == case.accession]
    mark = back["repeat_mark"]
    assert (back["state"], back["repeat_reason"]) == ("repeat", "体位不正")
    assert [round(mark[name], 2) for name in ("x", "y", "width", "height")] == [0.35, 0.37, 0.32, 0.3]


def _taken_over(house: House, keys: Keyboard, case: DayCase, sign_in: SignIn) -> None:
    """A colleague began and left; what was written goes on, and the colleague is told."""
    colleague = Keyboard(sign_in("reviewing"))
    colleague.open(case)
    colleague.press("d")
    expect(colleague.page.locator(".save-state.saved")).to_be_visible()
    page = keys.page
    keys.open(case)
    expect(page.locator("#report-impression")).not_to_have_value("")
    keys.press("Alt+c")
    keys.type("交班")
    keys.press("Enter")
    expect(page.locator(".identity .holder.mine")).to_be_visible()
    expect(colleague.page.locator("#told")).to_contain_text("接手")
    expect(colleague.page.locator("#report-findings")).to_have_attribute("readonly", "")
    keys.sign()
