"""The list moves by itself, also when another process writes the event."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from telemed.application.worklist import events_after
from telemed.domain.access import Actor
from telemed.domain.errors import Unavailable
from telemed.domain.events import Event, Kind
from telemed.web.live import hub as hub_module
from telemed.web.live import stream as stream_module
from telemed.web.live.hub import GAP_SECONDS, Batch, Cursor, Subscription
from telemed.web.server import GRACE_SECONDS, Server
from tests.cast import NOW, PASSWORD, Cast
from tests.integration.web.conftest import Way

ROOT = Path(__file__).resolve().parents[3]

# What a separate receiving process does, again and again: its own world on the same disk and tables.
SENDER = """
import json, sys
from pathlib import Path
from telemed.application.handlers import HANDLERS
from telemed.application.receive import receive
from telemed.application.run_jobs import run_due
from tests.cast import FakeAnalyser, MovableClock, open_world
from tests.factories.dicom import ecg_bytes
from tests.receiving import incoming_of

for line in sys.stdin:
    root, url, institution, consortium, seed = json.loads(line)
    world = open_world(Path(root), url, MovableClock(), FakeAnalyser())
    file = ecg_bytes(patient_id="FIC-" + seed, seed=seed)
    receive(world, [incoming_of(world, file, institution, consortium)])
    while run_due(world, HANDLERS, limit=20):
        pass
    print("done", flush=True)
"""

Send = Callable[..., None]


@pytest.fixture(scope="module")
def _sender() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SENDER]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture
def send(cast: Cast, _sender: subprocess.Popen[str]) -> Send:
    """Has the other process receive an ECG; returns when its rows are committed."""

    def from_another_process(seed: str, site: str = "a-township-1") -> None:
        place = cast.sites[site]
        order = [str(cast.root), cast.settings.database_url, place.id, place.consortium_id, seed]
        assert _sender.stdin is not None and _sender.stdout is not None
        _sender.stdin.write(json.dumps(order) + "\n")
        _sender.stdin.flush()
        assert _sender.stdout.readline() == "done\n"

    return from_another_process


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The application on a real port: a test client would wait for the end of an endless answer."""
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


class Listener:
    """The events of one live list, read in a thread of its own."""

    def __init__(self, client: httpx2.Client, headers: dict[str, str]) -> None:
        self.events: list[tuple[str, str, Any]] = []
        self.ended = threading.Event()
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(client, headers), daemon=True)
        self._thread.start()

    def _read(self, client: httpx2.Client, headers: dict[str, str]) -> None:
        with client.stream("GET", "/api/v1/worklist/stream", headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    with self._arrived:
                        data = json.loads(fields["data"])
                        self.events.append((fields["event"], fields.get("id", ""), data))
                        self._arrived.notify_all()
                    fields = {}
        self.ended.set()

    def wait_for(self, fits: Callable[[str, Any], bool], seconds: float = 20) -> tuple[str, str, Any]:
        with self._arrived:
            found = self._arrived.wait_for(
                lambda: next((e for e in self.events if fits(e[0], e[2])), None), timeout=seconds
            )
        assert found, f"not told; told was {[e[0] for e in self.events]}"
        return found


Listen = Callable[..., tuple[httpx2.Client, Listener]]


@pytest.fixture
def listen(app: FastAPI, address: str) -> Iterator[Listen]:
    opened: list[tuple[httpx2.Client, Listener]] = []

    def open_line(username: str, **headers: str) -> tuple[httpx2.Client, Listener]:
        client = httpx2.Client(base_url=address, timeout=30)
        grant = {"grant_type": "password", "username": username, "password": PASSWORD}
        token = client.post("/auth/token", data=grant).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        listener = Listener(client, headers)
        opened.append((client, listener))
        listener.wait_for(lambda name, _: name == "hello")
        return client, listener

    yield open_line
    app.state.hub.close()
    for client, listener in opened:
        assert listener.ended.wait(10)
        client.close()


def tells(patient_id: str) -> Callable[[str, Any], bool]:
    def fits(name: str, data: Any) -> bool:
        return name == "cases" and any(row["patient"]["patient_id"] == patient_id for row in data["rows"])

    return fits


def test_a_study_of_another_process_enters_the_open_list(send: Send, listen: Listen) -> None:
    _, doctor = listen("reporting")
    _, stranger = listen("reporting-b")
    send("S1")
    _, _, delta = doctor.wait_for(tells("FIC-S1"))
    assert delta["counts"]["waiting"] == 1
    assert delta["rows"][0]["modality"] == "ECG"
    # A stranger's list is told of its own studies, and of no other.
    send("S2", site="b-township")
    stranger.wait_for(tells("FIC-S2"))
    told = json.dumps(stranger.events)
    assert "FIC-S1" not in told
    assert "FIC-S2" not in json.dumps(doctor.events)


def test_a_line_that_was_cut_resumes_with_what_it_missed(send: Send, listen: Listen) -> None:
    _, first = listen("reporting")
    send("S1")
    _, last, _ = first.wait_for(tells("FIC-S1"))
    send("S2")
    _, resumed = listen("reporting", **{"Last-Event-ID": last})
    resumed.wait_for(tells("FIC-S2"))


def test_the_line_ends_when_its_person_signs_out(cast: Cast, listen: Listen) -> None:
    client, doctor = listen("reporting")
    token = client.headers["Authorization"]
    with httpx2.Client(base_url=client.base_url, headers={"Authorization": token}) as other:
        assert other.post("/api/v1/session/sign-out").status_code == 204
    doctor.wait_for(lambda name, _: name == "signed_out")
    assert doctor.ended.wait(10)


def test_the_line_ends_with_its_session(
    cast: Cast,
    listen: Listen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.2)
    _, doctor = listen("reporting")
    cast.clock.move(hours=2)
    doctor.wait_for(lambda name, _: name == "signed_out")
    assert doctor.ended.wait(10)


def test_a_server_that_is_told_to_stop_ends_its_open_lines_itself(app: FastAPI) -> None:
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with httpx2.Client(base_url=base, timeout=30) as client:
        grant = {"grant_type": "password", "username": "reporting", "password": PASSWORD}
        token = client.post("/auth/token", data=grant).json()["access_token"]
        listener = Listener(client, {"Authorization": f"Bearer {token}"})
        listener.wait_for(lambda name, _: name == "hello")
        server.should_exit = True
        # The line ends in good order: an answer cut by force would be an error in the reader's thread.
        assert listener.ended.wait(GRACE_SECONDS + 10)
    thread.join(10)
    assert not thread.is_alive()


def test_a_database_that_is_away_for_a_moment_loses_no_event(
    cast: Cast, way: Way, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, doctor = listen("reporting")
    away = threading.Event()

    def failing(world: Any, **query: Any) -> Any:
        if away.is_set():
            raise Unavailable("error.database_unavailable")
        return events_after(world, **query)

    monkeypatch.setattr(hub_module, "events_after", failing)
    away.set()
    way.arrive()
    time.sleep(0.5)
    away.clear()
    doctor.wait_for(tells("FIC-P1"))


def event(number: int) -> Event:
    made = Event(uid=str(number), at=NOW, kind=Kind.CASE_ROUTED)
    made.id = number
    return made


def test_a_lower_id_that_commits_later_is_still_told_and_told_once() -> None:
    cursor = Cursor(10)
    assert [e.id for e in cursor.fresh([event(11), event(13)], now=0.0)] == [11, 13]
    assert cursor.position == 11
    assert [e.id for e in cursor.fresh([event(12), event(13)], now=0.2)] == [12]
    assert cursor.position == 13
    assert cursor.fresh([], now=0.4) == []


def test_a_gap_that_stays_is_given_up_after_the_longest_transaction() -> None:
    cursor = Cursor(10)
    cursor.fresh([event(13), event(14)], now=0.0)
    assert cursor.position == 10
    cursor.fresh([event(13), event(14)], now=GAP_SECONDS / 2)
    assert cursor.position == 10
    cursor.fresh([event(13), event(14)], now=GAP_SECONDS + 1)
    assert cursor.position == 14
    assert [e.id for e in cursor.fresh([event(15)], now=GAP_SECONDS + 2)] == [15]


def test_a_list_that_takes_nothing_is_closed_so_that_it_comes_back(cast: Cast) -> None:
    async def run() -> bool:
        subscription = Subscription(cast_actor(cast))
        for number in range(1, 1002):
            subscription.offer(Batch(number, {}))
        return subscription.closed

    assert asyncio.run(run())


def cast_actor(cast: Cast) -> Actor:
    person = cast.people["reporting"]
    return Actor(
        user_id=person.id,
        user_uid=person.uid,
        username=person.username,
        display_name=person.display_name,
        role=person.role,
        institution_id=person.institution_id,
        consortium_id=person.consortium_id,
        license_number=person.license_number,
        language=person.language,
        authenticated_at=NOW,
    )


def test_each_reader_is_told_which_cases_are_the_own(cast: Cast, way: Way, listen: Listen) -> None:
    _, doctor = listen("reporting")
    _, colleague = listen("colleague")
    way.arrive()
    way.program("reporting").post(f"{way.path}/claim")

    def held(mine: bool) -> Callable[[str, Any], bool]:
        return lambda name, data: (
            name == "cases"
            and bool(data["rows"])
            and data["rows"][0]["holder"] == {"name": "虚构报告医师", "mine": mine}
        )

    _, _, own = doctor.wait_for(held(True))
    _, _, others = colleague.wait_for(held(False))
    assert (own["counts"]["mine"], others["counts"]["mine"]) == (1, 0)
    assert "mine" in own["rows"][0]["views"]
    assert "mine" not in others["rows"][0]["views"]


def test_who_was_away_is_told_whether_the_line_knows_all_that_was_missed(
    cast: Cast, way: Way, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.arrive()
    _, fresh = listen("reporting")
    assert fresh.wait_for(lambda name, _: name == "hello")[2]["resumed"] is False
    _, resumed = listen("reporting", **{"Last-Event-ID": "1"})
    assert resumed.wait_for(lambda name, _: name == "hello")[2]["resumed"] is True
    resumed.wait_for(tells("FIC-P1"))
    monkeypatch.setattr(stream_module, "_RESUMED", 1)
    _, late = listen("reporting", **{"Last-Event-ID": "1"})
    assert late.wait_for(lambda name, _: name == "hello")[2]["resumed"] is False


def test_looking_at_a_case_moves_no_list(cast: Cast, way: Way, listen: Listen) -> None:
    way.arrive()
    _, doctor = listen("reporting")
    way.program("colleague").get(way.path)
    way.program("colleague").post(f"{way.path}/claim")
    _, _, delta = doctor.wait_for(lambda name, _: name == "cases")
    assert delta["rows"][0]["state"] == "reading"


def test_counts_that_move_by_the_clock_are_told_without_an_event(
    cast: Cast, way: Way, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "COUNTS_PERIOD", 0.2)
    way.arrive()
    _, doctor = listen("reporting")
    cast.clock.move(minutes=45)
    _, _, delta = doctor.wait_for(lambda n, d: n == "cases" and d["counts"]["overdue"] == 1)
    assert delta["rows"] == []


def test_the_line_tells_the_very_rows_that_the_list_has(cast: Cast, way: Way, listen: Listen) -> None:
    _, doctor = listen("reporting")
    way.arrive()
    _, _, delta = doctor.wait_for(
        lambda n, d: tells("FIC-P1")(n, d) and d["rows"][0]["ai"]["state"] == "done"
    )
    assert delta["rows"] == way.program("reporting").get("/api/v1/worklist")["rows"]
    way.program("reporting").post(f"{way.path}/claim")
    doctor.wait_for(lambda n, d: n == "cases" and d["rows"] and d["rows"][0]["state"] == "reading")
