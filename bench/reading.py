"""A reading doctor at the keyboard: real processes, a real browser, every key pressed, every paint waited for.

`normal_keys`: keys from a normal ECG on the screen to the next one on it, signed, each keydown counted (Ctrl too).
`normal_machine_ms`: of the same, the time in which the reader waits for the machine: from each key to its paint.
`edited_keys`: the same way with the machine's draft taken and a sentence of the findings changed.
`edited_machine_ms`: from the last key (the signature) to the next case painted.

The reader looks at each ECG for a second before the first key, as little as nobody does (the published median is
47 s for an emergency): in that time the next case is fetched ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Page

from bench.house import House, house, reading_room
from bench.result import Row, under_limit
from telemed.demo.dicom_objects import FictionalPatient, Occasion
from telemed.demo.roles import wait_for
from telemed.demo.studies import reissue_pydicom_ecg

NORMAL_KEYS, NORMAL_MS, EDITED_KEYS = 3, 400.0, 12
LOOK_MS = 1000
WATCH = (Path(__file__).parent / "reading_watch.js").read_text("utf-8")


def rows(*, only: str | None, quick: bool) -> list[Row]:
    normal, edited = (6, 3) if quick else (30, 15)
    with _with(normal + edited + 2) as base, reading_room(base, WATCH, "--disable-gpu") as page:
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
def _with(cases: int) -> Iterator[str]:
    """A consortium with so many ECGs in its list, each read by the machine."""
    with house() as here:
        here.receive("DEMO_ECG", [_ecg(number) for number in range(cases)])
        wait_for("every ECG read by the machine", lambda: _all_read(here, cases), 300)
        yield here.base


def _ecg(number: int) -> Any:
    """The recording inside the pydicom package, each time of another fictional person."""
    person = FictionalPatient(
        f"BENCH-{number:04d}", f"Ceshi^{number}=测试^{number:03d}", "FM"[number % 2], date(1960, 1, 1)
    )
    taken = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(minutes=number)
    return reissue_pydicom_ecg(Occasion(person, taken, f"BENCH-{number:04d}", "示例镇卫生院", number))


def _all_read(here: House, cases: int) -> bool | None:
    read = [row for row in here.listed() if row["ai"]["state"] not in ("pending", "failed")]
    return True if len(read) >= cases else None
