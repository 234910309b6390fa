"""Interleaved rounds of several ways to do one thing, and the rows they make."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from ai_models.engine import Engine, usable_cores
from ai_models.registry import Registry
from bench import network
from bench.result import Row

CORES = usable_cores()


@dataclass
class Bench:
    """What the parts share: a folder, how long a round lasts, and the network of a million parameters."""

    folder: Path
    quick: bool
    stack: ExitStack

    @property
    def seconds(self) -> float:
        return 0.3 if self.quick else 3.0

    @property
    def rounds(self) -> int:
        return 2 if self.quick else 5

    @cached_property
    def model(self) -> Path:
        return network.installed(self.folder / "registry") / "model.onnx"

    @cached_property
    def engine(self) -> Engine:
        assert self.model
        engine = Engine(Registry(self.folder / "registry"))
        engine.warm()
        self.stack.callback(engine.close)
        return engine


def signal() -> dict[str, Any]:
    generator = np.random.default_rng(7)
    return {"x": generator.standard_normal((1, 12, network.SAMPLES), dtype=np.float32) * np.float32(0.2)}


def bare(source: Path | bytes, inputs: dict[str, Any], threads: int) -> Callable[[], Any]:
    """The runtime alone on the network as it comes, as anybody would call it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    data = source.read_bytes() if isinstance(source, Path) else source
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def arrangements(make: Callable[[int], Callable[[], Any]], seconds: float) -> dict[str, Callable[[], float]]:
    """The ways to use all cores with the bare runtime; the best of them in a run is 1.00. `make`: the run to repeat,
    for a number of threads."""
    wide, narrow = make(CORES), make(1)
    return {
        "bare intra=cores, 1 caller": lambda: per_second(wide, 1, seconds),
        "bare intra=1, callers=cores": lambda: per_second(narrow, CORES, seconds),
        "bare intra=1, 8 callers": lambda: per_second(narrow, 8, seconds),
    }


def best_of(measured: Mapping[str, list[float]]) -> list[float]:
    """The rounds of the way with the highest median."""
    return max(measured.values(), key=statistics.median)


def per_second(call: Callable[[], Any], callers: int, seconds: float) -> float:
    """Calls a second with `callers` threads."""
    counts, until = [0] * callers, time.perf_counter() + seconds

    def loop(number: int) -> None:
        while time.perf_counter() < until:
            call()
            counts[number] += 1

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def milliseconds(call: Callable[[], Any], seconds: float, least: int = 3) -> float:
    """Median time of one call after another, at least `least`."""
    call()
    spent: list[float] = []
    until = time.perf_counter() + seconds
    while len(spent) < least or time.perf_counter() < until:
        started = time.perf_counter()
        call()
        spent.append(1e3 * (time.perf_counter() - started))
    return statistics.median(spent)


def interleaved(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways) if turn % 2 == 0 else reversed(list(ways)):
            measured[name].append(ways[name]())
    return measured


def against(
    what: str,
    ours: list[float],
    others: Mapping[str, list[float]],
    goal: float,
    unit: str,
    *,
    less_is_better: bool = False,
    note: str = "",
) -> Row:
    """Ours against the best of the others."""
    best = (min if less_is_better else max)(others, key=lambda name: statistics.median(others[name]))
    limit, value = statistics.median(others[best]), statistics.median(ours)
    ratio = limit / value if less_is_better else value / limit
    spread = f"{min(ours):.4g}-{max(ours):.4g} to {min(others[best]):.4g}-{max(others[best]):.4g}, {len(ours)} rounds"
    return Row(
        what=what,
        value=round(value, 3),
        unit=unit,
        peer=best,
        peer_value=round(limit, 3),
        ratio=round(ratio, 3),
        goal=f">= {goal}",
        met=ratio >= goal,
        note=f"{spread}; load {os.getloadavg()[0]:.1f}. {note}".strip(),
    )


def skipped(what: str, goal: str, reason: str) -> Row:
    """A row that was not measured is a row that is not met."""
    return Row(
        what=what, value=0.0, unit="-", peer="-", peer_value=0.0, ratio=0.0, goal=goal, met=False,
        note=f"not measured: {reason}",
    )  # fmt: skip
