"""The word to stop: told by a signal wherever the program is just then, and told twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from telemed.group.stop import Stop, stop_on_signals


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_signals_that_come_in_a_row_are_one_word() -> None:
    for _ in range(50):
        stop = stop_on_signals()
        assert not stop.wait(0)
        sender = threading.Thread(
            target=lambda: [os.kill(os.getpid(), signal.SIGTERM) for _ in range(5)], daemon=True
        )
        sender.start()
        assert stop.wait(30)
        sender.join(30)
        assert stop.wait()


def test_everybody_who_waits_is_told() -> None:
    stop = Stop()
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(stop.wait(30))) for _ in range(3)]
    for thread in threads:
        thread.start()
    stop.set()
    for thread in threads:
        thread.join(30)
    assert told == [True] * 3
