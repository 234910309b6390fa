"""A marked place on its way to the technician, a case taken over, the list of one site; against the stand-in."""

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.opening import open_case, open_list
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def test_a_box_is_drawn_over_the_picture_and_sent_as_shares_of_it(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 2)
    page.keyboard.press("x")
    page.locator(".ask .choices button").first.click()
    picture = page.locator(".mark-picture img")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    picture.evaluate("image => image.decode()")
    area = picture.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.75, steps=3)
    page.mouse.up()
    expect(page.locator(".mark-box")).to_be_visible()
    page.locator(".ask input[name=answer]").press("Enter")
    expect(page.locator(".identity h1")).not_to_have_text("示例乙")
    (sent,) = stub.state.sent("POST", "/case-2/repeat$")
    assert sent["code"] == "image.position"
    found = [sent["mark"][name] for name in ("x", "y", "width", "height")]
    assert found == pytest.approx([0.25, 0.5, 0.5, 0.25], abs=0.02)


def test_a_box_without_a_mouse_and_a_stretch_of_a_recording(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 2)
    page.keyboard.press("x")
    page.keyboard.type("体位不正")
    frame = page.locator(".mark-picture")
    frame.focus()
    for key in ("Space", "ArrowDown", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    page.locator(".ask input[name=answer]").press("Enter")
    expect(page.locator(".identity h1")).not_to_have_text("示例乙")
    (sent,) = stub.state.sent("POST", "/case-2/repeat$")
    found = [sent["mark"][name] for name in ("x", "y", "width", "height")]
    assert found == pytest.approx([0.35, 0.37, 0.28, 0.3])
    page.goto(f"{stub.url}/reading/cases/case-1?view=waiting")
    expect(page.locator(".report-actions")).to_contain_text("要求重做")
    page.keyboard.press("x")
    page.keyboard.type("干扰")
    page.locator(".mark-leads input[name=from]").fill("2.4")
    page.locator(".mark-leads input[name=to]").fill("3.6")
    page.locator(".ask input[name=answer]").press("Enter")
    expect(page.locator(".identity h1")).not_to_have_text("示例·阿依古丽")
    (sent,) = stub.state.sent("POST", "/case-1/repeat$")
    assert (sent["mark"]["leads"], sent["mark"]["from_ms"], sent["mark"]["to_ms"]) == ([], 2400, 3600)


def test_the_technician_sees_the_place_and_the_leads(
    open_page: OpenPage, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"x": 0, "y": 0, "width": 0, "height": 0}
    sop = {"sop_instance_uid": "2.25.1"}
    box = {"x": 0.25, "y": 0.5, "width": 0.5, "height": 0.25}
    film = samples.exam(
        1,
        "repeat",
        repeat=samples.repeat(),
        repeat_reason="体位不正",
        repeat_mark={**sop, **box, "leads": [], "picture_url": "/rendered/1.jpg"},
    )
    ecg = samples.exam(
        2,
        "repeat",
        repeat=samples.repeat(answer_at=samples.iso(-5)),
        repeat_reason="导联脱落",
        repeat_mark={**sop, **nowhere, "leads": ["V3"], "from_ms": 2400, "to_ms": 3600, "picture_url": None},
    )
    monkeypatch.setattr(samples, "EXAMS", [film, ecg])
    page = open_page("/township")
    expect(page.locator(".mark-picture img")).to_have_attribute("src", "/rendered/1.jpg")
    shares = page.locator(".mark-box").evaluate("box => [box.style.left, box.style.top, box.style.width]")
    assert shares == ["25%", "50%", "50%"]
    expect(page.locator("#exam-rows")).to_contain_text("导联：V3 · 2.4–3.6 秒")
    # Two wait: said aloud and in the title, until each is done or somebody says why not.
    expect(page.locator("#repeat-line")).to_contain_text("2 项检查被退回")
    assert page.title().startswith("(2) · ")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator(".close-repeat details input").first).to_be_focused()
    page.keyboard.type("患者已转院")
    page.keyboard.press("Enter")
    expect(page.locator("#exam-rows tr").first).to_contain_text("不再重做：患者已转院")
    expect(page.locator("#repeat-line")).to_contain_text("1 项检查被退回")
    page.keyboard.press("x")
    expect(page.locator(".close-repeat .primary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#exam-rows tr").nth(1)).to_contain_text("已收到新的检查")
    expect(page.locator("#repeat-line")).to_have_text("")
    assert not page.title().startswith("(")
    assert [one["reason"] for one in stub.state.sent("POST", "/repeat/close$")] == ["患者已转院", ""]


def test_a_held_case_is_asked_for_and_taken_over(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 3)
    with page.expect_response("**/case-3/ask"):
        page.get_by_role("button", name="请求接手").click()
    expect(page.locator(".report .message.good")).to_contain_text("示例·李医师")
    page.keyboard.press("Alt+c")
    page.keyboard.type("交班")
    page.keyboard.press("Enter")
    expect(page.locator(".identity .holder.mine")).to_be_visible()
    assert stub.state.sent("POST", "/case-3/take$") == [{"reason": "交班"}]
    # Taken out of these hands in turn: told by name on this very page, at once.
    stub.state.notices = [
        {
            "id": "n9",
            "code": "notice.case_taken_over",
            "text": "已被接手",
            "created_at": samples.iso(0),
            "about": None,
        }
    ]
    case = stub.state.cases["case-3"]
    case.update(holder={"name": "示例·李医师", "mine": False})
    case["can"].update(write=False, sign=False, take=True)
    stub.state.push([stub.state.row(case)])
    expect(page.locator("#told")).to_contain_text("已被接手")
    expect(page.locator("#report-findings")).to_have_attribute("readonly", "")


def test_an_answer_that_was_overtaken_on_a_bad_line_does_not_stay(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    expect(page.locator("#report-findings")).to_be_editable()
    case = stub.state.cases["case-1"]
    late: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if late:
            route.continue_()
        else:
            late.append((route, route.fetch()))

    page.route("**/api/v1/cases/case-1", hold)
    case.update(ai_reason="first")
    with page.expect_request("**/api/v1/cases/case-1"):
        stub.state.push([stub.state.row(case)])
    page.wait_for_timeout(200)
    case["can"].update(write=False, claim=False, sign=False)
    case.update(holder={"name": "示例·李医师", "mine": False})
    stub.state.push([stub.state.row(case)])
    page.wait_for_timeout(300)
    [(route, answer)] = late
    route.fulfill(response=answer)
    expect(page.locator("#report-findings")).not_to_be_editable()
    page.wait_for_timeout(300)
    assert page.locator("#report-findings").get_attribute("readonly") == ""


def test_the_list_of_one_site_is_in_the_address(open_page: OpenPage, stub: Stub) -> None:
    stub.state.cases["case-2"]["site_id"] = "site-hw"
    page = open_list(open_page)
    page.select_option(".site-filter", "site-hw")
    expect(page.locator(".rows .row")).to_have_count(1)
    assert "site=site-hw" in page.url
    page.reload()
    expect(page.locator(".site-filter")).to_have_value("site-hw")
    expect(page.locator(".rows .row")).to_have_count(1)
