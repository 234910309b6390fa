"""The service over HTTP, and other servers with the same network; one client for all, on the same cores."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np

from ai_models import protocol
from ai_models.server import serving
from bench import peers
from bench.network import NAME
from bench.result import Row
from bench.rounds import CORES, Bench, against, bare, interleaved, per_second, signal, skipped

# fp32 on the same runtime, but in the form that the engine turns a network to.
SAME = 1e-4
PEER_GOALS = {8: 1.2, 32: 1.0, 128: 1.0}


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def load(port: int, callers: int, seconds: float, request: bytes) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", str(port), str(callers), str(seconds)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, input=request, capture_output=True, cwd=root, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def differences(servers: Mapping[str, tuple[int, bytes]]) -> dict[str, float]:
    """How far each peer's answer is from ours, asked once before anything is timed; another answer ends the run."""
    answers = {name: probabilities(port, request) for name, (port, request) in servers.items()}
    ours = answers.pop("ours")
    found = {name: float(np.abs(theirs - ours.ravel()).max()) for name, theirs in answers.items()}
    for name, difference in found.items():
        if not difference <= SAME:
            raise SystemExit(f"{name} answers otherwise than the engine: {difference}")
    return found


def probabilities(port: int, request: bytes) -> Any:
    """The network's output as a server sends it: ours in the protocol's binary form, a peer's as bare float32."""
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall(request)
        reply = HTTPResponse(line)
        reply.begin()
        body = reply.read()
    if reply.status != 200:
        raise SystemExit(body[:300].decode("latin-1"))
    length = reply.headers.get(protocol.HEADER_LENGTH)
    if length is None:
        return np.frombuffer(body, "<f4")
    head, tail = protocol.split(body, length)
    return protocol.decode(head["outputs"], tail)["probability"]


def rows(bench: Bench) -> Iterator[Row]:
    inputs = signal()
    body, length = protocol.encode(inputs, {"parameters": {"binary_data_output": True}}, "inputs")
    ours = post(f"/v2/models/{NAME}/infer", body, f"{protocol.HEADER_LENGTH}: {length}")
    theirs = post("/inference", inputs["x"].tobytes())
    reasons: dict[str, str] = {}
    with ExitStack() as stack:
        url = stack.enter_context(serving(bench.engine))
        servers = {"ours": (int(url.rpartition(":")[2]), ours)}
        for name in peers.PACKAGES:
            try:
                port = stack.enter_context(peers.serving(name, bench.model, CORES, install=not bench.quick))
                servers[name] = (port, theirs)
            except peers.NoPeer as error:
                reasons[name] = str(error)

        apart = differences(servers)

        def way(name: str, callers: int) -> Callable[[], float]:
            def measure() -> float:
                # Many callers wait long for each answer: the span must hold several of them.
                seconds = max(bench.seconds, (0.005 if bench.quick else 0.01) * callers)
                answer = load(servers[name][0], callers, seconds, servers[name][1])
                return float(answer["answered"] / answer["seconds"])

            return measure

        ways = {f"{name} c{callers}": way(name, callers) for name in servers for callers in PEER_GOALS}
        narrow = bare(bench.model, inputs, 1)
        limits = {f"bare intra=1, {callers} callers": callers for callers in (CORES, 8)}
        for name, callers in limits.items():
            ways[name] = lambda callers=callers: per_second(narrow, callers, bench.seconds)  # type: ignore[misc]
        found = interleaved(ways, bench.rounds)
    limit = {name: found[name] for name in limits}
    best = max(statistics.median(values) for values in limit.values())
    for callers in (8, 32):
        yield against(
            f"ecg_http_c{callers}", found[f"ours c{callers}"], limit, 0.92, "ECG/s", note="aim 0.95"
        )
    for name in peers.PACKAGES:
        for callers, goal in PEER_GOALS.items():
            what = f"vs_{name}_c{callers}"
            if name in reasons:
                yield skipped(what, f">= {goal}", reasons[name])
                continue
            share = statistics.median(found[f"{name} c{callers}"]) / best
            yield against(
                what, found[f"ours c{callers}"], {name: found[f"{name} c{callers}"]}, goal, "ECG/s",
                note=f"the peer has {share:.2f} of bare; its answer differs by {apart[name]:.1g}",
            )  # fmt: skip
