"""Memory of the inference part as `telemed serve --only inference` starts it, after every model in it answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
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
COMMAND = ("-m", "telemed.cli", "serve", "--only", "inference")


def rows(bench: Bench) -> Iterator[Row]:
    """The most of several starts: which networks are loaded a second time, for all cores, a timing decides anew."""
    found = [one for one in (resident(bench.folder / "rss") for _ in range(bench.rounds)) if one is not None]
    if not found:
        yield skipped("rss", f"<= {LIMIT_MB:g} MB", "the system does not tell")
        return
    names = ", ".join(manifest.name for manifest in Registry().models())
    shares = max(pss for _, pss in found)
    yield under_limit(
        "rss", [rss for rss, _ in found], "MB", LIMIT_MB, of="max",
        note=f"python {' '.join(COMMAND)}, precision {Settings().inference_precision}, as installed; "
        f"PSS {shares:.1f} MB (max); models {names}",
    )  # fmt: skip


def resident(folder: Path) -> tuple[float, float] | None:
    """RSS and PSS, MB, of a fresh service, after every model answered twenty times; None where the system does not
    tell."""
    models = Registry().models()
    (port,) = free_ports(1)
    settings = replace(Settings(), data_dir=folder, inference_port=port).complete()
    environment = {**os.environ, **settings.environment()}
    process = subprocess.Popen([sys.executable, *COMMAND], env=environment, stderr=subprocess.DEVNULL)
    runner = RemoteRunner(f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/v2/health/live")
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        for _ in range(20):
            for manifest in models:
                runner.run(manifest.name, typical_inputs(manifest))
        proc = Path(f"/proc/{process.pid}")
        try:
            return _megabytes(proc / "status", "VmRSS"), _megabytes(proc / "smaps_rollup", "Pss")
        except OSError:
            return None
    finally:
        runner.close()
        process.terminate()
        process.wait(10)


def _megabytes(path: Path, field: str) -> float:
    match = re.search(rf"^{field}:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    if match is None:
        raise OSError(f"{path} has no {field}")
    return int(match.group(1)) * 1024 / 1e6
