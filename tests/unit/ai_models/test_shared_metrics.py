"""A monitor asks the pages, and reads what the worker's engine counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ai_models.analyser import Analyser
from ai_models.engine import Engine
from ai_models.metrics import Metrics
from ai_models.shared_metrics import STALE_S, Publisher, published
from telemed.domain.analysis import ModelIdentity
from telemed.domain.errors import Unavailable
from telemed.domain.inference import Urgency


def test_what_was_written_is_read_until_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "run" / "0.prom"
    assert published(path.parent) == b""
    Publisher(path, lambda: b"one 1\n").write()
    written = path.stat().st_mtime
    assert published(path.parent) == b"one 1\n"
    assert published(path.parent, lambda: written + STALE_S + 1) == b""
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_several_processes_count_as_one(tmp_path: Path) -> None:
    identity = ModelIdentity(
        name="ecg", version="1", sha256="ab", preprocessing="p/1", precision="fp32",
        provider="cpu", runtime="r", device="d",
    )  # fmt: skip
    for number, well in enumerate((True, False, True)):
        counts = Metrics()
        counts.watch(lambda: dict.fromkeys(Urgency, 2), lambda: 1)
        counts.in_service(identity, well)
        counts.ran("ecg", 1, 0.02)
        if number == 2:
            counts.failed("ecg")
        Publisher(tmp_path / f"{number}.prom", counts.text).write()
    told = published(tmp_path).decode()
    assert 'telemed_inference_run_seconds_count{model="ecg"} 3.0' in told
    assert 'telemed_inference_run_seconds_bucket{le="0.025",model="ecg"} 3.0' in told
    assert 'telemed_inference_failed_total{model="ecg"} 1.0' in told
    assert 'telemed_inference_waiting{urgency="stat"} 6.0' in told
    assert "telemed_inference_running 3.0" in told
    # One of them took the model out: that must be seen.
    (service,) = [line for line in told.splitlines() if line.startswith("telemed_inference_model{")]
    assert service.endswith(" 0.0")
    assert told.count("# TYPE telemed_inference_run_seconds histogram") == 1


def test_a_process_of_pages_learns_from_the_workers_whether_the_models_answer(engine: Engine) -> None:
    page = engine.metrics_text()
    pages = {
        "all": page,
        "none": b"",
        "out": re.sub(rb'(telemed_inference_model\{.*"ecg-superclass".*) 1.0', rb"\1 0.0", page),
    }
    asked = []

    def analyser(which: str) -> Analyser:
        idle = Engine()
        asked.append(idle)
        return Analyser(idle, elsewhere=lambda: pages[which], asks_elsewhere=True)

    analyser("all").check()
    for which, code in (("none", "inference.no_worker"), ("out", "model.taken_out")):
        with pytest.raises(Unavailable) as error:
            analyser(which).check()
        assert error.value.code == code
    # No session was made for that.
    assert all(b"telemed_inference_model{" not in idle.metrics_text() for idle in asked)


def test_it_is_written_again_and_goes_with_its_process(tmp_path: Path) -> None:
    path, counts = tmp_path / "0.prom", iter(range(1000))
    publisher = Publisher(path, lambda: f"n {next(counts)}\n".encode(), every=0.01)
    publisher.start()
    while published(tmp_path) in (b"", b"n 0\n"):
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
    assert published(blocked) == b""


def test_the_engine_beside_is_shown_and_else_the_own(engine: Engine) -> None:
    assert Analyser(engine, elsewhere=lambda: b"beside 1\n").metrics() == b"beside 1\n"
    own = Analyser(engine, elsewhere=lambda: b"").metrics()
    assert b"telemed_inference_run_seconds" in own
    assert Analyser(engine).metrics().splitlines()[0] == own.splitlines()[0]
