"""Ways into the reading room, until what stands there is alive."""

from playwright.sync_api import Page, expect

from tests.browser import samples
from tests.browser.conftest import OpenPage


def open_list(open_page: OpenPage) -> Page:
    page = open_page("/reading?view=waiting")
    expect(page.locator(".rows .row")).to_have_count(len(samples.ROWS))
    expect(page.locator(".line.live")).to_be_visible()
    return page


def open_case(open_page: OpenPage, number: int) -> Page:
    page = open_page(f"/reading/cases/case-{number}?view=waiting")
    expect(page.locator(".identity h1")).to_be_visible()
    expect(page.locator(".line.live")).to_have_count(1)
    return page
