"""`make bench-gpu`: through the engine on this machine's GPU, against the bare CUDA session at its best batch.

Writes `bench/results/inference_gpu.json`: throughput, the sweep over batch sizes, and the device's name. A machine
without a GPU says so in one line, and nothing is written.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from ai_models import ladder
from ai_models.batching import BUCKETS
from ai_models.cuda_session import OPTIONS, gpu_name
from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.registry import Registry, read_weights
from ai_models.runner import Tensor
from ai_models.session import CUDA
from bench import network
from bench.result import Row, report
from bench.rounds import Bench, against, interleaved, per_second

NAME, GOAL, CALLERS = "inference_gpu", 0.95, 64
RESULTS = Path(__file__).parent / "results"


def shortfall() -> str | None:
    """Why nothing can be measured here, in one line; None where it can."""
    if CUDA in onnxruntime.get_available_providers():
        return None
    return (
        "no GPU here: the runtime has no CUDAExecutionProvider (extra 'gpu', a driver and CUDA 12 are needed)"
    )


def bare(manifest: Manifest) -> Callable[[dict[str, Tensor]], Any]:
    """The runtime alone with the same options, inputs from ordinary memory."""
    session = onnxruntime.InferenceSession(read_weights(manifest), providers=[(CUDA, OPTIONS)])
    if session.get_providers()[0] != CUDA:
        raise ModelRefused(
            "model.provider_not_used", provider=CUDA, active=", ".join(session.get_providers())
        )
    return lambda inputs: session.run(None, inputs)


def rows(bench: Bench) -> Iterator[Row]:
    network.installed(bench.folder / "registry")
    for registry in (Registry(bench.folder / "registry"), Registry()):
        engine = Engine(registry, CUDA, waiting=4 * CALLERS)
        bench.stack.callback(engine.close)
        engine.warm()
        for manifest in registry.models():
            yield from model_rows(bench, engine, manifest)


def model_rows(bench: Bench, engine: Engine, manifest: Manifest) -> Iterator[Row]:
    one = {name: values[:1] for name, values in ladder.typical_inputs(manifest).items()}
    alone, sweep = bare(manifest), {}
    for bucket in BUCKETS:
        batch = {name: np.repeat(values, bucket, axis=0) for name, values in one.items()}
        sweep[f"batch {bucket}"] = _times(alone, batch, bucket, bench.seconds / 2)
    ways: dict[str, Callable[[], float]] = {
        **sweep,
        "engine": lambda: per_second(lambda: engine.run(manifest.name, one), CALLERS, bench.seconds),
    }
    found = interleaved(ways, bench.rounds)
    ours = found.pop("engine")
    told = ", ".join(f"{name} {statistics.median(values):.0f}/s" for name, values in found.items())
    yield against(
        f"gpu_{manifest.name}", ours, found, GOAL, "requests/s", note=f"{CALLERS} callers; bare {told}"
    )


def _times(
    alone: Callable[[dict[str, Tensor]], Any], batch: dict[str, Tensor], rows_each: int, seconds: float
) -> Callable[[], float]:
    """Rows a second of the bare session with two callers, so that copying and computing overlap there too."""
    return lambda: rows_each * per_second(lambda: alone(batch), 2, seconds)


def main() -> int:
    if reason := shortfall():
        print(reason, file=sys.stderr)
        return 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-")))
        try:
            found = report(NAME, list(rows(Bench(folder, False, stack))))
        except ModelRefused as error:
            print(f"the GPU cannot be used: {error}", file=sys.stderr)
            return 1
    found["machine"]["gpu"] = gpu_name() or "unknown"
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=2) + "\n"
    (RESULTS / f"{NAME}.json").write_text(text, "utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
