"""From the case page into OHIF, the published build: a film and an ECG, read from our DICOMweb by another origin."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from telemed.domain.analysis import Analysis, Finding, HeatMap
from telemed.domain.people import MadeObjects
from tests.browser import ohif
from tests.browser.house import House, house
from tests.cast import TOWNSHIP_A1, Cast, approve_model
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.test_film_case import FilmModel, with_film_models
from tests.programs import require

pytestmark = pytest.mark.browser

CONFIGURATION = (Path(__file__).parents[2] / "docs" / "ohif" / "app-config.js").read_text("utf-8")
# The viewer draws by WebGL 2, here in software.
ARGUMENTS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
# A budget, nothing that is asserted: software WebGL on a busy machine takes its time.
_PATIENCE = 120


@dataclass
class Rooms:
    house: House
    viewer: Any


@pytest.fixture
def rooms(cast: Cast) -> Iterator[Rooms]:
    with ohif.served(ohif.package(), "") as viewer:
        address = f"http://127.0.0.1:{viewer.server_port}"
        with house(cast, ohif_url=address) as found:
            assert CONFIGURATION.count("https://telemed.example") == 1
            configured = CONFIGURATION.replace("https://telemed.example", found.base)
            viewer.configuration = configured.encode()  # type: ignore[attr-defined]
            yield Rooms(found, viewer)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    program = require("chromium", package="chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def opened(chromium: Browser, rooms: Rooms, study: str) -> Page:
    """As the doctor does it: signs in, opens the case, and follows its button."""
    context = chromium.new_context(viewport={"width": 1400, "height": 900}, locale="zh-CN")
    context.set_default_timeout(_PATIENCE * 1000)
    page = rooms.house.sign_in(context)
    page.goto(f"{rooms.house.base}/reading/cases/{rooms.house.case_of(study)}")
    with context.expect_page() as made:
        page.click(".viewer-link")
    viewer = made.value
    # The first visit's tour lies over the picture.
    viewer.get_by_text("Skip all").click()
    return viewer


def shown(viewer: Page, drawn: Callable[[NDArray[np.uint8]], bool]) -> NDArray[np.uint8]:
    """The viewport as it is on the screen, as soon as something is drawn there: (rows, columns, RGB)."""
    place = viewer.locator(".cornerstone-viewport-element, [data-cy=viewport-pane]").first
    place.wait_for()
    ends = time.monotonic() + _PATIENCE
    while True:
        picture = np.asarray(Image.open(io.BytesIO(place.screenshot())).convert("RGB"))
        if drawn(picture) or time.monotonic() > ends:
            return picture
        time.sleep(0.5)


def test_a_film_opens_in_ohif(chromium: Browser, rooms: Rooms) -> None:
    study, side = str(uid("ohif", "film")), 512
    ramp = (np.add.outer(np.arange(side), np.arange(side)) * 4).astype(np.uint16)
    rooms.house.sent(dr_bytes(ramp, patient_id="FIC-P5", study_uid=study))
    viewer = opened(chromium, rooms, study)
    picture = shown(viewer, lambda found: bool(found[..., 0].max() > 200))
    gray = picture[..., 0].astype(float)
    height, width = gray.shape
    # The film fills the height, square, in the middle: the ramp along its diagonal, clear of corner texts.
    along = np.linspace(0.2, 0.8, 60)
    left = (width - height) / 2
    seen = np.array([gray[int(part * height), int(left + part * height)] for part in along])
    assert np.corrcoef(along, seen)[0, 1] > 0.999
    assert np.all(np.diff(seen) >= 0)
    assert seen[-1] - seen[0] > 100
    # The right was handed over without ever standing in an address that was asked for.
    assert not [path for path in rooms.viewer.seen if "token" in path]
    assert "token" not in viewer.url


def test_an_ecg_opens_in_ohif(chromium: Browser, rooms: Rooms) -> None:
    study = str(uid("ohif", "curve"))
    rooms.house.sent(ecg_bytes(patient_id="FIC-P6", study_uid=study))
    viewer = opened(chromium, rooms, study)

    def beats(found: NDArray[np.uint8]) -> int:
        """R waves stand one above the other in all leads: columns with many bright pixels, counted in groups."""
        white = (found.min(axis=2) > 150).sum(axis=0)
        tall = white > 0.5 * np.sort(white)[-12:].mean() if white.max() > 40 else np.zeros_like(white, bool)
        edges = np.flatnonzero(tall)
        return int(1 + np.count_nonzero(np.diff(edges) > 20)) if edges.size else 0

    picture = shown(viewer, lambda found: beats(found) > 0)
    # Ten seconds at 72 a minute.
    assert beats(picture) == 12
    # A page that is loaded again still has its right.
    viewer.reload()
    again = shown(viewer, lambda found: beats(found) > 0)
    assert beats(again) == 12


def test_the_attention_picture_of_a_film_opens_in_ohif(chromium: Browser, rooms: Rooms) -> None:
    """The Secondary Capture that a model's answer became: a series of the study, in colour where the evidence lay."""
    cast, study = rooms.house.cast, str(uid("ohif", "attention"))
    analyser: Any = cast.analyser
    seen = HeatMap("tb", ((0.0, 0.0), (0.0, 1.0)), (0.0, 0.0, 1.0, 1.0))
    answer = Analysis(analyser._identity(), True, findings=(Finding("tb", 0.8, 0.4, True),), heat_map=seen)
    with_film_models(cast, answer, "fictional-film")
    with cast.world.unit_of_work() as uow:
        site = uow.institutions.get(cast.sites[TOWNSHIP_A1].id)
        site.made_objects = MadeObjects.ALL
        approve_model(cast.world, uow, site, cast.people["admin"], FilmModel())
        uow.commit()
    rooms.house.sent(dr_bytes(np.full((512, 512), 2000, np.uint16), patient_id="FIC-P5", study_uid=study))
    viewer = opened(chromium, rooms, study)
    viewer.locator("[data-cy=study-browser-thumbnail]", has_text="OT").dblclick()

    def warm(found: NDArray[np.uint8]) -> float:
        """Share of the viewport that is much more red than blue."""
        return float((found[..., 0].astype(int) - found[..., 2] > 60).mean())

    picture = shown(viewer, lambda found: warm(found) > 0.02)
    height, width = picture.shape[:2]
    corner = picture[height // 2 :, width // 2 :]
    # The evidence lay below on the right, and nowhere else.
    assert warm(corner) > 0.02
    assert warm(picture[: height // 3]) < 0.002
