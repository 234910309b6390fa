"""The rungs of the shipped ECG model: the engine on each, against the bare runtime in fp32.

bf16 needs the extra `openvino`. Where it is absent and the processor could use it, a full run lays it into a folder
of its own, as it does with peers, and the rungs are measured in a process that has this folder on its path.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ai_models import ladder, openvino_session
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from ai_models.registry import Registry, read_weights
from bench import peers
from bench.result import Row
from bench.rounds import Bench, against, arrangements, bare, best_of, interleaved, per_second, skipped

LOUD = 10
NAMES = {"int8": "int8", "bf16": "bf16_amx"}


def rows(bench: Bench) -> Iterator[Row]:
    if openvino_session.shortfall() == openvino_session.ABSENT:
        try:
            yield from elsewhere(peers.beside("openvino", install=not bench.quick), bench.quick)
        except peers.NoPeer as error:
            yield from here(bench, {"bf16": f"{openvino_session.ABSENT}, and {error}"})
        return
    yield from here(bench, {})


def elsewhere(packages: Path, quick: bool) -> Iterator[Row]:
    """`here`, in a process that finds `packages` beside its own."""
    path = os.pathsep.join(part for part in (str(packages), os.environ.get("PYTHONPATH", "")) if part)
    done = subprocess.run(
        [sys.executable, "-m", __name__, *(["quick"] if quick else [])],
        env={**os.environ, "PYTHONPATH": path}, cwd=Path(__file__).parents[2], capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    for row in json.loads(done.stdout.splitlines()[-1]):
        yield Row(**row)


def here(bench: Bench, known: dict[str, str]) -> Iterator[Row]:
    """Both rows in this process; `known`: what is known to be missing, and why."""
    manifest = Registry().get(MODEL)
    inputs = ladder.typical_inputs(manifest)
    weights = read_weights(manifest)
    engines, refused = {}, {}
    for name in NAMES:
        engine = Engine(precision=name)
        try:
            engine.identity(MODEL)
            engines[name] = engine
        except ModelRefused as error:
            refused[name] = known.get(name) or str(error.params.get("reason", error))
    ways = arrangements(lambda threads: bare(weights, inputs, threads), bench.seconds)
    limits = list(ways)
    for name, engine in engines.items():
        ways[name] = lambda engine=engine: per_second(  # type: ignore[misc]
            lambda: engine.run(MODEL, inputs), 8, bench.seconds
        )
    notes = {}
    if "int8" in engines:
        # Of the evidence's recordings some are louder than the 8 bits reach, and go to the fp32 half of the file.
        loud = {**inputs, "windows": inputs["windows"] * np.float32(LOUD)}
        ways["loud"] = lambda: per_second(lambda: engines["int8"].run(MODEL, loud), 8, bench.seconds)
    found = interleaved(ways, bench.rounds)
    limit = {f"{name}, fp32": found[name] for name in limits}
    if "loud" in found:
        share = statistics.median(found["loud"]) / statistics.median(best_of(limit))
        notes["int8"] = f"recordings of more than 3 mV are answered in fp32, {share:.2f} of bare"
    for name, what in NAMES.items():
        if name in refused:
            yield skipped(what, ">= 3", refused[name])
        else:
            yield against(what, found[name], limit, 3, "ECG/s", note=notes.get(name, ""))
    for engine in engines.values():
        engine.close()


def main(arguments: list[str]) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-"))
        found = list(here(Bench(Path(folder), "quick" in arguments, stack), {}))
    print(json.dumps([asdict(row) for row in found], ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
