"""One urgent caller alone: p50 against the bare runtime on all cores."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.network import NAME
from bench.result import Row
from bench.rounds import CORES, Bench, bare, interleaved, milliseconds, signal
from telemed.domain.inference import Urgency

ALLOWED_MS = 1.0


def rows(bench: Bench) -> Iterator[Row]:
    inputs, engine = signal(), bench.engine
    wide = bare(bench.model, inputs, CORES)
    found = interleaved(
        {
            "bare": lambda: milliseconds(wide, bench.seconds),
            "ours": lambda: milliseconds(
                lambda: engine.run(NAME, inputs, urgency=Urgency.STAT), bench.seconds
            ),
        },
        bench.rounds,
    )
    limit, value = (statistics.median(found[name]) for name in ("bare", "ours"))
    yield Row(
        what="single",
        value=round(value, 3),
        unit="ms (p50)",
        peer="bare intra=cores",
        peer_value=round(limit, 3),
        ratio=round((limit + ALLOWED_MS) / value, 3),
        goal=f"<= bare + {ALLOWED_MS:g} ms",
        met=value <= limit + ALLOWED_MS,
        note=f"{min(found['ours']):.2f}-{max(found['ours']):.2f} ms",
    )
