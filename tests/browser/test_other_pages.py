"""Township, inbox, administration, sign-in: what their scripts do, and what the pages weigh."""

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import samples
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

# An old PC on a bad line: the whole first page of the township, scripts and styles included.
FIRST_PAGE_BYTES = 300_000


def files(folder: Path, count: int, content: bytes = b"dicom") -> list[Path]:
    made = []
    for number in range(count):
        path = folder / f"IM{number:04d}"
        path.write_bytes(content + str(number).encode())
        made.append(path)
    return made


def test_the_township_page_is_light(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/error")
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(f"{stub.url}/township")
    expect(page.locator("#exam-rows tr[data-key]")).to_have_count(len(samples.EXAMS))
    assert len(sizes) > 4
    assert sum(sizes) <= FIRST_PAGE_BYTES


def test_every_file_is_answered_for_and_only_then_safe(
    open_page: OpenPage, stub: Stub, tmp_path: Path
) -> None:
    page = open_page("/township")
    chosen = files(tmp_path, 30)
    halves = [tmp_path / "record.hea", tmp_path / "record.dat"]
    for path in halves:
        path.write_bytes(chosen[0].read_bytes() + path.name.encode())
    chosen = [halves[0], *chosen, halves[1]]
    page.locator("#drop-zone input[type=file]").first.set_input_files(chosen)
    expect(page.locator("#upload-summary")).to_contain_text("32 个文件中 32 个已安全保存")
    page.locator("#upload-details summary").click()
    digests = page.locator("#upload-files td.digest").evaluate_all("cells => cells.map(c => c.title)")
    assert digests == [hashlib.sha256(path.read_bytes()).hexdigest() for path in chosen]
    batches = stub.state.sent("POST", "uploads$")
    assert len(batches) > 1, "small batches"
    # A record of two files stays together, however far apart they were chosen.
    assert sum(all(f'filename="{path.name}"'.encode() in body for path in halves) for body in batches) == 1


def test_what_is_safe_is_not_sent_again_over_a_bad_line(
    open_page: OpenPage, stub: Stub, tmp_path: Path
) -> None:
    page = open_page("/township")
    calls = {"count": 0}

    def second_call_breaks(route: object) -> None:
        calls["count"] += 1
        route.abort() if calls["count"] == 2 else route.continue_()  # type: ignore[attr-defined]

    page.route("**/api/v1/uploads", second_call_breaks)
    chosen = files(tmp_path, 30)
    page.locator("#drop-zone input[type=file]").first.set_input_files(chosen)
    expect(page.locator("#upload-notes .waiting")).to_be_visible()
    page.locator("#upload-notes .waiting button").click()
    expect(page.locator("#upload-summary")).to_contain_text("30 个已安全保存")
    bodies = stub.state.sent("POST", "uploads$")
    for path in chosen:
        marker = f'filename="{path.name}"'.encode()
        assert sum(marker in body for body in bodies) == 1


def test_a_refused_file_says_why_and_the_others_go_on(
    open_page: OpenPage, stub: Stub, tmp_path: Path
) -> None:
    page = open_page("/township")
    note = tmp_path / "note.txt"
    note.write_bytes(b"text file")
    page.locator("#drop-zone input[type=file]").first.set_input_files([note, *files(tmp_path, 2)])
    expect(page.locator("#upload-summary")).to_contain_text("3 个文件中 2 个已安全保存")
    expect(page.locator("#upload-summary .bad")).to_contain_text("1")


def test_exams_stay_still_while_nothing_changes(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/township")
    expect(page.locator("#exam-rows tr[data-key]")).to_have_count(len(samples.EXAMS))
    page.evaluate("window.first = document.querySelector('#exam-rows tr')")
    with page.expect_response("**/api/v1/exams", timeout=15_000):
        pass
    page.wait_for_timeout(200)
    assert page.evaluate("window.first.isConnected") is True


def test_the_servers_first_rows_read_like_the_scripts(open_page: OpenPage, stub: Stub) -> None:
    """The same words before and after the first refresh, but for the day in front of the time."""
    scripted = open_page("/township")
    expect(scripted.locator("#exam-rows tr[data-key]")).to_have_count(len(samples.EXAMS))
    # What can be done about a repeat needs the script.
    scripted.evaluate("document.querySelectorAll('.close-repeat').forEach(one => one.remove())")
    plain = open_page("/township", java_script_enabled=False)

    def words(page: object) -> list[list[str]]:
        rows = page.locator("#exam-rows tr")  # type: ignore[attr-defined]
        return [
            [" ".join(cell.inner_text().split()) for cell in rows.nth(n).locator("td").all()[1:]]
            for n in range(rows.count())
        ]

    assert words(plain) == words(scripted)


def test_an_order_goes_out_as_the_api_wants_it(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/township")
    values = {
        "name": "示例甲",
        "birth_date": "1970-03-01",
        "patient_id": "P1",
        "description": "十二导联心电图",
    }
    page.keyboard.press("o")
    expect(page.locator("#o-name")).to_be_focused()
    for name, value in values.items():
        page.fill(f"#order-form [name={name}]", value)
    page.select_option("#order-form [name=sex]", "F")
    page.select_option("#order-form [name=priority]", "urgent")
    page.click(".codes summary")
    page.fill("#order-form [name=code_value]", "XD12")
    page.keyboard.press("Control+Enter")
    # Pressed again while it is on its way it is not sent twice.
    page.keyboard.press("Control+Enter")
    expect(page.locator("#order-notes .message")).to_be_visible()
    assert stub.state.sent("POST", "orders$") == [
        {
            "patient": {"patient_id": "P1", "name": "示例甲", "sex": "F", "birth_date": "1970-03-01"},
            "modality": "ECG",
            "description": "十二导联心电图",
            "body_part": "",
            "priority": "urgent",
            "clinical_history": "",
            "code_value": "XD12",
        }
    ]


def test_the_inbox_acknowledges_one_and_then_all_normal_ones(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/inbox", width=360, height=740)
    first = page.locator(".delivery").first
    expect(first).to_contain_text("危急值")
    # Its keys: the first one, unfolded, acknowledged.
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("o")
    expect(first.locator("details")).to_have_attribute("open", "")
    page.keyboard.press("c")
    expect(first.locator(".acknowledged")).to_contain_text("已确认")
    page.click("#acknowledge-normal")
    expect(page.locator("#batch-progress")).to_contain_text("3 / 3")
    acknowledged = [
        path for verb, path, _ in stub.state.requests if verb == "POST" and path.endswith("acknowledge")
    ]
    assert acknowledged == [f"/api/v1/inbox/delivery-{n}/acknowledge" for n in (0, 5, 6, 7)]
    # The abnormal one that nobody acknowledged still asks.
    expect(page.locator(".delivery").nth(1).get_by_role("button", name="确认收到")).to_be_visible()


@pytest.mark.parametrize("path", ["/inbox", "/township", "/sign-in", "/verify/K7Q2-9MXP", "/admin", "/error"])
def test_a_phone_needs_no_sideways_scrolling(open_page: OpenPage, stub: Stub, path: str) -> None:
    page = open_page(path, width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_reading_room_fits_a_phone_and_a_small_screen_in_the_longer_language(
    open_page: OpenPage, stub: Stub
) -> None:
    stub.state.language = "en"
    page = open_page("/reading", width=360, height=740)
    page.locator(".rows .row").first.wait_for()
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(wide) <= 360
    for number in (1, 2):
        page.goto(f"{stub.url}/reading/cases/case-{number}?view=waiting")
        expect(page.locator(".report-actions .primary")).to_be_visible()
        assert page.evaluate(wide) <= 360
    page.set_viewport_size({"width": 1366, "height": 768})
    # Signed without a search for the button, whatever stands above it.
    expect(page.locator(".report-actions .primary")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    assert page.locator(".search input").bounding_box()["width"] >= 160  # type: ignore[index]


def test_a_model_is_approved_only_with_its_card_open(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/admin")
    approve = page.locator("button[data-needs-card]")
    expect(approve).to_be_disabled()
    page.locator(".model").nth(1).locator("summary").click()
    expect(approve).to_be_enabled()
    with page.expect_response("**/models/ecg-rhythm/approve"):
        approve.click()
    sent = stub.state.sent("POST", "models/ecg-rhythm/approve$")
    assert sent == [{"institution": "site-1", "sha256": "ab" * 32}]
    # Only what the kind of exam has is offered as the window to begin with.
    hang = page.locator("form[data-api='/api/v1/admin/hanging']")
    page.locator("details", has=hang).locator("summary").click()
    hang.locator("[name=window]").select_option(label="脑窗")
    hang.locator("[name=modality]").select_option("DX")
    offered = hang.locator("[name=window] optgroup:not(:disabled) option")
    expect(offered).to_have_text(["原始窗", "高对比", "低对比"])
    expect(hang.locator("[name=window]")).to_have_value("1")


def test_sign_in_works_without_scripts(open_page: OpenPage, stub: Stub) -> None:
    page = open_page("/sign-in", java_script_enabled=False)
    page.fill("#username", "wang")
    page.fill("#password", "a password of no one")
    with page.expect_response("**/sign-in"):
        page.click("button[type=submit]")
    (body,) = stub.state.sent("POST", "^/sign-in$")
    assert b"username=wang" in body


def test_the_language_switch_asks_the_server_and_reads_the_page_again(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_page("/township")
    page.click("a[data-language=en]")
    expect(page.locator("#exams-title")).to_have_text("Today's exams")
    assert stub.state.sent("POST", "session/language$") == [{"language": "en"}]
