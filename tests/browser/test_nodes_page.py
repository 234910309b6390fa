"""An administrator and the page of other nodes, on the product's own server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from telemed.web.app import create_app
from telemed.web.server import Server
from tests.browser.rendering import MANIFEST
from tests.cast import PASSWORD, Cast
from tests.integration.web.conftest import Joined

pytestmark = pytest.mark.browser


@pytest.fixture
def page(cast: Cast, chromium: Browser) -> Iterator[Page]:
    if not MANIFEST.exists():
        pytest.fail("the pages' scripts are not built: run `make install`", pytrace=False)
    server = Server(create_app(Joined(cast.world, replace(cast.settings, public_url=""))), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    context = chromium.new_context(locale="zh-CN")
    made = context.new_page()
    made.set_default_timeout(20_000)
    made.goto(f"{base}/sign-in")
    made.fill("input[name=username]", "admin")
    made.fill("input[name=password]", PASSWORD)
    made.click("button[type=submit]")
    made.wait_for_url(lambda url: "/sign-in" not in url)
    made.goto(f"{base}/admin/nodes")
    yield made
    context.close()
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def test_nodes_rules_and_certificates_by_hand(page: Page) -> None:
    expect(page.locator(".keys-button")).to_be_visible()
    # By the palette: what stands on the page can be named, and Enter opens it.
    page.keyboard.press("Control+k")
    page.keyboard.type("节点")
    page.locator(".palette li", has_text="添加").first.click()
    form = page.locator("#add-node form")
    expect(form.locator("[name=institution]")).to_be_focused()
    form.locator("[name=ae_title]").fill("CITY_PACS")
    form.locator("[name=host]").fill("127.0.0.1")
    form.locator("[name=port]").fill("1")
    form.locator("[name=certificate_authority]").fill("no certificate")
    form.locator("button").click()
    # What is wrong is said at the form, and what was typed is kept.
    expect(form.locator(".messages")).to_contain_text("PEM")
    expect(form.locator("[name=host]")).to_have_value("127.0.0.1")
    form.locator("[name=certificate_authority]").fill("")
    form.locator("[name=tls]").check()
    form.locator("button").click()
    node = page.locator("#nodes article")
    expect(node).to_contain_text("CITY_PACS")
    expect(node).to_contain_text("127.0.0.1:1")
    expect(node.locator(".badge")).to_have_text("TLS")
    # The page came anew, with the form folded up: it says there what became of it, once.
    expect(page.locator("#nodes > .message.good")).to_have_text("已保存。")

    page.click("#add-rule summary")
    page.locator("#add-rule [name=modality]").select_option("ECG")
    page.locator("#add-rule button").click()
    rule = page.locator("#rules tbody tr")
    expect(rule).to_contain_text("ECG")
    # The page came anew with its rule, and its keys are there a moment after it.
    expect(page.locator(".keys-button")).to_be_visible()
    # By keys alone: to the section, to the row, to its button, upon it.
    page.keyboard.press("3")
    page.keyboard.press("j")
    expect(rule).to_be_focused()
    page.keyboard.press("Delete")
    expect(rule.locator("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#rules tbody")).to_have_count(0)
    expect(page.locator(".keys-button")).to_be_visible()

    # Nobody of that name: what stands in the way is said beside the button.
    check = node.locator("form[data-done]")
    check.locator("button").click()
    expect(check.locator(".messages")).to_contain_text("CITY_PACS")
    node.locator("summary").click()
    node.locator("[name=active]").uncheck()
    node.locator("[name=tls]").uncheck()
    node.locator("[name=port]").fill("11112")
    node.locator("details button").click()
    expect(node).to_contain_text("127.0.0.1:11112")
    expect(node.locator(".badge")).to_have_count(0)
    expect(page.locator(".keys-button")).to_be_visible()

    site = page.locator("#certificates details").first
    site.locator("summary").click()
    site.locator("[name=certificate_demanded]").check()
    site.locator("button").click()
    expect(site.locator(".badge")).to_be_visible()
