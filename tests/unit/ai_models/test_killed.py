"""The service is killed in the middle of a thousand requests: an answer each, or a clear error to retry."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from ai_models.client import RemoteRunner
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, RemoteFailed
from telemed.group import free_ports
from tests.unit.ai_models.test_service import inputs

REQUESTS, CALLERS = 1000, 8
PROGRAM = (
    "import sys; from ai_models.engine import Engine; from ai_models.server import serve; "
    "serve(Engine(), int(sys.argv[1]))"
)


def started(port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)])
    runner = RemoteRunner(f"http://127.0.0.1:{port}")
    until = time.monotonic() + 60
    while True:
        try:
            runner.check(MODEL)
            runner.close()
            return process
        except RemoteFailed:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)


def test_no_answer_is_lost_or_doubled_when_the_service_is_killed(engine: Engine) -> None:
    (port,) = free_ports(1)
    expected = engine.run(MODEL, inputs())["probability"].tobytes()
    process, tensors = started(port), inputs()
    answers: Counter[int] = Counter()
    wrong: list[object] = []
    retried: list[str] = []
    lock = threading.Lock()
    numbers = iter(range(REQUESTS))

    def caller(runner: RemoteRunner) -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            until = time.monotonic() + 90
            while time.monotonic() < until:
                try:
                    answer = runner.run(MODEL, tensors)["probability"].tobytes()
                except (RemoteFailed, EngineBusy) as error:
                    with lock:
                        retried.append(error.code)
                    time.sleep(0.05)
                    continue
                except Exception as error:  # noqa: BLE001 any other outcome is what this test looks for
                    wrong.append(error)
                    return
                with lock:
                    answers[number] += 1
                    if answer != expected:
                        wrong.append(number)
                break

    runners = [RemoteRunner(f"http://127.0.0.1:{port}") for _ in range(CALLERS)]
    threads = [threading.Thread(target=caller, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    try:
        while sum(answers.values()) < REQUESTS // 3:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process = started(port)
        for thread in threads:
            thread.join(120)
    finally:
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)
        for runner in runners:
            runner.close()
    assert not wrong
    assert answers == Counter(range(REQUESTS))
    assert set(retried) <= {"inference.unreachable", "model.busy"}
    assert retried


@pytest.mark.parametrize("request_count", [20])
def test_a_service_told_to_stop_answers_what_it_has_taken(request_count: int) -> None:
    (port,) = free_ports(1)
    process, tensors = started(port), inputs()
    runner = RemoteRunner(f"http://127.0.0.1:{port}")
    for _ in range(request_count):
        runner.run(MODEL, tensors)
    process.terminate()
    assert process.wait(30) == 0
    with pytest.raises(RemoteFailed):
        runner.run(MODEL, tensors)
    runner.close()
