"""What runs on a GPU, without one: batches, buckets, and bindings, on the processor and on a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from ai_models import ladder
from ai_models.batching import BUCKETS, JointRun, bucket_of, kind_of
from ai_models.cuda_session import (
    MOST_SHAPES,
    OPTIONS,
    TOLERANCE,
    BucketSession,
    OrtBinding,
    demand_agreement,
    gpu_name,
)
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.pinned import pinned, plain
from ai_models.registry import Registry, read_weights
from ai_models.runner import Tensor
from ai_models.scheduler import Scheduler
from ai_models.session import CUDA, open_session
from bench import gpu
from telemed.domain.inference import Urgency


@dataclass
class Fake:
    """A session and all its bindings in one, which notes what it was asked to do; `y` is twice `x`."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)
    provider: str = CUDA
    runtime: str = "fake"
    device: str = "fake"

    def run(self, outputs: Sequence[str], inputs: dict[str, Tensor]) -> list[Tensor]:
        raise AssertionError("a GPU is run through its bindings")

    def binding(self, outputs: Sequence[str]) -> Fake.Binding:
        assert list(outputs) == ["y"]
        return Fake.Binding(self.steps)

    @dataclass
    class Binding:
        steps: list[tuple[Any, ...]]
        bound: dict[str, Tensor | None] = field(default_factory=dict)
        device: dict[str, Tensor] = field(default_factory=dict)

        def bind_input(self, name: str, values: Tensor) -> None:
            self.device[name] = values.copy()
            self.steps.append(("in", values.shape))

        def bind_output(self, name: str, values: Tensor | None) -> None:
            self.bound[name] = values
            self.steps.append(("out", None if values is None else values.shape))

        def run(self) -> None:
            self.steps.append(("run", self.device["x"].shape))
            if (target := self.bound["y"]) is not None:
                target[:] = 2 * self.device["x"]

        def output(self, name: str) -> Tensor:
            return 2 * self.device["x"]


def manifest_of(*names: str) -> Manifest:
    from ai_models.manifest import TensorSpec

    x, y = (TensorSpec(name, "FP32", (-1, 3)) for name in names)
    return Manifest(Path(), "fake", "1.0.0", "0" * 64, "test", (), "none/1", "fp32", (), (x,), (y,), {})


def session(fake: Fake, runners: int = 1) -> BucketSession:
    return BucketSession(manifest_of("x", "y"), fake, fake.binding, runners=runners, allocate=plain)


def x(rows: int, width: int = 3) -> Tensor:
    return np.arange(rows * width, dtype=np.float32).reshape(rows, width)


@pytest.mark.parametrize(("rows", "bucket"), [(1, 1), (2, 2), (3, 4), (8, 8), (9, 16), (17, 32), (32, 32)])
def test_rows_go_into_the_smallest_bucket_that_holds_them(rows: int, bucket: int) -> None:
    assert bucket_of(rows) == bucket


@pytest.mark.parametrize("rows", [0, 33])
def test_what_fits_no_bucket_is_an_error(rows: int) -> None:
    with pytest.raises(ValueError, match="rows"):
        bucket_of(rows)


@pytest.mark.parametrize("rows", [1, 3, 5, 32, 33, 70])
def test_every_request_gets_its_own_rows_back(rows: int) -> None:
    fake = Fake()
    asked = session(fake)
    for _ in range(3):
        (answer,) = asked.run(["y"], {"x": x(rows)})
        np.testing.assert_array_equal(answer, 2 * x(rows))
    assert {step[1][0] for step in fake.steps if step[0] == "run"} <= set(BUCKETS)


def test_the_rest_of_a_bucket_repeats_the_last_row() -> None:
    seen: list[Tensor] = []

    class Looking(Fake.Binding):
        def run(self) -> None:
            seen.append(self.device["x"])
            super().run()

    fake = Fake()
    asked = BucketSession(
        manifest_of("x", "y"), fake, lambda _: Looking(fake.steps), runners=1, allocate=plain
    )
    asked.run(["y"], {"x": x(3)})
    np.testing.assert_array_equal(seen[0], x(3)[[0, 1, 2, 2]])


def test_inputs_are_bound_anew_before_each_run_and_outputs_once_their_shape_is_known() -> None:
    fake = Fake()
    asked = session(fake)
    for _ in range(3):
        asked.run(["y"], {"x": x(2)})
    one = [("in", (2, 3)), ("run", (2, 3))]
    assert fake.steps == [("out", None), *one, ("out", (2, 3)), *one, *one]


def test_nothing_is_new_after_warming() -> None:
    fake = Fake()
    asked = session(fake, runners=2)
    asked.warm({"x": x(1)})
    assert {step[1][0] for step in fake.steps if step[0] == "run"} == set(BUCKETS)
    fake.steps.clear()
    for rows in range(1, 33):
        asked.run(["y"], {"x": x(rows)})
    assert not [step for step in fake.steps if step[0] == "out"]


def test_buffers_of_shapes_long_unused_are_let_go() -> None:
    fake = Fake()
    asked = session(fake)
    for width in range(1, MOST_SHAPES + 2):
        asked.run(["y"], {"x": x(1, width)})
    fake.steps.clear()
    asked.run(["y"], {"x": x(1, 2)})
    assert ("out", None) not in fake.steps
    asked.run(["y"], {"x": x(1, 1)})
    assert ("out", None) in fake.steps


@pytest.mark.parametrize("name", ["ecg-superclass", DELINEATION])
def test_bindings_of_the_runtime_answer_as_its_plain_run_does(name: str) -> None:
    manifest = Registry().get(name)
    inner = open_session(manifest, read_weights(manifest))
    outputs = [spec.name for spec in manifest.outputs]
    bound = BucketSession(manifest, inner, lambda names: OrtBinding(inner.inner, names), allocate=pinned)
    generator = np.random.default_rng(3)
    for rows in (1, 3, 3, 2):
        inputs = {
            key: generator.standard_normal((rows, *value.shape[1:])).astype(value.dtype)
            for key, value in ladder.typical_inputs(manifest).items()
        }
        for ours, plainly in zip(bound.run(outputs, inputs), inner.run(outputs, inputs), strict=True):
            np.testing.assert_allclose(ours, plainly, rtol=0, atol=1e-6)


def test_a_gpu_that_answers_otherwise_than_the_processor_is_refused() -> None:
    class Off:
        provider = runtime = device = ""

        def __init__(self, by: float) -> None:
            self.by = by

        def run(self, outputs: Sequence[str], inputs: Any) -> list[Tensor]:
            return [inputs["x"] + np.float32(self.by)]

    manifest = manifest_of("x", "y")
    demand_agreement(manifest, Off(TOLERANCE / 4), Off(0), {"x": np.zeros((1, 3), np.float32)})
    for by in (2 * TOLERANCE, float("nan")):
        with pytest.raises(ModelRefused) as caught:
            demand_agreement(manifest, Off(by), Off(0), {"x": np.zeros((1, 3), np.float32)})
        assert caught.value.code == "model.gpu_differs"


def test_no_shape_is_tuned_for_and_no_mantissa_is_cut() -> None:
    assert (OPTIONS["cudnn_conv_algo_search"], OPTIONS["use_tf32"]) == ("HEURISTIC", "0")


def test_the_name_of_the_gpu_is_the_drivers(tmp_path: Path) -> None:
    assert gpu_name(tmp_path) == ""
    folder = tmp_path / "0000:01:00.0"
    folder.mkdir()
    (folder / "information").write_text("Model: \t\t Example GPU 1\nIRQ:   17\n")
    assert gpu_name(tmp_path) == "Example GPU 1"


# --- requests that wait together run together -----------------------------------------------------------------


class Line:
    """A scheduler of one slot that is held until `let_go`, so that what is asked meanwhile stands in line."""

    def __init__(self) -> None:
        self.scheduler, self.runs = Scheduler(1), list[int]()
        self._held, began = threading.Event(), threading.Event()

        def hold() -> None:
            began.set()
            self._held.wait(30)

        self._first = self._submit(hold)
        assert began.wait(30)

    def _submit(self, work: Any, urgency: Urgency = Urgency.ROUTINE) -> Any:
        return self.scheduler.submit(work, urgency=urgency, within=60.0, cost=0.0)

    def ask(self, value: float, rows: int = 1, width: int = 3, urgency: Urgency = Urgency.ROUTINE) -> Any:
        inputs = {"x": np.full((rows, width), value, np.float32)}
        return self._submit(JointRun(kind_of(inputs), inputs, self._run), urgency)

    def _run(self, inputs: Any) -> dict[str, Tensor]:
        self.runs.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise RuntimeError("a negative one")
        return {"y": 2 * inputs["x"]}

    def let_go(self, *futures: Any) -> None:
        self._held.set()
        done, left = wait(futures, 30)
        assert not left and len(done) == len(futures)
        self.scheduler.close()


def test_those_in_line_share_one_run_and_get_their_own_answers() -> None:
    line = Line()
    futures = [line.ask(value, rows=1 + value % 2) for value in range(5)]
    line.let_go(*futures)
    assert line.runs == [7]
    for value, future in enumerate(futures):
        np.testing.assert_array_equal(future.result()["y"], np.full((1 + value % 2, 3), 2.0 * value))


def test_a_run_holds_no_more_than_the_largest_bucket_and_only_its_own_kind() -> None:
    line = Line()
    futures = [*(line.ask(1, rows=20) for _ in range(2)), line.ask(1, width=4), line.ask(1, rows=12)]
    line.let_go(*futures)
    assert sorted(line.runs) == [1, 20, 32]


def test_a_less_urgent_one_never_rides_along() -> None:
    line = Line()
    futures = [line.ask(1, urgency=Urgency.BACKFILL), line.ask(1), line.ask(1, urgency=Urgency.STAT)]
    line.let_go(*futures)
    # The urgent one alone; then the other two, because backfill may run with what is more urgent in its own turn.
    assert line.runs[0] == 1 and sum(line.runs) == 3


def test_one_that_spoils_a_run_spoils_no_other() -> None:
    line = Line()
    good, bad, also = line.ask(1), line.ask(-1), line.ask(2)
    line.let_go(good, bad, also)
    assert isinstance(bad.exception(), RuntimeError)
    assert good.result()["y"][0, 0] == 2.0 and also.result()["y"][0, 0] == 4.0


def test_one_that_was_cancelled_in_line_is_not_run() -> None:
    line = Line()
    stays, goes = line.ask(1), line.ask(1)
    assert goes.cancel()
    line.let_go(stays)
    assert line.runs == [1]


def test_measuring_without_a_gpu_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this machine's runtime can use a GPU")
    assert gpu.main() == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and CUDA in said.err
