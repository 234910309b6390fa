"""People of the cast at their browsers and programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from telemed.web.app import create_app
from tests.cast import CONTRACTED, PASSWORD, Cast
from tests.factories.dicom import ecg_bytes, uid

ORIGIN = "http://testserver"


@dataclass
class Joined:
    """What `create_app` asks of the composition root."""

    world: Any
    settings: Any


@pytest.fixture
def app(cast: Cast) -> FastAPI:
    return create_app(Joined(cast.world, cast.settings))


class Program:
    """Somebody with a bearer token; every call may name the status it expects."""

    def __init__(self, app: FastAPI, username: str, password: str = PASSWORD) -> None:
        self.http = TestClient(app, follow_redirects=False)
        self.username = username
        grant = {"grant_type": "password", "username": username, "password": password}
        if username.startswith("system"):
            grant = {"grant_type": "client_credentials", "client_id": username, "client_secret": password}
        answer = self.http.post("/auth/token", data=grant)
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, expect: int = 200, **more: Any) -> Any:
        return self._answer(self.http.get(path, **more), expect)

    def post(self, path: str, body: Any = None, expect: int = 200, **more: Any) -> Any:
        return self._answer(self.http.post(path, json=body or {}, **more), expect)

    def put(self, path: str, body: Any, expect: int = 200) -> Any:
        return self._answer(self.http.put(path, json=body), expect)

    def upload(self, *files: bytes) -> Any:
        parts = [("files", (f"file-{number}.dcm", content)) for number, content in enumerate(files)]
        return self._answer(self.http.post("/api/v1/uploads", files=parts), 200)

    @staticmethod
    def _answer(answer: Any, expect: int) -> Any:
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text[:600]}"
        has_json = answer.content and "json" in answer.headers.get("content-type", "")
        return answer.json() if has_json else answer


class Browser:
    """Somebody at a browser: cookies, the page's CSRF token, and the origin that browsers tell."""

    def __init__(self, app: FastAPI, **headers: str) -> None:
        self.http = TestClient(app, follow_redirects=False, headers={"Accept": "text/html", **headers})
        self.csrf = ""

    def sign_in(self, username: str, password: str = PASSWORD, next_: str = "") -> Any:
        answer = self.http.post(
            "/sign-in",
            data={"username": username, "password": password, "next": next_},
            headers={"Origin": ORIGIN},
        )
        if answer.status_code == 303:
            page = self.http.get(answer.headers["location"])
            self.csrf = csrf_of(page.text)
        return answer

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, "Accept": "application/json"} | headers
        return self.http.post(path, json=body or {}, headers=sent)


def csrf_of(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    return found[1] if found else ""


@pytest.fixture
def program(app: FastAPI) -> Iterator[Callable[[str], Program]]:
    """Makes (and remembers) the program of a person of the cast."""
    made: dict[str, Program] = {}

    def of(username: str) -> Program:
        if username not in made:
            made[username] = Program(app, username)
        return made[username]

    yield of
    for one in made.values():
        one.http.close()


@pytest.fixture
def browser(app: FastAPI) -> Iterator[Browser]:
    made = Browser(app)
    yield made
    made.http.close()


ORDER = {
    "accession_number": "FIC-0001",
    "patient": {
        "patient_id": "FIC-P1",
        "name": "测试甲",
        "sex": "F",
        "birth_date": "1960-02-29",
        "id_card_number": CONTRACTED,
    },
    "modality": "ECG",
    "description": "十二导联心电图",
    "priority": "routine",
    "clinical_history": "胸闷三天",
}
REPORT = {
    "findings": "窦性心律，心率 72 次/分。",
    "impression": "正常心电图",
    "recommendation": "定期复查",
    "critical": False,
    "abnormal": False,
}


@dataclass
class Way:
    """The steps of one study, so that a test says only what it is about."""

    cast: Cast
    program: Callable[[str], Program]
    case_id: str = ""
    study_uid: str = ""
    sop_uid: str = ""

    def order(self, **changes: Any) -> Any:
        return self.program("technician").post("/api/v1/orders", ORDER | changes, expect=201)

    def send(self, file: bytes | None = None) -> Any:
        content = file or ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0001")
        answer = self.program("technician").upload(content)
        self.study_uid = answer["objects"][0]["study_instance_uid"]
        self.sop_uid = answer["objects"][0]["sop_instance_uid"]
        return answer

    def arrive(self, **order: Any) -> str:
        """Ordered, sent, complete, routed, inferred: in the list. Returns the case's id."""
        self.order(**order)
        self.send()
        self.cast.run_jobs()
        rows = self.program("reporting").get("/api/v1/worklist")["rows"]
        self.case_id = next(row["id"] for row in rows if row["study_instance_uid"] == self.study_uid)
        return self.case_id

    @property
    def path(self) -> str:
        return f"/api/v1/cases/{self.case_id}"

    def write(self, who: str = "reporting", **changes: Any) -> Any:
        doctor = self.program(who)
        case = doctor.post(f"{self.path}/claim")
        revision = case["report"]["revision"] if case["report"] else 0
        return doctor.put(f"{self.path}/draft", {**REPORT, "revision": revision, **changes})

    def sign(self, who: str = "reporting") -> Any:
        draft = self.write(who)
        return self.program(who).post(f"{self.path}/sign", {"revision": draft["revision"]})

    def approve(self, who: str = "reviewing") -> Any:
        case = self.program(who).get(self.path)
        body = {"decision": "approve", "revision": case["report"]["revision"]}
        return self.program(who).post(f"{self.path}/review", body)

    def release(self) -> Any:
        """From nothing to a report that its recipients have."""
        self.arrive()
        self.sign()
        self.approve()
        self.cast.run_jobs()
        return self.program("reporting").get(self.path)["report"]


@pytest.fixture
def way(cast: Cast, program: Callable[[str], Program]) -> Way:
    return Way(cast, program)


__all__ = ["ORDER", "ORIGIN", "REPORT", "Browser", "Joined", "Program", "Way", "csrf_of", "uid"]
