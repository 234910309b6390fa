"""Every route of the application, as everyone: generated from the routes themselves.

A new route fails here until it declares its rule, and until `Places` knows how to fill its path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, RouteContext
from starlette.testclient import TestClient

from telemed.application.peers import NoPeers
from telemed.domain.access import Action, may
from telemed.domain.exchange import RemoteNode
from telemed.domain.people import Role
from telemed.web import guard
from telemed.web.app import create_app
from tests.cast import CONTRACTED, PARTS, STRANGERS, TOWNSHIP_A1, Cast
from tests.integration.web.conftest import Joined, Program, Way
from tests.integration.web.walk_places import Places, told_critical, walked_node
from tests.integration.web.walk_requests import BODIES, OWN_MADE, OWN_ROWS_ONLY

ROLE_OF = {part.username: part.role for part in PARTS}
OWN = ("technician", "system", "family", "reporting", "reviewing", "admin")


class _Answering(NoPeers):
    """Other nodes are all there, and nobody is called."""

    def verify(self, node: RemoteNode) -> None:
        pass


@pytest.fixture
def app(cast: Cast) -> FastAPI:
    """With everything that may be installed, so that every route answers."""
    world = replace(cast.world, peers=_Answering())
    return create_app(Joined(world, replace(cast.settings, ohif_url="http://viewer.example")))


@pytest.fixture
def places(cast: Cast, way: Way) -> Places:
    """A released film with a picture, a copy for institution and family doctor, and a notice."""
    report = way.release()
    technician = way.program("technician")
    inboxes = {
        name: way.program(name).get("/api/v1/inbox")["rows"][0]["id"] for name in ("technician", "family")
    }
    inboxes["system"] = inboxes["technician"]
    # The same UID with other content is kept, and a person is told: that is the notice.
    from tests.factories.dicom import ecg_bytes, uid

    changed = ecg_bytes(
        patient_id="FIC-P1",
        patient_name="测试甲",
        accession="FIC-0001",
        sop_uid=way.sop_uid,
        study_uid=way.study_uid,
        series_uid=uid("other"),
    )
    assert technician.upload(changed)["objects"][0]["status"] == "conflict"
    notices = technician.get("/api/v1/notices")["notices"]
    case = way.program("reporting").get(way.path)
    series = case["series"][0]["series_instance_uid"]
    walked_node(cast)
    town = cast.sites[TOWNSHIP_A1].uid
    (person,) = technician.get("/api/v1/patients?q=FIC-P1")["people"]
    critical = told_critical(cast, way)
    return Places(way, report["id"], notices[0]["id"], series, inboxes, critical, town, person["id"])


def declared(app: FastAPI) -> Iterator[tuple[str, str, RouteContext]]:
    for route in guard.routes(app):
        for method in sorted(route.methods or ()):
            if method != "HEAD":
                yield method, str(route.path), route


def request(client: TestClient, method: str, template: str, path: str) -> int:
    if path == "/api/v1/worklist/stream":
        return _stream_status(client, path)
    answer = client.request(method, path, **BODIES.get((method, template), {}))
    return answer.status_code


def _stream_status(client: TestClient, path: str) -> int:
    """The status line alone: the stream behind it has no end."""
    status: list[int] = []

    async def run() -> None:
        headers = [(k.lower().encode(), v.encode()) for k, v in client.headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*headers, (b"host", b"testserver")],
            "client": ("test", 1),
            "server": ("testserver", 80),
            "state": {},
        }
        begun = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError("never")

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
                begun.set()

        serving = asyncio.create_task(client.app(scope, receive, send))  # type: ignore[arg-type]
        await begun.wait()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(run())
    return status[0]


def test_every_route_declares_its_rule(app: FastAPI) -> None:
    rules = {(method, path): guard.rule_of(route) for method, path, route in declared(app)}
    assert len(rules) > 50
    assert [where for where, rule in rules.items() if rule is None] == []
    assert all(isinstance(route.original_route, APIRoute) for _, _, route in declared(app))


def test_an_application_with_a_route_without_a_rule_does_not_start(cast: Cast, monkeypatch: Any) -> None:
    from telemed.web import health

    bare = APIRouter()

    @bare.get("/bare")
    def _no_rule() -> str:
        return "anything"

    bare.include_router(health.router)
    monkeypatch.setattr(health, "router", bare)
    with pytest.raises(RuntimeError, match="/bare"):
        create_app(Joined(cast.world, cast.settings))


def test_nobody_gets_nothing(app: FastAPI, places: Places) -> None:
    client = TestClient(app, follow_redirects=False)
    wrong = {}
    for method, template, route in declared(app):
        if guard.action_of(route) is None:
            continue
        answer = client.request(method, places.fill(template, ""), **BODIES.get((method, template), {}))
        page = method == "GET" and not template.startswith(("/api", "/dicom-web"))
        right = answer.status_code == 303 if page else answer.status_code == 401
        if page and right:
            right = answer.headers["location"].startswith("/sign-in?next=")
        if not right:
            wrong[method, template] = answer.status_code
    assert wrong == {}


def test_a_role_without_the_right_is_refused(
    app: FastAPI, places: Places, program: Callable[[str], Program]
) -> None:
    wrong, walked = {}, 0
    for method, template, route in declared(app):
        action = guard.action_of(route)
        for username in (*OWN, *STRANGERS):
            if action is None or may(ROLE_OF[username], action):
                continue
            walked += 1
            status = request(program(username).http, method, template, places.fill(template, username))
            if status != 403:
                wrong[method, template, username] = status
    assert walked > 200
    assert wrong == {}


def test_another_institution_finds_nothing(
    app: FastAPI, places: Places, program: Callable[[str], Program]
) -> None:
    """With the real ids of the first one, and with every right its role gives at home."""
    wrong, walked = {}, 0
    for method, template, route in declared(app):
        action = guard.action_of(route)
        if action is None or template in OWN_ROWS_ONLY or (method, template) in OWN_MADE:
            continue
        for username in STRANGERS:
            if not may(ROLE_OF[username], action):
                continue
            walked += 1
            status = request(program(username).http, method, template, places.fill(template, username))
            if status != 404:
                wrong[method, template, username] = status
    assert walked > 60
    assert wrong == {}


def test_the_lists_of_another_institution_are_empty_of_it(
    places: Places, program: Callable[[str], Program]
) -> None:
    secrets = (
        places.way.study_uid,
        places.way.case_id,
        places.report_id,
        places.notice_id,
        places.critical_id,
        "测试甲",
        "FIC-P1",
    )
    shown, walked = {}, 0
    for path in (
        "/api/v1/worklist?view=done",
        "/api/v1/worklist?view=all",
        "/api/v1/exams",
        "/api/v1/inbox",
        "/api/v1/critical",
        "/api/v1/critical?open=0",
        "/api/v1/admin/critical-rules",
        "/api/v1/notices",
        "/api/v1/corrections",
        "/api/v1/patients?q=FIC",
        "/corrections",
        "/dicom-web/studies",
        "/dicom-web/series",
        "/dicom-web/instances?includefield=all",
        "/township",
        "/inbox?open=0",
        "/reading",
        "/admin",
        "/api/v1/admin/users",
        "/api/v1/admin/devices",
        "/api/v1/admin/institutions",
    ):
        for username in STRANGERS:
            answer = program(username).http.get(path)
            if answer.status_code == 403:
                continue
            walked += 1
            assert answer.status_code in (200, 204), (path, username, answer.status_code)
            found = [secret for secret in secrets if secret in answer.text]
            if found:
                shown[path, username] = found
    for username in ("reporting-b", "reviewing-b"):
        for text in ("测试甲", "ceshijia", "csj", "FIC-P1", "FIC-0001", CONTRACTED, CONTRACTED[-4:]):
            answer = program(username).http.post("/api/v1/worklist/search", json={"text": text})
            assert (answer.status_code, answer.json()["rows"]) == (200, []), text
    assert walked > 30
    assert shown == {}


# What the right person's request may still meet: a state that does not allow it, never a refusal of the person.
_EXPECTED_CONFLICTS = {409, 422}
# The right person is refused here too: a right password would end the walk.
WRONG_ON_PURPOSE = ("/api/v1/session/reauthenticate", "/api/v1/session/password")
# Which of the own people a rule's rows belong to; a family doctor sees what was delivered to them.
_RIGHT: dict[Action, tuple[str, ...]] = {
    Action.SEE_SELF: OWN,
    Action.ORDER: ("technician", "system"),
    Action.UPLOAD: ("technician", "system"),
    Action.SEE_EXAMS: ("technician", "system"),
    Action.SEE_CASE: ("technician", "system", "family", "reporting", "reviewing"),
    Action.SEE_WORKLIST: ("reporting", "reviewing"),
    Action.WRITE_REPORT: ("reporting", "reviewing"),
    Action.REVIEW_REPORT: ("reviewing",),
    Action.SEE_INBOX: ("technician", "system", "family"),
    Action.SEE_CRITICAL: ("technician", "system", "family", "reporting", "reviewing"),
    Action.CORRECT: ("technician",),
    Action.SETTLE_REPEAT: ("technician",),
    Action.ANSWER_CRITICAL: ("technician", "family", "reporting", "reviewing"),
    Action.ADMINISTER: ("admin",),
}
_RESOLVERS = ("technician", "admin")


def test_the_right_person_is_let_in(app: FastAPI, places: Places, program: Callable[[str], Program]) -> None:
    wrong, walked = {}, 0
    for method, template, route in declared(app):
        action = guard.action_of(route)
        if action is None or template.endswith("/sign-out") or template in WRONG_ON_PURPOSE:
            continue
        people = _RESOLVERS if template.startswith("/api/v1/notices/") else _RIGHT[action]
        for username in people:
            walked += 1
            status = request(program(username).http, method, template, places.fill(template, username))
            # An ECG has no picture: that is said of the object (422), after the person was let in.
            if not (status < 400 or status in _EXPECTED_CONFLICTS):
                wrong[method, template, username] = status
    assert walked > 80
    assert wrong == {}


def test_the_rules_above_name_exactly_who_may() -> None:
    for action, people in _RIGHT.items():
        assert {ROLE_OF[name] for name in people} == {role for role in Role if may(role, action)}
