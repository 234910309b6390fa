"""What a benchmark says: rows with the peer or the limit beside, `met` computed from the same run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """`ratio` is ours over the peer (or the limit), turned so that more is better."""

    what: str
    value: float
    unit: str
    peer: str
    peer_value: float
    ratio: float
    goal: str
    met: bool
    note: str = ""


def under_limit(
    what: str, values: Sequence[float], unit: str, limit: float, *, of: str = "p95", note: str = ""
) -> Row:
    """A row about staying below a limit: ratio = limit / value."""
    value = quantile(values, {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}[of])
    spread = f"n {len(values)}, median {statistics.median(values):.3f}, max {max(values):.3f} {unit}"
    return Row(
        what=what,
        value=round(value, 3),
        unit=f"{unit} ({of})",
        peer="limit",
        peer_value=limit,
        ratio=round(limit / value, 2),
        goal=f"<= {limit} {unit}",
        met=value <= limit,
        note=f"{spread}. {note}".strip(),
    )


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def machine() -> dict[str, Any]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def report(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    return {"bench": name, "machine": machine(), "rows": [asdict(row) for row in rows]}
