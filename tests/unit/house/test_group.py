"""A fallen part stands up again; one that keeps falling ends the group, and says so."""

from __future__ import annotations

import pytest

from telemed import group
from telemed.cli.demo import _watch
from telemed.settings import Settings


class Parts:
    """In place of processes: each start of a part takes the next status from the list; None runs on."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.started = 0
        self.returncode: int | None = None
        self.group: group.ProcessGroup | None = None

    def __call__(self, *_: object, **__: object) -> Parts:
        self.returncode = self.statuses[self.started]
        self.started += 1
        if self.returncode is None and self.group is not None:
            self.group._stopping.set()
        return self

    def poll(self) -> int | None:
        return self.returncode


def started(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> group.ProcessGroup:
    monkeypatch.setattr("telemed.group.subprocess.Popen", parts)
    parts.group = group.ProcessGroup(Settings(), ["worker"])
    parts.group.start()
    return parts.group


def test_a_part_killed_once_soon_after_its_start_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(-9, None)
    assert started(monkeypatch, parts).watch() == 0
    assert parts.started == 2


def test_a_part_that_falls_at_every_start_ends_the_demo_with_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts, status = Parts(1, 1, 1, 1, 1, 1), list[int]()
    running = started(monkeypatch, parts)
    _watch(running, running._stopping, status)
    assert status == [1]
    assert parts.started < 6
