"""A Chromium for the session, and the pages on the stand-in server."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.rendering import MANIFEST
from tests.browser.stub import Stub
from tests.programs import require

# As root Chromium's sandbox cannot start; nothing here needs WebGL.
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
# How long a loaded machine may take, and no claim about ours.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


# A module's, not the session's: its driver keeps an event loop in this thread, which other tests need free.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = require("chromium", package="chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def stub() -> Iterator[Stub]:
    if not MANIFEST.exists():
        pytest.fail(
            "the pages' scripts are not built: run `make install` or tools/build_frontend.py", pytrace=False
        )
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.state.cut_lines()
    server.shutdown()
    server.server_close()
    thread.join()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, stub: Stub) -> Iterator[OpenPage]:
    """Opens a path in a browser of its own; whatever the page throws or its policy refuses fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_(path: str, width: int = 1920, height: int = 1080, ratio: float = 1, **context: Any) -> Page:
        made = chromium.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=ratio, **context
        )
        contexts.append(made)
        page = made.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.goto(stub.url + path)
        return page

    yield open_
    for made in contexts:
        made.close()
    assert faults == []
