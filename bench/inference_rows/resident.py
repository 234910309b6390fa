"""Memory of the service as a process of its own, after every model in it answered."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from ai_models.client import RemoteRunner
from ai_models.ladder import typical_inputs
from ai_models.registry import Registry
from bench.result import Row, under_limit
from bench.rounds import Bench, skipped
from telemed.group import free_ports

LIMIT_MB = 200.0


def rows(bench: Bench) -> Iterator[Row]:
    del bench
    registry = Registry()
    names = [manifest.name for manifest in registry.models()]
    (port,) = free_ports(1)
    program = (
        f"from ai_models.engine import Engine; from ai_models.server import serve; serve(Engine(), {port})"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    runner = RemoteRunner(f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/v2/health/live")
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        for _ in range(20):
            for manifest in registry.models():
                runner.run(manifest.name, typical_inputs(manifest))
        text = Path(f"/proc/{process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", text)
        if match is None:
            yield skipped("rss", f"<= {LIMIT_MB:g} MB", "the system does not tell")
            return
        megabytes = int(match.group(1)) / 1000
        row = under_limit("rss", [megabytes], "MB", LIMIT_MB, of="max", note=f"models {', '.join(names)}")
        yield row
    finally:
        runner.close()
        process.terminate()
        process.wait(10)
