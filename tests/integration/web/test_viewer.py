"""A full viewer at an address of its own: how it gets its right, how far that goes, and who else gets none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from telemed.web.app import create_app
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, uid
from tests.integration.web.conftest import Browser, Joined, Program

VIEWER = "http://viewer.example:3000"
STUDY = str(uid("viewed"))
METADATA = f"/dicom-web/studies/{STUDY}/metadata"


@pytest.fixture
def app(cast: Cast) -> FastAPI:
    return create_app(Joined(cast.world, replace(cast.settings, ohif_url=VIEWER)))


@pytest.fixture
def sender(program: Callable[[str], Program]) -> Program:
    made = program("technician")
    assert made.upload(dr_bytes(patient_id="FIC-P5", study_uid=STUDY))["refused"] == 0
    return made


def token_of(answer: Any) -> str:
    url, _, token = answer["url"].partition("#token=")
    assert url == f"{VIEWER}/viewer?StudyInstanceUIDs={STUDY}"
    return str(token)


@pytest.fixture
def viewer(app: FastAPI, sender: Program) -> TestClient:
    token = token_of(sender.post(f"/api/v1/studies/{STUDY}/viewer"))
    return TestClient(app, headers={"Authorization": f"Bearer {token}", "Origin": VIEWER})


def test_the_viewer_reads_dicomweb_and_nothing_else(viewer: TestClient) -> None:
    answer = viewer.get(METADATA)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "access-control-allow-credentials" not in answer.headers
    assert viewer.get(f"/dicom-web/studies?StudyInstanceUID={STUDY}").json() != []
    assert viewer.post("/dicom-web/studies", content=b"").status_code == 401
    for path in ("/api/v1/session", "/api/v1/exams", f"/api/v1/studies/{STUDY}"):
        assert viewer.get(path).status_code == 401, path
    assert viewer.post(f"/api/v1/studies/{STUDY}/viewer").status_code == 401


def test_a_viewers_right_ends_with_its_hour(viewer: TestClient, cast: Cast) -> None:
    cast.clock.move(minutes=59)
    assert viewer.get(METADATA).status_code == 200
    cast.clock.move(minutes=2)
    refusal = viewer.get(METADATA)
    assert refusal.status_code == 401
    # A page may read why only if it is told so here too.
    assert refusal.headers["access-control-allow-origin"] == VIEWER


def test_a_viewers_right_ends_when_its_person_signs_out(
    app: FastAPI, browser: Browser, sender: Program
) -> None:
    browser.sign_in("technician")
    answer = browser.post(f"/api/v1/studies/{STUDY}/viewer")
    assert answer.status_code == 200
    viewer = TestClient(app, headers={"Authorization": f"Bearer {token_of(answer.json())}"})
    assert viewer.get(METADATA).status_code == 200
    browser.post("/api/v1/session/sign-out")
    assert viewer.get(METADATA).status_code == 401


def test_what_a_person_may_not_see_is_not_handed_over(
    program: Callable[[str], Program], sender: Program
) -> None:
    for username in ("technician-2", "reporting-b"):
        answer = program(username).post(f"/api/v1/studies/{STUDY}/viewer", expect=404)
        assert answer["code"] == "error.study_not_found"


def test_browsers_are_told_that_this_viewer_may_ask_and_no_other(app: FastAPI) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    bare = TestClient(app)
    answer = bare.options(METADATA, headers=asked | {"Origin": VIEWER})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    for origin in (
        "http://viewer.example",
        "https://viewer.example:3000",
        "http://elsewhere.example",
        "null",
    ):
        answer = bare.options(METADATA, headers=asked | {"Origin": origin})
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-origin" not in bare.get(METADATA, headers={"Origin": origin}).headers
    assert bare.options("/api/v1/session", headers=asked | {"Origin": VIEWER}).status_code == 405


def test_where_none_is_installed_nothing_leads_there(cast: Cast) -> None:
    app = create_app(Joined(cast.world, cast.settings))
    sender = Program(app, "technician")
    sender.upload(dr_bytes(patient_id="FIC-P5", study_uid=STUDY))
    answer = sender.post(f"/api/v1/studies/{STUDY}/viewer", expect=404)
    assert answer["code"] == "error.no_viewer"
    asked = {"Access-Control-Request-Method": "GET", "Origin": VIEWER}
    assert sender.http.options(METADATA, headers=asked).status_code == 405
