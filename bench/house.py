"""A whole consortium as the processes that run in the field, and a reading doctor's browser before it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from telemed.bootstrap import build
from telemed.demo.consortium import PASSWORD, provision
from telemed.demo.roles import Person
from telemed.demo.sender import send
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings


@dataclass(frozen=True)
class House:
    settings: Settings
    base: str
    folder: Path
    reader: Person

    def receive(self, calling: str, objects: Sequence[Any]) -> None:
        send(
            self.settings.dicom_host,
            self.settings.dicom_port,
            calling=calling,
            called=self.settings.ae_title,
            datasets=objects,
        )

    def listed(self, view: str = "waiting") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.reader.get("/api/v1/worklist", view=view, limit="200")["rows"]
        return rows


@contextmanager
def house() -> Iterator[House]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-")))
        http_port, dicom_port, inference_port = free_ports(3)
        settings = replace(
            Settings(demo=True), data_dir=folder / "var", http_port=http_port, dicom_port=dicom_port,
            inference_port=inference_port,
        ).complete()  # fmt: skip
        application = build(settings)
        stack.callback(application.close)
        provision(application.world)
        group = ProcessGroup(settings, ["web", "dicom", "worker"])
        group.start()
        stack.callback(group.stop)
        if not group.wait_ready():
            raise SystemExit("the services did not start")
        base = f"http://127.0.0.1:{http_port}"
        reader = Person(base, "reporting")
        stack.callback(reader.close)
        yield House(settings, base, folder, reader)


@contextmanager
def reading_room(base: str, script: str, *options: str) -> Iterator[Page]:
    """The list of somebody who has just signed in; `script` watches every page, `options` are Chromium's."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is absent: install the package chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", *options])
        context = browser.new_context(base_url=base, viewport={"width": 1920, "height": 1080})
        context.set_default_timeout(60_000)
        context.add_init_script(script)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=username]", "reporting")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/reading**")
        yield page
        browser.close()
