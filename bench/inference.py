"""The engine, its service, its decoders and the whole pipeline, each held against the best bare way in the same run.

`ratio` is ours over the limit or the peer; rounds are interleaved, their order reversed every other time, and medians
compared, because one machine moves by 10-20 % within an hour. What cannot be measured here is a row that says why.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.inference_rows import decode, http, inprocess, pipeline, precision, resident, single, stat
from bench.result import Row
from bench.rounds import Bench, skipped

Part = Callable[[Bench], Iterator[Row]]
PARTS: dict[str, Part] = {
    "ecg_inprocess": inprocess.rows,
    "ecg_http vs_mosec vs_fastapi": http.rows,
    "single": single.rows,
    "int8 bf16_amx": precision.rows,
    "decode": decode.rows,
    "product product_with_reports": pipeline.rows,
    "stat_under_backfill": stat.rows,
    "rss": resident.rows,
}


def rows(*, only: str | None, quick: bool) -> list[Row]:
    """Measure; one row a goal."""
    found: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-")))
        bench = Bench(folder, quick, stack)
        for names, part in PARTS.items():
            if only is None or any(only.startswith(name) for name in names.split()):
                found += part(bench)
    return [row for row in found if only in (None, row.what)]


__all__ = ["rows", "skipped"]
