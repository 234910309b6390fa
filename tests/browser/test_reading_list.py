"""The readers' list by keyboard, against the stand-in server: its order, its views, its search, its live line."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.opening import open_list
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

SELECTED = ".rows .row[aria-selected=true] .c-patient a"


def test_the_list_keeps_the_servers_order_and_says_what_is_next(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    names = page.locator(".rows .row .c-patient a").all_inner_texts()
    assert names == [row["patient"]["name"] for row in stub.state.rows("waiting")]
    first = page.locator(".rows .row").first
    for part in ("急诊", "超时", "301X", "心肌梗死", "青石镇卫生院", "胸痛"):
        expect(first).to_contain_text(part)


def test_the_list_moves_by_itself_and_keeps_the_selection(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.keyboard.press("j")
    chosen = page.locator(SELECTED).inner_text()
    new = samples.row(
        90,
        effective_priority="stat",
        deadline=samples.iso(-30),
        patient=samples.patient("示例新", "M", 50, "9090"),
    )
    stub.state.cases[new["id"]] = samples.case(new)
    stub.state.push([stub.state.row(new)])
    expect(page.locator(".rows .row .c-patient a").first).to_have_text("示例新")
    assert page.locator(SELECTED).inner_text() == chosen


def test_another_readers_claim_shows_at_once(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    case = stub.state.cases["case-4"]
    case.update(state="reading", holder={"name": "示例·钱医师", "mine": False})
    stub.state.push([stub.state.row(case)])
    expect(page.locator('.row[data-key="case-4"] .holder')).to_contain_text("示例·钱医师")


def test_after_a_lost_line_the_list_is_fetched_again(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    before = len(stub.state.sent("GET", r"^/api/v1/worklist\?"))
    stub.state.cases.pop("case-1")
    stub.state.cut_lines()
    expect(page.locator('.row[data-key="case-1"]')).to_have_count(0)
    expect(page.locator(".line.live")).to_be_visible()
    assert len(stub.state.sent("GET", r"^/api/v1/worklist\?")) > before


def test_keys_select_open_and_go_back(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    name = page.locator(SELECTED).inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".identity h1")).to_have_text(name)
    assert re.search(r"/reading/cases/case-2\?view=waiting$", page.url)
    page.keyboard.press("Escape")
    expect(page.locator(".grid")).to_be_visible()
    assert page.locator(SELECTED).inner_text() == name
    page.go_back()
    expect(page.locator(".identity h1")).to_have_text(name)


def test_the_view_is_in_the_address(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.click(".views a[href*='view=review']")
    expect(page.locator(".list-foot")).to_contain_text("没有待审核的报告")
    assert page.url.endswith("/reading?view=review")
    page.go_back()
    expect(page.locator(".rows .row")).to_have_count(len(samples.ROWS))


def many(stub: Stub, count: int) -> None:
    for number in range(100, 100 + count):
        new = samples.row(
            number,
            patient=samples.patient(f"虚构{number}", "F", 40, "0000"),
            deadline=samples.iso(1000 + number),
        )
        stub.state.cases[new["id"]] = samples.case(new)


def test_the_search_asks_the_server_and_back_leads_to_the_list(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.keyboard.press("/")
    page.keyboard.type("7712")
    expect(page.locator(".rows .row")).to_have_count(1)
    assert stub.state.sent("POST", "^/api/v1/worklist/search$")[-1]["text"] == "7712"
    # A name must not reach the log of any server: it stands behind the #, and in the body of the question.
    assert page.url.endswith("/reading?view=waiting#q=7712")
    page.keyboard.press("Enter")
    expect(page.locator(SELECTED)).to_have_text("示例乙")
    page.keyboard.press("Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    page.go_back()
    expect(page.locator(".rows .row")).to_have_count(1)
    page.go_back()
    expect(page.locator(".rows .row")).to_have_count(len(samples.ROWS))
    expect(page.locator(".filter")).to_have_value("")
    page.go_forward()
    expect(page.locator(".rows .row")).to_have_count(1)
    expect(page.locator(".filter")).to_have_value("7712")


def test_a_search_in_the_address_is_there_after_a_reload_and_escape_clears_it(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_page("/reading?view=waiting#q=示例·阿依古丽")
    expect(page.locator(".rows .row")).to_have_count(1)
    expect(page.locator(".filter")).to_have_value("示例·阿依古丽")
    page.reload()
    expect(page.locator(".rows .row")).to_have_count(1)
    expect(page.locator(".views a[href*='view=critical']")).to_have_text("危急1")
    page.keyboard.press("Escape")
    expect(page.locator(".rows .row")).to_have_count(len(samples.ROWS))


def test_the_kind_of_exam_is_in_the_address_and_cuts_the_live_list_too(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_list(open_page)
    page.select_option(".modality-filter", "DX")
    expect(page.locator(".rows .row")).to_have_count(1)
    assert "modality=DX" in page.url
    ecg, film = (
        samples.row(90),
        samples.row(91, modality="DX", patient=samples.patient("示例新", "M", 50, "9090")),
    )
    for new in (ecg, film):
        stub.state.cases[new["id"]] = samples.case(new)
    stub.state.push([stub.state.row(ecg), stub.state.row(film)])
    expect(page.locator(".rows .row")).to_have_count(2)
    page.go_back()
    expect(page.locator(".rows .row")).to_have_count(len(samples.ROWS) + 2)


def test_a_row_goes_to_its_place_without_asking_for_the_list_again(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    asked = len(stub.state.sent("GET", r"^/api/v1/worklist\?"))
    for number, priority in ((90, "urgent"), (91, "stat"), (92, "routine")):
        new = samples.row(number, effective_priority=priority, deadline=samples.iso(number))
        stub.state.cases[new["id"]] = samples.case(new)
        stub.state.push([stub.state.row(new)])
    stub.state.cases["case-2"]["state"] = "final"
    stub.state.push([stub.state.row(stub.state.cases["case-2"])])
    expect(page.locator('.row[data-key="case-92"]')).to_have_count(1)
    expect(page.locator('.row[data-key="case-2"]')).to_have_count(0)
    expected = [row["id"] for row in stub.state.rows("waiting")]
    shown = page.locator(".rows .row").evaluate_all("rows => rows.map(row => row.dataset.key)")
    assert shown == expected
    assert len(stub.state.sent("GET", r"^/api/v1/worklist\?")) == asked


def test_a_long_list_draws_what_the_screen_holds_and_loads_as_it_is_scrolled(
    open_page: OpenPage, stub: Stub
) -> None:
    many(stub, 300)
    page = open_page("/reading?view=waiting")
    expect(page.locator(".rows .row").first).to_be_visible()
    for _ in range(40):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(30)
        if page.locator('.row[data-key="case-399"]').count():
            break
    expect(page.locator('.row[data-key="case-399"]')).to_be_visible()
    assert page.locator(".rows .row").count() < 80
    expect(page.locator(".rows .row[aria-selected=true]")).to_be_focused()
    # A case that leaves above does not move what is being looked at out of the selection.
    chosen = page.locator(SELECTED).inner_text()
    stub.state.cases["case-1"]["state"] = "final"
    stub.state.push([stub.state.row(stub.state.cases["case-1"])])
    assert page.locator(SELECTED).inner_text() == chosen


def test_a_phone_draws_and_loads_no_more_than_it_shows(open_page: OpenPage, stub: Stub) -> None:
    many(stub, 300)
    page = open_page("/reading?view=waiting", width=360, height=800)
    expect(page.locator(".rows .row").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.locator(".rows .row").count() < 40
    assert len(stub.state.sent("GET", r"^/api/v1/worklist\?")) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    first = page.locator(".rows .row").first
    for part in ("急诊", "超时", "301X", "67 岁", "危急值", "胸痛", "青石镇卫生院", "3 次"):
        expect(first).to_contain_text(part)


def test_what_moved_while_an_answer_was_on_its_way_is_not_undone_by_it(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_list(open_page)
    held: list[Route] = []
    page.route(re.compile(r"/worklist\?"), lambda route: held.append(route))
    stub.state.cut_lines()
    while not held:
        page.wait_for_timeout(20)
    stub.state.cases["case-2"]["history"] = "随回答而来"
    answer = held[0].fetch()
    new = samples.row(90)
    stub.state.cases[new["id"]] = samples.case(new)
    stub.state.push([stub.state.row(new)])
    expect(page.locator('.row[data-key="case-90"]')).to_have_count(1)
    held[0].fulfill(response=answer)
    expect(page.locator('.row[data-key="case-2"]')).to_contain_text("随回答而来")
    expect(page.locator('.row[data-key="case-90"]')).to_have_count(1)


def test_the_rest_of_a_list_that_does_not_come_is_not_asked_for_without_end(
    open_page: OpenPage, stub: Stub
) -> None:
    many(stub, 100)
    page = open_page("/inbox")
    asked: list[Route] = []

    def refuse(route: Route) -> None:
        asked.append(route)
        route.abort()

    page.route(re.compile(r"/worklist\?.*cursor="), refuse)
    page.goto(f"{stub.url}/reading?view=waiting")
    expect(page.locator(".list-page .message.problem")).to_be_visible()
    page.wait_for_timeout(300)
    page.keyboard.press("j")
    # One, and one more where this machine is slow; a loop would have asked hundreds of times by now.
    assert len(asked) < 10
    page.unroute(re.compile(r"/worklist\?.*cursor="))
    expect(page.locator(".list-page .message.problem")).to_have_count(0)


def test_a_line_that_knows_what_was_missed_tells_it_and_nothing_is_fetched(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.resumed = True
    page = open_list(open_page)
    asked = len(stub.state.sent("GET", r"^/api/v1/worklist\?"))
    stub.state.cases["case-1"]["state"] = "final"
    stub.state.missed = [stub.state.row(stub.state.cases["case-1"])]
    stub.state.cut_lines()
    expect(page.locator('.row[data-key="case-1"]')).to_have_count(0)
    expect(page.locator(".line.live")).to_be_visible()
    assert len(stub.state.sent("GET", r"^/api/v1/worklist\?")) == asked


def test_why_a_case_stands_where_it_does_is_in_its_row(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    first = page.locator(".rows .row").first
    for part in ("危急值", "心肌梗死", "3 次"):
        expect(first).to_contain_text(part)
    expect(page.locator('.row[data-key="case-4"]')).to_contain_text("审核退回")
    expect(page.locator(".views a[href*='view=critical']")).to_have_text("危急1")
    page.keyboard.press("1")
    expect(page.locator(".rows .row")).to_have_count(1)
    assert page.url.endswith("view=critical")


def test_a_count_beyond_the_limit_says_so(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    stub.state.push([], counts={"waiting": 1000})
    expect(page.locator(".views a[href*='view=waiting']")).to_have_text("待报告999+")
