"""`ecg_x8`, `ct_x8`, `dr_x1`: durable objects a second, `storescu` sending whole folders, beside Orthanc.

A fresh server for every round, warmed by a tenth as many objects; objects read from memory; in turn and then in
reverse order.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from bench.dicom_rows import servers
from bench.dicom_rows.objects import CT, DR, ECG, folder_of
from bench.dicom_rows.profile import profile
from bench.dicom_rows.servers import CALLING, NoPeer, Server
from bench.result import Row
from bench.rounds import skipped

# row -> (kind, associations, objects of a full and of a quick round, the aim beyond the goal)
ROWS = {"ecg_x8": (ECG, 8, 800, 160, 2), "ct_x8": (CT, 8, 480, 80, 2), "dr_x1": (DR, 1, 24, 4, 3)}
GOAL = 1.0
# A shared machine gives a round half of its speed or all of it.
ROUNDS = 7
_runs = count(1)


@dataclass(frozen=True)
class Round:
    per_second: float
    server_cpu_ms: float
    # Of the busiest sender: share of one core while it sent.
    client_share: float
    memory_mb: float


def row(what: str, quick: bool) -> Row:
    kind, associations, full, short, aim = ROWS[what]
    number, rounds = (short, 1) if quick else (full, ROUNDS)
    if _dcmtk() is None:
        return skipped(what, f">= {GOAL}", "DCMTK's storescu is not installed")
    ways: dict[str, Callable[[], AbstractContextManager[Server]]] = {
        "ours": servers.node,
        "Orthanc": servers.orthanc,
    }
    measured: dict[str, list[Round]] = {name: [] for name in ways}
    try:
        for turn in range(rounds):
            for name in list(ways) if turn % 2 == 0 else reversed(list(ways)):
                with ways[name]() as server:
                    # Its first objects find cold caches, as once a day in the field.
                    _send(server, kind, associations, max(8, number // 10))
                    measured[name].append(_send(server, kind, associations, number))
    except NoPeer as reason:
        return skipped(what, f">= {GOAL}", str(reason))
    ours, theirs = (
        statistics.median(one.per_second for one in measured[name]) for name in ("ours", "Orthanc")
    )
    own_work = f"; {profile(kind, _memory())}" if not quick else ""
    bound = max(one.client_share for one in measured["ours"]) > servers.BOUND
    return Row(
        what=what,
        value=round(ours, 1),
        unit="objects/s",
        peer=servers.orthanc_version(),
        peer_value=round(theirs, 1),
        ratio=round(ours / theirs, 3),
        goal=f">= {GOAL}",
        met=ours >= GOAL * theirs and not bound,
        note=f"{_spread(measured)}; aim >= {aim}; {number} objects, {rounds} rounds, load"
        f" {os.getloadavg()[0]:.1f}; {'CLIENT-BOUND; ' if bound else ''}"
        f"ours: {servers.PROCESSES} receiving process on one SQLite file, {servers.OURS_SYNCS};"
        f" Orthanc: {servers.ORTHANC_SYNCS}{own_work}",
    )


def _spread(measured: dict[str, list[Round]]) -> str:
    said = []
    for name, rounds in measured.items():
        speeds = [one.per_second for one in rounds]
        said.append(
            f"{name} {min(speeds):.0f}-{max(speeds):.0f}/s,"
            f" {statistics.median(one.server_cpu_ms for one in rounds):.1f} ms CPU an object,"
            f" {max(one.memory_mb for one in rounds):.0f} MB,"
            f" busiest sender {max(one.client_share for one in rounds):.2f} core"
        )
    return "; ".join(said)


def _send(server: Server, kind: str, associations: int, number: int) -> Round:
    with tempfile.TemporaryDirectory(prefix="telemed-bench-", dir=_memory()) as root:
        folders = folder_of(kind, next(_runs), number, associations, Path(root))
        before = server.cpu_seconds()
        started = time.perf_counter()
        senders = [_storescu(server, folder) for folder in folders]
        shares, failed = [], 0
        for sender in senders:
            _, status, usage = os.wait4(sender.pid, 0)
            sender.returncode = os.waitstatus_to_exitcode(status)
            failed += sender.returncode != 0
            shares.append((usage.ru_utime + usage.ru_stime) / (time.perf_counter() - started))
        elapsed = time.perf_counter() - started
        if failed:
            raise RuntimeError(f"{failed} senders of {len(senders)} failed against {server.name}")
        cpu = server.cpu_seconds() - before
        return Round(number / elapsed, 1e3 * cpu / number, max(shares), server.memory_mb())


def _storescu(server: Server, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            _dcmtk() or "storescu",
            "+sd",
            "-aet",
            CALLING,
            "-aec",
            server.called,
            "127.0.0.1",
            str(server.port),
            str(folder),
        ],
        env={**os.environ, "TCP_NODELAY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@cache
def _dcmtk() -> str | None:
    """Its storescu: pynetdicom's has the same name and lies beside the interpreter, first where that is activated."""
    beside = Path(sys.executable).parent
    return shutil.which("storescu", path=os.pathsep.join(p for p in os.get_exec_path() if Path(p) != beside))


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
