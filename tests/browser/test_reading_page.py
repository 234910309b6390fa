"""An open case by keyboard, against the stand-in server: read, written, signed, and the next one."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.opening import open_case, open_list
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def test_the_palette_does_what_it_lists(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.keyboard.press("Control+k")
    expect(page.locator(".palette input")).to_be_focused()
    page.keyboard.type("待审")
    page.keyboard.press("Enter")
    expect(page.locator(".palette")).to_have_count(0)
    expect(page.locator(".list-foot")).to_contain_text("没有待审核的报告")
    page.keyboard.press("Control+k")
    page.keyboard.type("示例乙")
    page.keyboard.press("Enter")
    expect(page.locator(".rows .row")).to_have_count(1)
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator(".palette")).to_have_count(0)


def test_question_mark_shows_the_keys_beside_the_work(open_page: OpenPage, stub: Stub) -> None:
    page = open_list(open_page)
    page.keyboard.press("?")
    expect(page.locator(".keys-panel kbd").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".keys-panel")).to_have_count(0)


def test_whatever_a_button_of_a_case_does_a_key_does_too(open_page: OpenPage, stub: Stub) -> None:
    stub.state.cases["case-3"]["can"].update(amend=True)
    page = open_case(open_page, 3)
    buttons = page.locator(".report-actions button, .identity .actions button")
    expect(buttons.filter(has_text="请求接手")).to_be_visible()
    assert (
        buttons.evaluate_all("all => all.filter(one => !one.querySelector('kbd')).map(one => one.innerText)")
        == []
    )
    page.keyboard.press("?")
    shown = set(page.locator(".keys-panel dt kbd").all_inner_texts())
    for key in buttons.locator("kbd").all_inner_texts():
        assert key in shown, key
    page.keyboard.press("Escape")
    with page.expect_response("**/case-3/ask"):
        page.keyboard.press("Alt+l")
    page.keyboard.press("Alt+r")
    expect(page.locator(".ask input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    for name in ("English", "退出"):
        page.locator(".palette input").fill(name)
        expect(page.locator(".palette li").first).to_contain_text(name)
    page.keyboard.press("Escape")
    page.goto(f"{stub.url}/reading/cases/case-1?view=waiting")
    mark = page.locator("#report-abnormal")
    expect(mark).to_be_enabled()
    expect(mark).to_be_checked()
    page.keyboard.press("Alt+b")
    expect(mark).not_to_be_checked()


def test_a_normal_ecg_is_signed_in_three_keys_and_the_next_case_comes(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_list(open_page)
    first, second = stub.state.rows("waiting")[:2]
    page.keyboard.press("Enter")
    expect(page.locator(".report-actions .primary")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text(second["patient"]["name"])
    report = stub.state.cases[first["id"]]["report"]
    assert report["state"] == "awaiting_review"
    assert "72" in report["findings"]
    assert report["abnormal"] is False
    # The signature brings the very words that were shown; nothing had to be saved before it.
    (sent,) = stub.state.sent("POST", "/case-1/sign$")
    assert sent["words"] == {name: report[name] for name in sent["words"]}
    assert len(sent["words"]) == 5


def test_the_normal_template_against_the_machine_is_pointed_out(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("n")
    note = page.locator(".report .message.warning")
    expect(note).to_contain_text("心肌梗死")
    note.get_by_role("button").click()
    expect(page.locator("#report-findings")).to_have_value("")


def test_a_lost_line_is_told_on_the_case_page_too(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.route("**/worklist/stream*", lambda route: route.abort())
    stub.state.cut_lines()
    expect(page.locator(".right .line.lost")).to_be_visible()


def test_writing_takes_the_case_and_is_saved_by_itself(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("e")
    page.keyboard.type("ST 段抬高")
    expect(page.locator(".save-state.saved")).to_be_visible()
    assert stub.state.cases["case-1"]["report"]["findings"] == "ST 段抬高"
    assert stub.state.cases["case-1"]["holder"]["mine"] is True
    expect(page.locator(".identity .holder.mine")).to_be_visible()
    page.keyboard.type(",V1-V4")
    expect(page.locator("#report-findings")).to_have_value("ST 段抬高,V1-V4")
    expect(page.locator(".save-state.saved")).to_be_visible()
    assert stub.state.cases["case-1"]["report"]["revision"] == 2


def test_signing_asks_for_the_password_in_the_page_and_goes_on(open_page: OpenPage, stub: Stub) -> None:
    stub.state.must_reauthenticate = True
    page = open_case(open_page, 1)
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    field = page.locator(".ask input[type=password]")
    expect(field).to_be_focused()
    field.fill("a password of no one")
    page.keyboard.press("Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    assert stub.state.sent("POST", "reauthenticate$") == [{"password": "a password of no one"}]
    assert stub.state.cases["case-1"]["report"]["state"] == "awaiting_review"


def test_a_report_changed_elsewhere_is_never_overwritten_silently(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("e")
    page.keyboard.type("一")
    expect(page.locator(".save-state.saved")).to_be_visible()
    stub.state.cases["case-1"]["report"].update(findings="他人所写", revision=7)
    page.keyboard.type("二")
    expect(page.locator(".save-state.conflict")).to_be_visible()
    assert stub.state.cases["case-1"]["report"]["findings"] == "他人所写"
    page.locator(".report .message button").nth(1).click()  # keep mine
    expect(page.locator(".save-state.saved")).to_be_visible()
    assert stub.state.cases["case-1"]["report"]["findings"] == "一二"
    assert stub.state.cases["case-1"]["report"]["revision"] == 8


def test_after_a_conflict_the_servers_text_can_be_taken(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("e")
    page.keyboard.type("一")
    expect(page.locator(".save-state.saved")).to_be_visible()
    stub.state.cases["case-1"]["report"].update(findings="他人所写", revision=7)
    page.keyboard.type("二")
    expect(page.locator(".save-state.conflict")).to_be_visible()
    page.locator(".report .message button").nth(0).click()  # take theirs
    expect(page.locator("#report-findings")).to_have_value("他人所写")


def test_text_that_never_reached_the_server_is_offered_after_a_crash(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.route("**/draft", lambda route: route.abort())
    page.keyboard.press("e")
    page.keyboard.type("崩溃前写的字")
    expect(page.locator(".save-state.retrying")).to_be_visible()
    page.unroute("**/draft")
    again = page.context.new_page()
    page.close()
    again.goto(f"{stub.url}/reading/cases/case-1?view=waiting")
    again.locator(".report .message.warning button").first.click()
    expect(again.locator("#report-findings")).to_have_value("崩溃前写的字")
    expect(again.locator(".save-state.saved")).to_be_visible()
    assert stub.state.cases["case-1"]["report"]["findings"] == "崩溃前写的字"
    assert again.evaluate("Object.keys(localStorage).filter(k => k.startsWith('telemed.draft.'))") == []


def test_signing_out_leaves_no_draft_in_the_browser(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.route("**/draft", lambda route: route.abort())
    page.keyboard.press("e")
    page.keyboard.type("不应留下")
    expect(page.locator(".save-state.retrying")).to_be_visible()
    page.locator("form[data-sign-out] button").click()
    page.goto(f"{stub.url}/sign-in")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('telemed.draft.'))") == []


def test_a_case_held_by_another_can_be_read_but_not_written(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 3)
    expect(page.locator("#report-findings")).to_have_attribute("readonly", "")
    expect(page.locator(".report-actions")).to_contain_text("示例·李医师")


def test_a_refusal_is_told_in_the_servers_words_at_its_field(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("n")
    expect(page.locator(".save-state.saved")).to_be_visible()
    problem = {
        "status": 422,
        "code": "error.glyphs_missing",
        "detail": "无法打印的字符",
        "field": "impression",
    }
    stub.state.fail_next.append((422, problem))
    page.keyboard.press("Control+Enter")
    expect(page.locator(".report .message.problem")).to_contain_text("无法打印的字符")
    expect(page.locator("#report-impression")).to_be_focused()
    # The line is lost in the middle of the signature: that is said, and a draft saved meanwhile does not unsay it.
    page.route("**/sign", lambda route: route.abort())
    page.locator("#report-impression").fill("正常心电图")
    with page.expect_response("**/draft"):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".save-state.saved")).to_be_visible()
    expect(page.locator(".report .message.problem")).to_contain_text("没有收到签名的答复")
    page.unroute("**/sign")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")


def test_the_reviewer_approves_or_returns_with_a_reason(open_page: OpenPage, stub: Stub) -> None:
    for number in (1, 4):
        case = stub.state.cases[f"case-{number}"]
        case.update(state="awaiting_review", report=samples.report(state="awaiting_review", pdf_url=None))
        case["can"].update(claim=False, review=True)
    page = open_page("/reading/cases/case-1?view=review")
    expect(page.locator(".report-actions .primary")).to_contain_text("审核通过")
    expect(page.locator(".line.live")).to_have_count(1)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例丁")
    page.keyboard.press("r")
    page.keyboard.type("请补充 QTc")
    page.keyboard.press("Enter")
    expect(page.locator(".list-foot")).to_be_visible()
    assert stub.state.sent("POST", "/case-1/review$")[0]["decision"] == "approve"
    assert stub.state.sent("POST", "/case-4/review$") == [
        {"decision": "return", "revision": 3, "comment": "请补充 QTc"}
    ]


def test_a_repeat_is_asked_for_with_a_reason(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    page.keyboard.press("x")
    page.locator(".ask .choices button").first.click()
    page.keyboard.press("Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    assert stub.state.sent("POST", "/case-1/repeat$") == [{"reason": "导联脱落", "code": "ecg.lead_off"}]


def test_the_next_case_is_there_before_it_is_asked_for(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    for _ in range(50):
        if stub.state.sent("GET", "/rendered/"):
            break
        page.wait_for_timeout(100)
    # The picture is asked for only after its case was.
    assert stub.state.sent("GET", "/rendered/")
    # Fetched, and not on record as opened: nobody has looked at this patient.
    assert stub.state.sent("GET", "/cases/case-2[?]ahead=1$")
    assert not stub.state.sent("GET", "/cases/case-2$")


def test_the_servers_order_says_what_is_next(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 2)
    for name in ("示例丙", "示例丁"):
        page.keyboard.press("j")
        expect(page.locator(".identity h1")).to_have_text(name)
    new = samples.row(
        90,
        effective_priority="stat",
        deadline=samples.iso(-30),
        patient=samples.patient("示例新", "M", 50, "9090"),
    )
    stub.state.cases[new["id"]] = samples.case(new)
    stub.state.push([stub.state.row(new)])
    for _ in range(500):
        if stub.state.sent("GET", "/cases/case-90[?]ahead=1$"):
            break
        page.wait_for_timeout(20)
    # More urgent than all, and come meanwhile: fetched ahead, and next. Then what nobody has opened yet.
    assert stub.state.sent("GET", "/cases/case-90[?]ahead=1$")
    for name in ("示例新", "示例·阿依古丽"):
        page.keyboard.press("n")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".identity h1")).to_have_text(name)
    # Gone over by the reader's own key: not again, until it has become more urgent.
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例戊")
    stub.state.cases["case-2"]["critical"] = "critical"
    stub.state.push([stub.state.row(stub.state.cases["case-2"])])
    page.keyboard.press("e")
    page.keyboard.type("未见异常")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")


def test_who_looks_and_types_nothing_keeps_the_case(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/inbox")
    page.clock.install()
    page.goto(f"{stub.url}/reading/cases/case-1?view=waiting")
    with page.expect_response("**/claim"):
        page.get_by_role("button", name="认领").click()
    expect(page.locator(".identity .holder.mine")).to_be_visible()
    page.clock.fast_forward("04:00")
    page.mouse.move(300, 400)
    page.mouse.wheel(0, 120)
    with page.expect_response("**/claim"):
        page.clock.fast_forward("02:00")
    # Nobody is there any more.
    page.clock.fast_forward("10:00")
    page.clock.fast_forward("10:00")
    assert len(stub.state.sent("POST", "/claim$")) == 2


def test_a_recording_that_comes_late_does_not_take_the_place_of_the_one_asked_for(
    open_page: OpenPage, stub: Stub
) -> None:
    two = stub.state.cases["case-1"]["series"][0]["instances"]
    two.append(samples.instance("ecg", 199))
    first, second = (one["waveform_url"] for one in two)
    held: list[Route] = []
    page = open_page("/inbox")
    page.route(f"**{first}", lambda route: held.append(route))
    coarse = samples.square_wave(rate=250)
    page.route(
        f"**{second}", lambda route: route.fulfill(body=coarse, content_type="application/octet-stream")
    )
    page.goto(f"{stub.url}/reading/cases/case-1?view=waiting")
    tabs = page.locator("[data-recording]")
    expect(tabs.first).to_have_attribute("aria-pressed", "true")
    tabs.last.click()
    expect(tabs.last).to_have_attribute("aria-pressed", "true")
    expect(tabs.first).to_have_attribute("aria-pressed", "false")
    stage = page.locator(".ecg-stage")
    expect(stage).to_contain_text("· 250 Hz")
    with page.expect_response(f"**{first}") as answer:
        held[0].fulfill(body=samples.heart(), content_type="application/octet-stream")
    answer.value.finished()
    # Asked for again it is there at once: its bytes were read, and had been kept off the stage.
    expect(stage).to_contain_text("· 250 Hz")
    page.keyboard.press("Alt+s")
    expect(stage).to_contain_text("· 500 Hz")


def test_the_machine_says_why_it_says_nothing(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 2)
    expect(page.locator(".ai")).to_contain_text("没有 AI 模型")
    expect(page.locator(".ai")).to_contain_text("诊断由医师作出")


def test_a_picture_can_be_inverted_zoomed_and_windowed(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 5)
    picture = page.locator("img.picture")
    expect(picture).to_be_visible()
    page.keyboard.press("i")
    expect(picture).to_have_class(re.compile("inverted"))
    page.keyboard.press("+")
    assert "scale(1.25)" in (picture.get_attribute("style") or "")
    page.get_by_role("button", name="肺窗").click()
    expect(picture).to_have_attribute("src", re.compile("window=-600%2C1500%2Clinear"))
    page.keyboard.press("]")
    expect(page.locator(".pager")).to_contain_text("2 / 12")


def test_everything_stands_together_without_scrolling_on_a_full_screen(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_case(open_page, 1)
    page.locator(".ecg[data-drawn]").wait_for()
    expect(page.locator(".beat-panel")).to_be_visible()
    parts = [
        ".ecg-stage canvas.ecg-paper",
        ".measurements",
        ".ai",
        ".report-fields",
        ".report-actions",
        ".identity",
    ]
    # With the usual layout the median beat and the ST table too; each layout of twelve leads with the rest.
    for key, more in (("1", [".beat", ".beat-st"]), ("2", []), ("3", []), ("4", [])):
        page.keyboard.press(key)
        for selector in [*parts, *more]:
            box = page.locator(selector).bounding_box()
            assert box is not None, selector
            assert box["x"] >= 0, selector
            assert box["x"] + box["width"] <= 1920, selector
            assert box["y"] + box["height"] <= 1080, (key, selector)
    page.keyboard.press("1")
    scrolled = page.evaluate(
        "['.stage-place', '.ai-place', '.left', '.right'].map(s => document.querySelector(s))"
        ".map(e => e.scrollHeight - e.clientHeight)"
    )
    assert scrolled == [0, 0, 0, 0]


def test_a_signature_is_taken_back_with_one_key_from_the_next_case(open_page: OpenPage, stub: Stub) -> None:
    page = open_case(open_page, 1)
    expect(page.locator(".field.findings .demanded")).to_have_text("必填")
    page.keyboard.press("n")
    page.keyboard.press("e")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".identity h1")).to_have_text("示例乙")
    # Signed from within the text: the next letter is a command all the same.
    expect(page.locator("#report-findings")).not_to_be_focused()
    bar = page.locator(".undo-bar")
    expect(bar).to_contain_text("示例·阿依古丽")
    expect(bar).to_contain_text(re.compile(r"\d+ 秒内可撤销"))
    page.keyboard.press("Control+z")
    expect(page.locator(".identity h1")).to_have_text("示例·阿依古丽")
    expect(bar).to_be_hidden()
    expect(page.locator(".report-actions .primary")).to_contain_text("签名")
    assert stub.state.cases["case-1"]["report"]["state"] == "draft"
    # Too late: the page says so, and what is signed stays signed.
    page.keyboard.press("Control+Enter")
    expect(bar).to_be_visible()
    stub.state.fail_next.append((409, {"status": 409, "code": "error.signature_applied", "detail": "已生效"}))
    page.keyboard.press("Control+z")
    expect(bar.locator(".message.problem")).to_contain_text("已生效")
    assert stub.state.cases["case-1"]["report"]["state"] == "awaiting_review"
