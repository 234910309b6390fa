"""A monitor asks the pages, and reads what the worker's engine counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_models.analyser import Analyser
from ai_models.engine import Engine
from ai_models.shared_metrics import STALE_S, Publisher, published


def test_what_was_written_is_read_until_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine.prom"
    assert published(path) == b""
    Publisher(path, lambda: b"one 1\n").write()
    written = path.stat().st_mtime
    assert published(path) == b"one 1\n"
    assert published(path, lambda: written + STALE_S + 1) == b""
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_is_written_again_and_goes_with_its_process(tmp_path: Path) -> None:
    path, counts = tmp_path / "engine.prom", iter(range(1000))
    publisher = Publisher(path, lambda: f"n {next(counts)}\n".encode(), every=0.01)
    publisher.start()
    while published(path) in (b"", b"n 0\n"):
        pass
    publisher.close()
    assert not path.exists()


def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    publisher = Publisher(blocked / "engine.prom", lambda: b"n 1\n", every=0.01)
    publisher.start()
    while "not written" not in caplog.text:
        pass
    publisher.close()
    assert published(blocked / "engine.prom") == b""


def test_the_engine_beside_is_shown_and_else_the_own(engine: Engine) -> None:
    assert Analyser(engine, elsewhere=lambda: b"beside 1\n").metrics() == b"beside 1\n"
    own = Analyser(engine, elsewhere=lambda: b"").metrics()
    assert b"telemed_inference_run_seconds" in own
    assert Analyser(engine).metrics().splitlines()[0] == own.splitlines()[0]
