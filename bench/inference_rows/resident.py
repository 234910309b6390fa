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
from telemed.settings import Settings

LIMIT_MB = 200.0
PRECISION = Settings().inference_precision


def rows(bench: Bench) -> Iterator[Row]:
    """The most of several starts: which networks are loaded a second time, for all cores, a timing decides anew."""
    found = [megabytes for megabytes in (resident() for _ in range(bench.rounds)) if megabytes is not None]
    if not found:
        yield skipped("rss", f"<= {LIMIT_MB:g} MB", "the system does not tell")
        return
    names = ", ".join(manifest.name for manifest in Registry().models())
    yield under_limit(
        "rss", found, "MB", LIMIT_MB, of="max", note=f"precision {PRECISION}, as installed; models {names}"
    )


def resident() -> float | None:
    """Of a fresh service, after every model answered twenty times; None where the system does not tell."""
    models = Registry().models()
    (port,) = free_ports(1)
    program = (
        "from ai_models.engine import Engine; from ai_models.server import serve; "
        f"serve(Engine(precision={PRECISION!r}), {port})"
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
            for manifest in models:
                runner.run(manifest.name, typical_inputs(manifest))
        text = Path(f"/proc/{process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", text)
        return int(match.group(1)) * 1024 / 1e6 if match else None
    finally:
        runner.close()
        process.terminate()
        process.wait(10)
