"""Urgent requests while ten times more backfill comes than the machine can do."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator

from ai_models.errors import EngineBusy
from bench.network import NAME
from bench.result import Row, quantile
from bench.rounds import CORES, Bench, milliseconds, signal
from telemed.domain.inference import Urgency

OVERLOAD, ALLOWED = 10, 3


def rows(bench: Bench) -> Iterator[Row]:
    engine, inputs = bench.engine, signal()
    cost_s = milliseconds(lambda: engine.run(NAME, inputs), 0.2) / 1e3
    calm = _urgent(bench, cost_s)
    refused, stop = [0], threading.Event()

    def flood() -> None:
        """Asks at ten times the rate of all cores, and does not wait for answers."""
        pause, due = cost_s / CORES / OVERLOAD, time.perf_counter()
        while not stop.is_set():
            due += pause
            try:
                engine.submit(NAME, inputs, urgency=Urgency.BACKFILL)
            except EngineBusy:
                refused[0] += 1
            time.sleep(max(due - time.perf_counter(), 0))

    flooding = threading.Thread(target=flood)
    flooding.start()
    time.sleep(0.2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    loaded = _urgent(bench, cost_s)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    stop.set()
    flooding.join()
    calm_p99, loaded_p99 = quantile(calm, 0.99), quantile(loaded, 0.99)
    yield Row(
        what="stat_under_backfill",
        value=round(loaded_p99, 3),
        unit="ms (p99)",
        peer="unloaded p99",
        peer_value=round(calm_p99, 3),
        ratio=round(ALLOWED * calm_p99 / loaded_p99, 3),
        goal=f"<= {ALLOWED} x unloaded p99",
        met=loaded_p99 <= ALLOWED * calm_p99 and refused[0] > 0,
        note=f"{len(loaded)} urgent requests, {refused[0]} backfill refused, memory +{grown:.1f} MiB",
    )


def _urgent(bench: Bench, cost_s: float) -> list[float]:
    """Latencies in ms of urgent requests at a fifth of one core's rate."""
    inputs, found = signal(), []
    until = time.perf_counter() + bench.seconds * bench.rounds
    while time.perf_counter() < until:
        started = time.perf_counter()
        bench.engine.run(NAME, inputs, urgency=Urgency.STAT)
        found.append(1e3 * (time.perf_counter() - started))
        time.sleep(4 * cost_s)
    return found
