"""What the machine itself does to a time that is measured on it: others may have their share of it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench.result import quantile

_STAT = Path("/proc/stat")
_STEPS = 60_000


class Host:
    """From when it is made: how long the same work took again and again, and what other guests were given."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._began = _jiffies()

    def work(self) -> None:
        started = time.perf_counter()
        sum(range(_STEPS))
        self._times.append(1e3 * (time.perf_counter() - started))

    def told(self) -> str:
        """In words, for the note of a row."""
        middle, worst = statistics.median(self._times), quantile(self._times, 0.99)
        said = f"the same {middle:.1f} ms of work took {worst:.1f} ms (p99) meanwhile"
        kept = self.kept()
        return said if kept is None else f"{said}, the host kept {kept:.0%} of the time"

    def kept(self) -> float | None:
        """The share of all cores' time in which the host ran somebody else; None where it does not tell."""
        whole, stolen = (now - then for now, then in zip(_jiffies(), self._began, strict=True))
        return stolen / whole if whole else None


def _jiffies() -> tuple[int, int]:
    """Of all cores: every tick, and those in which the host ran somebody else."""
    if not _STAT.exists():
        return 0, 0
    ticks = [int(one) for one in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return sum(ticks), ticks[7]
