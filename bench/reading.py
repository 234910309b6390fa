"""A reading doctor at the keyboard: real processes, a real browser, every key pressed, every paint waited for.

`normal_keys`: keys from a normal ECG on the screen to the next one on it, signed, each keydown counted (Ctrl too).
`normal_machine_ms`: of the same, the time in which the reader waits for the machine: from each key to its paint.
`edited_keys`: the same way with the machine's draft taken and a sentence of the findings changed.
`edited_machine_ms`: from the last key (the signature) to the next case painted.

The reader looks at each ECG for a second before the first key, as little as nobody does (the published median is
47 s for an emergency): in that time the next case is fetched ahead.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, sync_playwright

from bench.result import Row, under_limit
from telemed.bootstrap import build
from telemed.demo.consortium import PASSWORD, provision
from telemed.demo.dicom_objects import FictionalPatient, Occasion
from telemed.demo.roles import Person, wait_for
from telemed.demo.sender import send
from telemed.demo.studies import reissue_pydicom_ecg
from telemed.group import ProcessGroup, free_ports
from telemed.settings import Settings

NORMAL_KEYS, NORMAL_MS, EDITED_KEYS = 3, 400.0, 12
LOOK_MS = 1000
CHROMIUM = ["--no-sandbox", "--disable-gpu"]
WATCH = (Path(__file__).parent / "reading_watch.js").read_text("utf-8")


def rows(*, only: str | None, quick: bool) -> list[Row]:
    normal, edited = (6, 3) if quick else (30, 15)
    with _house(normal + edited + 2) as base, _browser(base) as page:
        reader = Reader(page)
        reader.open_first()
        # The first one warms what a reader's first case of the day warms.
        reader.sign_normal()
        signed = [reader.sign_normal() for _ in range(normal)]
        changed = [reader.sign_edited() for _ in range(edited)]
    looked = f"{LOOK_MS} ms of looking before the first key of each case, not counted"
    found = [
        under_limit("normal_keys", [one.keys for one in signed], "keys", NORMAL_KEYS, of="max",
                    note="keydown events, Ctrl counted; the next case comes by itself"),
        under_limit("normal_machine_ms", [one.waited for one in signed], "ms", NORMAL_MS, note=looked),
        under_limit("edited_keys", [one.keys for one in changed], "keys", EDITED_KEYS, of="max",
                    note="machine's draft taken, a short code of the centre written into the findings, signed"),
        under_limit("edited_machine_ms", [one.waited for one in changed], "ms", NORMAL_MS, note=looked),
    ]  # fmt: skip
    return [row for row in found if only in (None, row.what)]


@dataclass(frozen=True)
class Spent:
    keys: int
    waited: float


class Reader:
    def __init__(self, page: Page) -> None:
        self._page = page

    def open_first(self) -> None:
        self._page.goto("/reading?view=waiting")
        self._page.locator(".rows .row").first.wait_for()
        self._page.keyboard.press("Enter")
        self._page.locator(".ecg[data-drawn]").wait_for()

    def sign_normal(self) -> Spent:
        keys = self._look()
        waited = self._press("n", "filled")
        waited += self._press("Control+Enter", "next")
        return Spent(self._keys() - keys, waited)

    def sign_edited(self) -> Spent:
        keys = self._look()
        self._page.locator(".machine-draft").wait_for()
        waited = self._press("d", "filled")
        waited += self._press("e", "focused")
        self._page.keyboard.type(";pvc")
        waited += self._press("Control+Enter", "next")
        return Spent(self._keys() - keys, waited)

    def _look(self) -> int:
        self._page.wait_for_timeout(LOOK_MS)
        return self._keys()

    def _keys(self) -> int:
        return int(self._page.evaluate("bench.keys"))

    def _press(self, key: str, until: str) -> float:
        """Milliseconds from the keydown to the paint that answers it."""
        self._page.evaluate("until => { bench.watch(until); }", until)
        self._page.keyboard.press(key)
        return float(self._page.evaluate("bench.painted"))


@contextmanager
def _browser(base: str) -> Iterator[Page]:
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is absent: install the package chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=CHROMIUM)
        context = browser.new_context(base_url=base, viewport={"width": 1920, "height": 1080})
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("[name=username]", "reporting")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/reading**")
        yield page
        browser.close()


@contextmanager
def _house(cases: int) -> Iterator[str]:
    """A consortium with so many ECGs in its list, each read by the machine."""
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
        send(
            settings.dicom_host, dicom_port, calling="DEMO_ECG", called=settings.ae_title,
            datasets=[_ecg(number) for number in range(cases)],
        )  # fmt: skip
        doctor = Person(base, "reporting")
        stack.callback(doctor.close)
        wait_for("every ECG read by the machine", lambda: _all_read(doctor, cases), 300)
        yield base


def _ecg(number: int) -> Any:
    """The recording inside the pydicom package, each time of another fictional person."""
    person = FictionalPatient(
        f"BENCH-{number:04d}", f"Ceshi^{number}=测试^{number:03d}", "FM"[number % 2], date(1960, 1, 1)
    )
    taken = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(minutes=number)
    return reissue_pydicom_ecg(Occasion(person, taken, f"BENCH-{number:04d}", "示例镇卫生院", number))


def _all_read(doctor: Person, cases: int) -> bool | None:
    listed = doctor.get("/api/v1/worklist", view="waiting", limit="200")["rows"]
    read = [row for row in listed if row["ai"]["state"] not in ("pending", "failed")]
    return True if len(read) >= cases else None
