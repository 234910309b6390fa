"""The HTTP/1.1 line itself: what a raw socket may send, and a caller that goes away."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_models import ladder, protocol, wishes
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.loads import Loads
from ai_models.registry import Registry
from ai_models.server import HOST, serving
from telemed.domain.inference import Urgency
from tests.unit.ai_models.test_service import Stub, inputs, newer


@pytest.fixture(scope="module")
def port(engine: Engine) -> Iterator[int]:
    with serving(engine) as address:
        yield int(address.rpartition(":")[2])


def opened(port: int) -> closing[socket.socket]:
    return closing(socket.create_connection((HOST, port), timeout=30))


def answer(line: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of the next response on a connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = line.recv(65536)
        assert part, data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rows = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    return int(first.split()[1]), headers, body


def request(body: bytes = b"", path: str = "/v2", *headers: str, method: str = "GET") -> bytes:
    rows = [f"{method} {path} HTTP/1.1", "Host: here", *headers]
    if body or method == "POST":
        rows.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*rows, "", ""]).encode() + body


def infer(urgency: Urgency = Urgency.ROUTINE, within: float | None = None) -> bytes:
    head = {"parameters": {"binary_data_output": True, **wishes.parameters_of(urgency, within)}}
    body, length = protocol.encode(inputs(), head, "inputs")
    rows = f"{protocol.HEADER_LENGTH}: {length}"
    return request(body, f"/v2/models/{MODEL}/infer", rows, method="POST")


TWICE = (
    b"POST /v2 HTTP/1.1\r\nContent-Length: 0\r\n" + 2 * b"Inference-Header-Content-Length: 0\r\n" + b"\r\n"
)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /v2 HTTP/2.0\r\n\r\n", 400),
        (b"GET v2 HTTP/1.1\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nName : x\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\n\r\n", 411),
        (b"POST /v2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: -2\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: two\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (TWICE, 400),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", 413),
        (b"POST /v2 HTTP/1.1\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n", 415),
        (b"GET /v2 HTTP/1.1\r\nX: " + b"a" * 20000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(port: int, sent: bytes, status: int) -> None:
    with opened(port) as line:
        line.sendall(sent)
        found, headers, body = answer(line)
        assert found == status
        assert json.loads(body)["code"] == f"http.{status}"
        assert headers["connection"] == "close"
        assert line.recv(1) == b""


def test_a_connection_is_kept_and_answers_in_order_what_came_at_once(port: int) -> None:
    many = [request(path="/v2/health/live"), infer(), request(path="/v2/nowhere")] * 40
    with opened(port) as line:
        sender = threading.Thread(target=line.sendall, args=(b"".join(many),))
        sender.start()
        reader = line.makefile("rb")
        statuses = []
        for _ in many:
            status = int(reader.readline().split()[1])
            length = 0
            while (row := reader.readline()) != b"\r\n":
                if row.lower().startswith(b"content-length:"):
                    length = int(row.split(b":")[1])
            reader.read(length)
            statuses.append(status)
        sender.join(30)
    assert statuses == [200, 200, 404] * 40


def test_a_request_in_single_bytes_is_a_request(port: int) -> None:
    with opened(port) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(path="/v2/health/live"):
            line.sendall(bytes([byte]))
        assert answer(line)[0] == 200


def test_http_1_0_and_connection_close_end_the_connection(port: int) -> None:
    for sent in (b"GET /v2 HTTP/1.0\r\n\r\n", request(b"", "/v2", "Connection: close")):
        with opened(port) as line:
            line.sendall(sent)
            assert answer(line)[0] == 200
            assert line.recv(1) == b""


def test_a_sender_that_waits_for_leave_gets_it(port: int) -> None:
    whole = infer().replace(b"Host: here\r\n", b"Host: here\r\nExpect: 100-continue\r\n")
    end = whole.index(b"\r\n\r\n") + 4
    with opened(port) as line:
        line.sendall(whole[:end])
        assert answer(line)[0] == 100
        line.sendall(whole[end:])
        assert answer(line)[0] == 200


def held(waiting: int = 128) -> tuple[Engine, Stub]:
    stub = Stub(held=True)
    engine = Engine(runners=1, waiting=waiting)
    engine.warm()
    (loaded,) = (one for (name, _), one in engine._loaded.items() if name == MODEL)
    loaded.session = stub
    loaded.wide = None
    return engine, stub


def until(true: Any) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_full_line_answers_429_and_says_when_to_come_again() -> None:
    engine, stub = held(waiting=1)
    with serving(engine) as address:
        port = int(address.rpartition(":")[2])
        with opened(port) as first, opened(port) as second, opened(port) as third:
            first.sendall(infer())
            assert stub.started.acquire(timeout=30)
            second.sendall(infer())
            until(lambda: engine.scheduler.waiting()[Urgency.ROUTINE] == 1)
            third.sendall(infer())
            status, headers, body = answer(third)
            assert (status, json.loads(body)["code"]) == (429, "model.busy")
            assert int(headers["retry-after"]) >= 1
            third.sendall(infer(Urgency.STAT, within=30.0))  # another class: not full
            until(lambda: engine.scheduler.waiting()[Urgency.STAT] == 1)
            stub.go.set()
            assert [answer(line)[0] for line in (first, second, third)] == [200, 200, 200]


def test_a_caller_that_goes_away_frees_its_place() -> None:
    engine, stub = held(waiting=1)
    with serving(engine) as address:
        port = int(address.rpartition(":")[2])
        with opened(port) as first, opened(port) as last:
            first.sendall(infer())
            assert stub.started.acquire(timeout=30)
            with opened(port) as gone:
                gone.sendall(infer())
                until(lambda: engine.scheduler.waiting()[Urgency.ROUTINE] == 1)
            until(lambda: engine.scheduler.waiting()[Urgency.ROUTINE] == 0)
            last.sendall(infer())
            stub.go.set()
            assert answer(first)[0] == answer(last)[0] == 200
    assert stub.runs == 2


def test_a_deadline_in_the_request_is_kept_or_refused() -> None:
    engine, stub = held()
    (loaded,) = (one for (name, _), one in engine._loaded.items() if name == MODEL)
    loaded.took(inputs(), 5.0)
    with serving(engine) as address, opened(int(address.rpartition(":")[2])) as line:
        line.sendall(infer(within=1.0))
        status, _, body = answer(line)
        assert (status, json.loads(body)["code"]) == (429, "model.too_late")
        stub.go.set()
        line.sendall(infer(within=20.0))
        assert answer(line)[0] == 200


@pytest.mark.parametrize("timeout", [10**400, 10**305, 2**63])
def test_an_endless_timeout_is_a_long_one(timeout: int) -> None:
    assert wishes.urgency_of({"parameters": {"timeout": timeout}})[1] == wishes.LONGEST_S


def test_while_an_older_version_is_loaded_all_else_is_answered(
    copied: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer(copied(), "0.9.0")
    engine = Engine(Registry(tmp_path), runners=1)
    engine.warm()
    begun, go, choose = threading.Event(), threading.Event(), ladder.choose

    def slow(*given: Any) -> Any:
        begun.set()
        assert go.wait(30)
        return choose(*given)

    monkeypatch.setattr(ladder, "choose", slow)
    older = infer().replace(b"/infer", b"/versions/0.9.0/infer", 1)
    with serving(engine) as address:
        port = int(address.rpartition(":")[2])
        with opened(port) as first, opened(port) as line:
            first.sendall(older)
            assert begun.wait(30)
            for path in ("/v2/health/live", "/readyz", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/ready"):
                line.sendall(request(path=path))
                assert answer(line)[0] == 200
            line.sendall(infer())
            assert answer(line)[0] == 200
            line.sendall(request(path="/v2/repository/index"))
            states = {one["version"]: one["state"] for one in json.loads(answer(line)[2])}
            assert states == {"1.0.0": "READY", "0.9.0": "UNKNOWN"}
            go.set()
            status, _, body = answer(first)
            assert status == 200
            assert protocol.split(body[: body.index(b"]}") + 2], None)[0]["model_version"] == "0.9.0"


def test_a_caller_that_goes_away_before_the_load_asks_for_nothing(engine: Engine) -> None:
    loads, go, made = Loads(engine), threading.Event(), []
    holding = loads.run(lambda: go.wait(30))

    def begin() -> Future[int]:
        made.append(Future[int]())
        return made[-1]

    gone, waits, late = loads.then(begin), loads.then(begin), loads.then(begin)
    assert gone.cancel()
    go.set()
    assert holding.result(30)
    until(lambda: len(made) == 2)
    assert late.cancel()
    made[0].set_result(7)
    assert waits.result(30) == 7
    until(made[1].cancelled)
    loads.close()


@pytest.mark.parametrize("parameters", [{"priority": "high"}, {"priority": -1}, {"timeout": 1.5}])
def test_parameters_that_make_no_sense_are_named(port: int, parameters: dict[str, Any]) -> None:
    body, length = protocol.encode(inputs(), {"parameters": parameters}, "inputs")
    sent = request(body, f"/v2/models/{MODEL}/infer", f"{protocol.HEADER_LENGTH}: {length}", method="POST")
    with opened(port) as line:
        line.sendall(sent)
        status, _, answered = answer(line)
        assert (status, json.loads(answered)["code"]) == (400, "body.parameter")


def test_a_model_that_is_taken_out_is_not_ready_and_says_why() -> None:
    engine, stub = held()
    stub.answer = lambda: [np.full((1, 6), np.nan, np.float32)]
    stub.go.set()
    with serving(engine) as address, opened(int(address.rpartition(":")[2])) as line:
        for code in ("model.bad_output", "model.bad_output", "model.taken_out", "model.taken_out"):
            line.sendall(infer())
            status, _, body = answer(line)
            assert (status, json.loads(body)["code"]) == (503, code)
        line.sendall(request(path="/readyz"))
        assert answer(line)[0] == 503
        line.sendall(request(path="/v2/repository/index"))
        states = {one["name"]: one["state"] for one in json.loads(answer(line)[2])}
        assert states.pop(MODEL) == "UNAVAILABLE"
        assert set(states.values()) == {"READY"}
        line.sendall(request(path="/metrics"))
        _, headers, page = answer(line)
        assert headers["content-type"].startswith("text/plain")
        assert f'telemed_inference_failed_total{{model="{MODEL}"}} 3.0'.encode() in page
        line.sendall(request(path=f"/v2/repository/models/{MODEL}/load", method="POST"))
        assert answer(line)[0] == 200
        line.sendall(infer())
        assert answer(line)[0] == 200
