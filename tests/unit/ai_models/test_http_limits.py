"""What many callers, large bodies and a taken port may cost: a bound each, and a sentence beyond it."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest

from ai_models import http, reception
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.server import HOST, serve, serving
from telemed.domain.errors import Unavailable
from telemed.i18n import text
from tests.unit.ai_models.test_http_line import answer, opened, request, until


def promise(size: int, begun: bytes = b"") -> bytes:
    return f"POST /v2/models/{MODEL}/infer HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode() + begun


def test_bodies_hold_what_arrived_and_all_together_what_they_may(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "LARGEST_TOGETHER", 4 * reception.FIRST)
    with serving(engine) as address, ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        lines = [stack.enter_context(opened(port)) for _ in range(5)]
        for line in lines[:4]:
            # The second byte waits for leave: then the server has seen the promise.
            line.sendall(promise(60_000_000).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            assert answer(line)[0] == 100
        lines[4].sendall(promise(2, b"{}"))
        status, headers, body = answer(lines[4])
        assert (status, json.loads(body)["code"], headers["retry-after"]) == (429, "http.429", "1")
        lines[0].sendall(b" " * reception.FIRST)  # it grows, and there is no room left
        assert answer(lines[0])[0] == 429
        lines[1].sendall(b" " * reception.FIRST)  # it grows into the room that the first gave back

        def another() -> int:
            with opened(port) as line:
                line.sendall(promise(2, b"{}"))
                return answer(line)[0]

        until(lambda: another() == 429)
        lines[2].close()
        until(lambda: another() == 400)


def test_a_large_body_arrives_whole_and_its_room_is_free_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"inputs": [], "filler": "0123456789" * 600_000}).encode()
    monkeypatch.setattr(reception, "LARGEST_TOGETHER", len(body))
    with serving(engine) as address, opened(int(address.rpartition(":")[2])) as line:
        for _ in range(3):
            line.sendall(promise(len(body), body))
            status, _, answered = answer(line)
            assert (status, json.loads(answered)["code"]) == (400, "body.no_tensors")


def test_too_many_connections_are_told_and_a_silent_one_gives_way(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_CONNECTIONS", 2)
    with serving(engine) as address, ExitStack() as stack:
        port = int(address.rpartition(":")[2])
        first, second = (stack.enter_context(opened(port)) for _ in range(2))
        for line in (first, second):
            line.sendall(request())
            assert answer(line)[0] == 200
        with opened(port) as third:
            status, headers, body = answer(third)
            assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "http.503", "1")
            assert third.recv(1) == b""
            monkeypatch.setattr(http, "IDLE_S", 0.0)
            with opened(port) as fourth:
                fourth.sendall(request())
                assert answer(fourth)[0] == 200
                assert first.recv(1) == b""


@pytest.mark.parametrize("port", [99999, -1, None])
def test_a_port_that_cannot_be_had_is_said_before_anything_is_loaded(port: int | None) -> None:
    with socket.create_server((HOST, 0)) as taken:
        asked = taken.getsockname()[1] if port is None else port
        engine = Engine()
        with pytest.raises(Unavailable) as error:
            serve(engine, asked)
    assert error.value.code == "inference.cannot_listen"
    assert str(asked) in text(error.value.code, "en", **error.value.params)
    assert not engine._loaded
