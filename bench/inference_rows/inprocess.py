"""The engine's submit with many callers, in this process."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from ai_models.two_dimensional import two_dimensional
from bench.network import NAME
from bench.result import Row
from bench.rounds import CORES, Bench, against, arrangements, bare, interleaved, per_second, signal


def rows(bench: Bench) -> Iterator[Row]:
    inputs, engine = signal(), bench.engine
    turned = bare(two_dimensional(bench.model.read_bytes()), inputs, 1)
    found = interleaved(
        {
            **arrangements(lambda threads: bare(bench.model, inputs, threads), bench.seconds),
            "8": lambda: per_second(lambda: engine.run(NAME, inputs), 8, bench.seconds),
            "32": lambda: per_second(lambda: engine.run(NAME, inputs), 32, bench.seconds),
            "turned": lambda: per_second(turned, CORES, bench.seconds),
        },
        bench.rounds,
    )
    eight, many, same = found.pop("8"), found.pop("32"), statistics.median(found.pop("turned"))
    worse = min(eight, many, key=statistics.median)
    share = statistics.median(worse) / same
    yield against(
        "ecg_inprocess", worse, found, 0.98, "ECG/s",
        note=f"the worse of 8 and 32 callers; {share:.3f} of the bare runtime on the network as the engine turns it",
    )  # fmt: skip
