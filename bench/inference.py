"""The ECG network through the engine and over HTTP, held against the bare runtime in the same run.

`ratio` is ours over the best bare arrangement measured in this run; rounds are interleaved and medians compared,
because one machine moves by 10-20 % within an hour.
"""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
import uvicorn

from ai_models.client import RemoteRunner
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine, usable_cores
from ai_models.registry import Registry, read_weights
from ai_models.server import HOST, create_app
from bench.result import Row

GOALS = {"ecg_inprocess": 0.98, "ecg_http_c8": 0.92, "ecg_http_c32": 0.92}


def inputs() -> dict[str, Any]:
    """A recording of ten seconds as the network takes it; its content does not change the work."""
    generator = np.random.default_rng(7)
    windows = generator.standard_normal((1, 6, 12, 300), dtype=np.float32) * np.float32(0.2)
    return {"windows": windows, "rhythm": np.zeros((1, 3), np.float32)}


def throughput(call: Callable[[], Any], callers: int, seconds: float) -> float:
    """Calls a second with `callers` threads, counted over `seconds`."""
    until = time.perf_counter() + seconds

    def loop() -> int:
        count = 0
        while time.perf_counter() < until:
            call()
            count += 1
        return count

    started = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        total = sum(future.result() for future in [pool.submit(loop) for _ in range(callers)])
    return total / (time.perf_counter() - started)


def bare(intra: int) -> Callable[[], Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra
    session = onnxruntime.InferenceSession(
        read_weights(Registry().get(MODEL)), options, providers=["CPUExecutionProvider"]
    )
    tensors = inputs()
    return lambda: session.run(["probability"], tensors)


def rows(*, only: str | None, quick: bool) -> list[Row]:
    """Measure; one row a goal."""
    cores, seconds, rounds = usable_cores(), 1.0 if quick else 3.0, 3 if quick else 5
    engine = Engine()
    engine.warm()
    listener = socket.create_server((HOST, 0))
    app = create_app(engine)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    remote = RemoteRunner(f"http://{HOST}:{listener.getsockname()[1]}")
    tensors = inputs()
    wide, narrow = bare(cores), bare(1)
    ways: dict[str, Callable[[], float]] = {
        "bare intra=cores, 1 caller": lambda: throughput(wide, 1, seconds),
        "bare intra=1, callers=cores": lambda: throughput(narrow, cores, seconds),
        "bare intra=1, 8 callers": lambda: throughput(narrow, 8, seconds),
        "ecg_inprocess": lambda: throughput(lambda: engine.run(MODEL, tensors), 8, seconds),
        "ecg_http_c8": lambda: throughput(lambda: remote.run(MODEL, tensors), 8, seconds),
        "ecg_http_c32": lambda: throughput(lambda: remote.run(MODEL, tensors), 32, seconds),
    }
    chosen = {name: way for name, way in ways.items() if name not in GOALS or only in (None, name)}
    measured: dict[str, list[float]] = {name: [] for name in chosen}
    for turn in range(rounds):
        for name in list(chosen) if turn % 2 == 0 else reversed(list(chosen)):
            measured[name].append(chosen[name]())
    remote.close()
    server.should_exit = True
    thread.join(10)
    app.state.service.close()
    listener.close()
    peers = {name: statistics.median(values) for name, values in measured.items() if name not in GOALS}
    peer = max(peers, key=lambda name: peers[name])
    return [_row(name, values, peer, peers[peer]) for name, values in measured.items() if name in GOALS]


def _row(name: str, values: list[float], peer: str, limit: float) -> Row:
    value = statistics.median(values)
    ratio = value / limit
    return Row(
        what=name,
        value=round(value, 1),
        unit="ECG/s",
        peer=peer,
        peer_value=round(limit, 1),
        ratio=round(ratio, 3),
        goal=f">= {GOALS[name]}",
        met=ratio >= GOALS[name],
        note=f"{min(values):.0f}-{max(values):.0f} over {len(values)} rounds; client on the same cores",
    )
