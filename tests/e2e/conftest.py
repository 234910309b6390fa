"""The whole house as it is installed: real processes, real doors, a temporary data directory."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from telemed.bootstrap import Application, build
from telemed.demo.consortium import PASSWORD, provision
from telemed.demo.roles import Person
from telemed.demo.studies import ExampleStudy, packaged_study
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings
from tests.programs import require


@dataclass(frozen=True)
class House:
    application: Application
    base: str

    people: list[Person]

    def person(self, username: str) -> Person:
        self.people.append(Person(self.base, username))
        return self.people[-1]

    def storescu(
        self, *paths: Path, calling: str = "DEMO_ECG", called: str = "TELEMED"
    ) -> subprocess.CompletedProcess[str]:
        port = str(self.application.settings.dicom_port)
        command = [require("storescu", package="dcmtk"), "-aet", calling, "-aec", called, "127.0.0.1", port]
        return subprocess.run(
            [*command, *map(str, paths)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "TCP_NODELAY": "1"},
        )


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    http_port, dicom_port, inference_port = free_ports(3)
    settings = replace(
        Settings(demo=True),
        data_dir=tmp_path_factory.mktemp("house") / "var",
        http_port=http_port,
        dicom_port=dicom_port,
        inference_port=inference_port,
    ).complete()
    application = build(settings)
    provision(application.world, quiet_seconds=1, hold_seconds=1)
    group = ProcessGroup(settings, ["web", "dicom", "worker"])
    group.start()
    try:
        assert group.wait_ready(120), "the services did not start"
        yield (opened := House(application, f"http://127.0.0.1:{http_port}", []))
        for person in opened.people:
            person.close()
    finally:
        group.stop()
        application.close()


_days = iter(range(1, 400))


@pytest.fixture
def recorded_ecg() -> ExampleStudy:
    """A real anonymous recording (inside the pydicom package) under a fictional patient, each time a new study."""
    return packaged_study(date(2026, 1, 1) + timedelta(days=next(_days)), 7)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = require("chromium", package="chromium")
    with sync_playwright() as driver:
        launched = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield launched
        launched.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(browser: Browser, house: House) -> Iterator[SignIn]:
    """A browser of one's own for each person; whatever a page throws fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(username: str, width: int = 1920, height: int = 1080) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(f"{username}: {error}"))
        page.goto(f"{house.base}/sign-in")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []
