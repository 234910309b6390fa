"""The real application behind a real port, for browsers that read from DICOMweb."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import BrowserContext, Page

from telemed.web.app import create_app
from telemed.web.server import Server
from tests.browser.rendering import MANIFEST
from tests.cast import PASSWORD, Cast
from tests.integration.web.conftest import Joined, Program


@dataclass
class House:
    base: str
    cast: Cast
    sender: Program

    def case_of(self, study: str) -> str:
        reader = Program(self.sender.http.app, "reporting")  # type: ignore[arg-type]
        (row,) = [
            row
            for row in reader.get("/api/v1/worklist?view=all")["rows"]
            if row["study_instance_uid"] == study
        ]
        return str(row["id"])

    def sent(self, *files: bytes) -> None:
        """As a township sends them: complete, and in the list."""
        self.sender.upload(*files)
        self.cast.clock.move(seconds=60)
        self.cast.run_jobs()

    def sign_in(self, context: BrowserContext, username: str = "reporting") -> Page:
        page = context.new_page()
        page.goto(f"{self.base}/sign-in")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page


@contextmanager
def house(cast: Cast, *, ohif_url: str = "") -> Iterator[House]:
    if not MANIFEST.exists():
        pytest.fail("the pages' scripts are not built: run `make install`", pytrace=False)
    app = create_app(Joined(cast.world, replace(cast.settings, public_url="", ohif_url=ohif_url)))
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    sender = Program(app, "technician")
    try:
        yield House(base, cast, sender)
    finally:
        sender.http.close()
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()
