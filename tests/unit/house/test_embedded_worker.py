"""How many processes do the jobs of a house without a broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from telemed.settings import Settings
from workers import embedded


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(workers=3), [(0, 1), (1, 1), (2, 1)]),
        (Settings(workers=1), [(0, 1)]),
        (Settings(workers=3, inference_provider="cuda"), [(0, 3)]),
    ],
)
def test_a_process_for_each_job_at_once_but_one_for_a_gpu(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, expected: list[tuple[int, int]]
) -> None:
    started: list[tuple[int, int]] = []

    def run_jobs(_settings: Settings, number: int, threads: int) -> int:
        started.append((number, threads))
        return 0

    def fork(count: int, one: Callable[[int], int]) -> int:
        return max(one(number) for number in range(count))

    monkeypatch.setattr(embedded, "_run_jobs", run_jobs)
    monkeypatch.setattr(embedded, "_preload", lambda: None)
    monkeypatch.setattr(embedded.forks, "run", fork)
    assert embedded.run(settings) == 0
    assert started == expected
