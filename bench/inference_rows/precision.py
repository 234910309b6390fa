"""The rungs of the shipped ECG model: the engine on each, against the bare runtime in fp32."""

from __future__ import annotations

from collections.abc import Iterator

from ai_models import ladder
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from ai_models.registry import Registry, read_weights
from bench.result import Row
from bench.rounds import CORES, Bench, against, bare, interleaved, per_second, skipped

NAMES = {"int8": "int8", "bf16": "bf16_amx"}


def rows(bench: Bench) -> Iterator[Row]:
    manifest = Registry().get(MODEL)
    inputs = ladder.typical_inputs(manifest)
    narrow = bare(read_weights(manifest), inputs, 1)
    engines, refused = {}, {}
    for name in NAMES:
        engine = Engine(precision=name)
        try:
            engine.identity(MODEL)
            engines[name] = engine
        except ModelRefused as error:
            refused[name] = str(error.params.get("reason", error))
    ways = {"bare": lambda: per_second(narrow, CORES, bench.seconds)}
    for name, engine in engines.items():
        ways[name] = lambda engine=engine: per_second(  # type: ignore[misc]
            lambda: engine.run(MODEL, inputs), 8, bench.seconds
        )
    found = interleaved(ways, bench.rounds)
    for name, what in NAMES.items():
        if name in refused:
            yield skipped(what, ">= 3", refused[name])
        else:
            yield against(what, found[name], {"bare fp32": found["bare"]}, 3, "ECG/s")
    for engine in engines.values():
        engine.close()
