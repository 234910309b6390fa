"""The correction page on a real server: both sides, the right person by keyboard, on a phone; and who is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from telemed.group import free_ports
from telemed.web.app import create_app
from tests.browser.axe import violations
from tests.browser.rendering import MANIFEST
from tests.cast import CONTRACTED, PASSWORD, UNCONTRACTED, Cast
from tests.factories.dicom import dr_bytes, uid
from tests.integration.web.conftest import Joined, Program, Way
from tests.integration.web.test_reassign import RIGHT
from tests.integration.web.test_resident_links import RIGHT_CARD

pytestmark = pytest.mark.browser
FILM: dict[str, Any] = {
    "patient_id": "FIC-P1",
    "patient_name": "测试甲",
    "study_uid": str(uid("a film of the page")),
    "StudyDescription": "胸部正位",
}


@dataclass
class House:
    cast: Cast
    way: Way
    base: str
    chromium: Browser
    pages: list[Page]
    faults: list[str]

    def open(self, username: str, path: str, width: int = 1280, height: int = 900) -> Page:
        context = self.chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(f"{self.base}/sign-in")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(self.base + path)
        self.pages.append(page)
        return page


@pytest.fixture
def house(cast: Cast, chromium: Browser) -> Iterator[House]:
    if not MANIFEST.exists():
        pytest.fail("the pages' scripts are not built: run `make install`", pytrace=False)
    cast.clock.instant = datetime.now(UTC).replace(microsecond=0)
    app = create_app(Joined(cast.world, replace(cast.settings, public_url="")))
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    programs: dict[str, Program] = {}

    def program(username: str) -> Program:
        return programs.setdefault(username, Program(app, username))

    opened = House(cast, Way(cast, program), f"http://127.0.0.1:{port}", chromium, [], [])
    yield opened
    for page in opened.pages:
        page.context.close()
    for one in programs.values():
        one.http.close()
    server.should_exit = True
    thread.join(20)
    assert opened.faults == []


def no_wider_than(page: Page, width: int) -> bool:
    return int(page.evaluate("document.documentElement.scrollWidth")) <= width


def test_a_held_back_film_is_compared_and_given_to_its_person(house: House) -> None:
    way = house.way
    way.order(**RIGHT)
    way.order(modality="DX", accession_number="FIC-0007")
    way.send(dr_bytes(seed=1, **FILM))
    way.send(dr_bytes(seed=2, PatientSex="M", **FILM | {"patient_id": "FIC-P2", "patient_name": "虚构乙"}))
    house.cast.clock.move(minutes=2)
    house.cast.run_jobs()
    page = house.open("technician", "/township")
    page.get_by_role("link", name="去处理").click()
    card = page.locator(".correction")
    expect(card).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator(".keys-panel")).to_contain_text("下一个问题")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".keys-panel")).to_have_count(0)
    page.keyboard.press("j")
    expect(card).to_be_focused()
    # The difference stands in words beside what differs.
    row = card.locator("tr.differs", has_text="姓名")
    expect(row.locator("td")).to_have_text(["测试甲", "虚构乙"])
    expect(row.locator("th")).to_contain_text("不符")
    confirm = card.locator("button[type=submit]")
    expect(confirm).to_be_disabled()
    card.get_by_text("属于另一位患者").click()
    card.locator("input[type=search]").fill("xgy")
    card.locator(".person", has_text="FIC-P2").click()
    # An ECG's order is not taken for a film without being asked for.
    expect(card.locator("select")).to_have_value("")
    card.get_by_label("理由").fill("上一位患者未退出")
    confirm.click()
    expect(page.locator("#correction-notes")).to_contain_text("已更正到 虚构乙（FIC-P2）名下")
    expect(card).to_have_count(0)
    expect(page.locator("#correction-empty")).to_be_visible()


def test_a_signed_ecg_is_corrected_by_keyboard_on_a_phone_and_everyone_is_told(house: House) -> None:
    way = house.way
    way.release()
    way.order(**RIGHT)
    phone = house.open("technician", f"/corrections?study={way.study_uid}", 360, 740)
    expect(phone.locator(".message.warning")).to_contain_text("已有签名的报告")
    expect(phone.locator("#correct-study input[type=search]")).to_be_focused()
    assert no_wider_than(phone, 360)
    phone.keyboard.type("虚构")
    phone.keyboard.press("Enter")
    expect(phone.locator(".person")).to_have_count(1)
    phone.keyboard.press("Tab")
    phone.keyboard.press("Space")
    expect(phone.locator("select:visible")).to_have_value("FIC-0002")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Tab")
    phone.keyboard.type("选错了工作列表项")
    phone.keyboard.press("Enter")
    expect(phone.locator("#correction-notes")).to_contain_text("已撤回 1 份已签名报告")
    assert no_wider_than(phone, 360)

    family = house.open("family", "/inbox", 360, 740)
    told = family.locator("#told .message")
    expect(told).to_contain_text("测试甲 · FIC-P1")
    expect(told).to_contain_text("请勿使用")
    expect(family.locator(".delivery")).to_have_count(0)
    assert no_wider_than(family, 360)
    told.get_by_role("button").click()
    expect(told).to_have_count(0)
    family.reload()
    expect(family.locator("#told .message")).to_have_count(0)

    reader = house.open("reporting", f"/reading/cases/{way.case_id}?view=done", 1600)
    expect(reader.locator(".context .message.problem")).to_contain_text("选错了工作列表项")
    expect(reader.locator(".stage-place")).to_contain_text("不再显示")
    reader.goto(f"{house.base}/reading")
    reader.locator(".rows .row", has_text="虚构乙").dblclick()
    expect(reader.locator(".context .message.warning")).to_contain_text("请重新诊断")


def test_a_wrong_card_number_is_undone_from_the_order_that_is_refused_on_a_phone(house: House) -> None:
    house.way.release()
    page = house.open("technician", "/township", 360, 740)
    page.keyboard.press("o")
    for name, value in (
        ("patient_id", "FIC-P1"),
        ("name", "测试甲"),
        ("birth_date", "1960-02-29"),
        ("id_card_number", RIGHT_CARD),
        ("description", "十二导联心电图"),
    ):
        page.locator(f"#order-form [name={name}]").fill(value)
    page.locator("#order-form [name=sex]").select_option("F")
    page.locator("#order-form [name=modality]").select_option("ECG")
    page.locator("#order-form button[type=submit]").click()
    refused = page.locator("#order-notes .message.problem")
    expect(refused).to_contain_text(f"身份证尾号 {CONTRACTED[-4:]}")
    with page.context.expect_page() as opened:
        refused.get_by_role("link", name="更正居民关联").click()
    phone = opened.value
    house.pages.append(phone)
    phone.set_default_timeout(15_000)
    card = phone.locator("#standing .correction")
    # Whom it stands under, and what has followed.
    expect(card.locator(".sides tr", has_text="身份证后四位")).to_contain_text(f"···{CONTRACTED[-4:]}")
    expect(card).to_contain_text("虚构家医")
    expect(card.locator(".message.warning")).to_contain_text("报告 1 份")
    assert no_wider_than(phone, 360)
    assert violations(phone) == []
    expect(card.locator("input[value=link]")).to_be_focused()
    phone.keyboard.press("Space")
    phone.keyboard.press("Tab")
    # Somebody else's card is told apart before anything is sent.
    phone.keyboard.type(UNCONTRACTED)
    phone.keyboard.press("Enter")
    expect(card.locator(".message.problem")).to_contain_text("证件与患者的出生日期、性别不符")
    phone.keyboard.press("Control+a")
    phone.keyboard.type(RIGHT_CARD)
    phone.keyboard.press("Enter")
    expect(card.locator(".message.good")).to_contain_text(f"尾号 {RIGHT_CARD[-4:]}")
    assert no_wider_than(phone, 360)
    phone.keyboard.press("Tab")
    phone.keyboard.press("Tab")
    phone.keyboard.type("录入时抄错了证件")
    phone.keyboard.press("Control+Enter")
    notes = phone.locator("#correction-notes")
    expect(notes).to_contain_text(f"现关联到 测试甲（身份证尾号 {RIGHT_CARD[-4:]}）")
    expect(notes).to_contain_text("收回 1 份报告，通知 1 人")
    # Found again by the key, without an order or an exam.
    phone.keyboard.press("r")
    expect(phone.locator("#residents input[type=search]")).to_be_focused()
    phone.keyboard.type("csj")
    phone.locator("#residents .person", has_text="FIC-P1").click()
    expect(card).to_contain_text("没有签约家庭医生")

    family = house.open("family", "/inbox", 360, 740)
    expect(family.locator("#told .message.problem")).to_contain_text("不是您的签约居民")
    expect(family.locator(".delivery")).to_have_count(0)
