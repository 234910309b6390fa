"""Urgent requests while ten times more backfill comes than the machine can do, and in between while none comes."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ai_models.engine import Engine
from ai_models.errors import EngineBusy
from bench.network import NAME
from bench.result import Row, quantile
from bench.rounds import CORES, Bench, milliseconds, per_second, signal
from telemed.domain.inference import Urgency

OVERLOAD, ALLOWED, FLAT_MIB = 10, 3, 10.0
# A little more is sent than is asked for: a sender that falls behind must not make the load a lesser one.
SENT = 1.1 * OVERLOAD
TICK_S = 0.001


def rows(bench: Bench) -> Iterator[Row]:
    """Calm and loaded blocks in turn, their order reversed every other time: what else the machine does meets both.

    Memory is the high-water mark's growth from the first loaded block to the last: a line that is bounded is full in
    the first.
    """
    engine, inputs = bench.engine, signal()
    cost_s = milliseconds(lambda: engine.run(NAME, inputs), 0.2) / 1e3
    capacity = per_second(lambda: engine.run(NAME, inputs), 4 * CORES, bench.seconds)
    calm, loaded, peaks = list[float](), list[float](), list[float]()
    flood = Flood(engine, SENT * capacity)

    def under_load() -> None:
        with flood.running():
            time.sleep(0.2)
            loaded.extend(_urgent(bench, cost_s))
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    for turn in range(bench.rounds):
        blocks = [lambda: calm.extend(_urgent(bench, cost_s)), under_load]
        for block in blocks if turn % 2 == 0 else reversed(blocks):
            block()
    calm_p99, loaded_p99 = quantile(calm, 0.99), quantile(loaded, 0.99)
    grown, offered = peaks[-1] - peaks[0], flood.asked / flood.seconds / capacity
    yield Row(
        what="stat_under_backfill",
        value=round(loaded_p99, 3),
        unit="ms (p99)",
        peer="unloaded p99",
        peer_value=round(calm_p99, 3),
        ratio=round(ALLOWED * calm_p99 / loaded_p99, 3),
        goal=f"<= {ALLOWED} x unloaded p99, memory +{FLAT_MIB:g} MiB at most",
        met=loaded_p99 <= ALLOWED * calm_p99
        and offered >= OVERLOAD
        and flood.refused > 0
        and grown <= FLAT_MIB,
        note=f"{len(calm)} urgent requests calm (p50 {quantile(calm, 0.5):.1f} ms), {len(loaded)} loaded"
        f" (p50 {quantile(loaded, 0.5):.1f} ms), {bench.rounds} rounds; backfill offered {offered:.1f} x capacity"
        f" ({capacity:.0f}/s), {flood.refused} of {flood.asked} refused; memory +{grown:.1f} MiB",
    )


@dataclass
class Flood:
    """Backfill at `rate` a second that does not wait for answers; what was asked and refused over all its spans."""

    engine: Engine
    rate: float
    asked: int = 0
    refused: int = 0
    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Behind it the line is empty again: the next block begins as if nothing had been."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        while self.engine.scheduler.running() or any(self.engine.scheduler.waiting().values()):
            time.sleep(0.01)

    def _run(self, stop: threading.Event) -> None:
        inputs, started, asked = signal(), time.perf_counter(), 0
        while not stop.is_set():
            # All that is due, not one a wake-up: on a busy machine it wakes up late.
            owed = int((time.perf_counter() - started) * self.rate) - asked
            for _ in range(owed):
                try:
                    self.engine.submit(NAME, inputs, urgency=Urgency.BACKFILL)
                except EngineBusy:
                    self.refused += 1
            asked += owed
            time.sleep(TICK_S)
        self.asked += asked
        self.seconds += time.perf_counter() - started


def _urgent(bench: Bench, cost_s: float) -> list[float]:
    """Latencies in ms of urgent requests at a fifth of one core's rate."""
    inputs, found = signal(), []
    until = time.perf_counter() + bench.seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        bench.engine.run(NAME, inputs, urgency=Urgency.STAT)
        found.append(1e3 * (time.perf_counter() - started))
        time.sleep(4 * cost_s)
    return found
