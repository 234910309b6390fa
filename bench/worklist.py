"""The list in front of an archive: asked over HTTP of the real web process, while cases keep coming.

Rows, each on PostgreSQL and (`_sqlite`) on SQLite: `first_page`; `views`, every saved view with all counts;
`common_name`, a name of one case in a hundred; `rare_name`, a name of one case; `priors` of a patient; `live`, 200
readers told of 10 new cases a second; `flat`, the worst of these medians beside the same on 10^4 cases, both asked in
turn. A time is what the caller waits: sign-in check, permission, statements, JSON and the loopback included.

TELEMED_BENCH_ARCHIVES names a folder in which the archives are kept for the next run.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.host import Host
from bench.result import Row, under_limit
from bench.rounds import skipped
from bench.worklist_archives import archive_folder, archives_in, token
from bench.worklist_data import COMMON, RARE, READERS
from bench.worklist_live import LiveFigures, listen
from telemed.domain.worklist import View
from telemed.group import free_ports
from telemed.settings import Settings

LIMIT_MS, FLAT, TOLD_WITHIN = 50.0, 1.3, 1.0
BASE = 10_000
FULL = {"postgresql": 10_000_000, "sqlite": 1_000_000}
QUICK = {"postgresql": 50_000, "sqlite": 50_000}
PACE = 10.0
# Asked before any is counted: PostgreSQL settles on a plan in the eleventh execution on a connection.
WARM = 30
WAYS = ("first_page", "views", "common_name", "rare_name", "priors")


@dataclass
class Archive:
    """One database with its web process."""

    cases: int
    url: str
    port: int
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.connection.connect()
        # This client writes head and body apart: with Nagle the second would wait for an acknowledgement.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        headers = {"Authorization": f"Bearer {token(1)}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        started = time.perf_counter()
        self.connection.request(method, path, sent, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        spent = 1e3 * (time.perf_counter() - started)
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return spent, json.loads(text)


def rows(*, only: str | None, quick: bool) -> list[Row]:
    found: list[Row] = []
    for engine, suffix in (("postgresql", ""), ("sqlite", "_sqlite")):
        # Two archives so near in size say nothing about flatness: the short form leaves it out unless asked.
        ways = (*WAYS, "live") if quick and only is None else (*WAYS, "live", "flat")
        wanted = [way for way in ways if only in (None, way, way + suffix)]
        if wanted:
            try:
                found += _of_engine(engine, suffix, wanted, quick)
            except FileNotFoundError as fault:
                found += [skipped(way + suffix, "-", str(fault)) for way in wanted]
    return found


def _of_engine(engine: str, suffix: str, wanted: list[str], quick: bool) -> list[Row]:
    cases = (QUICK if quick else FULL)[engine]
    with ExitStack() as stack:
        folder = archive_folder(stack)
        started = time.monotonic()
        # The small one is asked for the comparison alone.
        sizes = (BASE, cases) if "flat" in wanted else (cases,)
        urls = archives_in(stack, folder, engine, sizes)
        loading = time.monotonic() - started
        archives = _served(stack, folder, urls)
        small, large = archives[0], archives[-1]
        about = f"{cases:,} cases, {engine}, {PACE:g} new cases a second meanwhile; archive ready in {loading:.0f} s"
        if quick:
            about += f"; short form, the full one has {FULL[engine]:,}"
        timed = [way for way in WAYS if way in wanted or "flat" in wanted]
        found: list[Row] = []
        medians: dict[str, tuple[float, float]] = {}
        if timed:
            rounds = 40 if quick else 400
            seconds = len(timed) * rounds * 0.12 + 600
            with ExitStack() as writers:
                for archive in archives:
                    writers.enter_context(_writing(archive, seconds))
                for way in timed:
                    host = Host()
                    times = _interleaved(_asking(way), archives, rounds, host)
                    medians[way] = (
                        statistics.median(times[small.cases]),
                        statistics.median(times[large.cases]),
                    )
                    if way in wanted:
                        load = f"{about}; load {os.getloadavg()[0]:.1f}; {host.told()}"
                        found.append(
                            under_limit(way + suffix, times[large.cases], "ms", LIMIT_MS, of="p99", note=load)
                        )
        if "flat" in wanted:
            found.append(_flat("flat" + suffix, medians, about))
        if "live" in wanted:
            found.append(_live("live" + suffix, large, 4.0 if quick else 30.0, about))
        return found


def _served(stack: ExitStack, folder: Path, urls: dict[int, str]) -> list[Archive]:
    started = []
    for (cases, url), port in zip(urls.items(), free_ports(len(urls)), strict=True):
        data = folder / f"var-{url.split(':')[0]}-{cases}"
        settings = replace(Settings(demo=True), data_dir=data, database_url=url, http_port=port).complete()
        server = subprocess.Popen(
            [sys.executable, "-m", "bench.worklist_server"], env={**os.environ, **settings.environment()}
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        started.append((cases, url, port, server))
    for _, _, port, server in started:
        _wait_for(port, server)
    return [Archive(cases, url, port) for cases, url, port, _ in started]


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit("the web process did not start")


@contextlib.contextmanager
def _writing(archive: Archive, seconds: float) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.worklist_writer", archive.url, str(PACE), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        # Measured while it writes, not while it starts.
        if not process.stdout.readline():
            raise SystemExit("the writer did not start")
        drained = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            if process.poll() is not None:
                raise SystemExit("the writer ended while the list was measured")
            process.terminate()
            process.wait()
            drained.wait()


Asking = Callable[[Archive, int], float]


def _asking(way: str) -> Asking:
    match way:
        case "first_page":
            return lambda archive, _: archive.ask("GET", "/api/v1/worklist?view=waiting&limit=50")[0]
        case "views":
            views = list(View)
            return lambda archive, turn: archive.ask(
                "GET", f"/api/v1/worklist?view={views[turn % len(views)]}&limit=50"
            )[0]
        case "common_name":
            return lambda archive, _: _sought(archive, COMMON, 50)
        case "rare_name":
            return lambda archive, _: _sought(archive, RARE, 1)
        case _:
            return _priors()


def _sought(archive: Archive, name: str, rows: int) -> float:
    spent, found = archive.ask("POST", "/api/v1/worklist/search", {"text": name, "limit": 50})
    if (rows is not None and len(found["rows"]) != rows) or not found["rows"]:
        raise SystemExit(
            f"{len(found['rows'])} rows of the name sought: the archive is not what it should be"
        )
    return spent


def _priors() -> Asking:
    cases: dict[int, list[str]] = {}

    def ask(archive: Archive, turn: int) -> float:
        if archive.cases not in cases:
            pages = [
                archive.ask("GET", f"/api/v1/worklist?view={view}&limit=200")[1] for view in ("all", "done")
            ]
            cases[archive.cases] = [row["id"] for page in pages for row in page["rows"]]
        known = cases[archive.cases]
        return archive.ask("GET", f"/api/v1/cases/{known[turn * 37 % len(known)]}/priors")[0]

    return ask


def _interleaved(ask: Asking, archives: list[Archive], rounds: int, host: Host) -> dict[int, list[float]]:
    """In turn, so that both see the same machine; and what it makes of work that never changes."""
    times: dict[int, list[float]] = {archive.cases: [] for archive in archives}
    for turn in range(-WARM, rounds):
        for archive in archives if turn % 2 else archives[::-1]:
            spent = ask(archive, turn)
            if turn >= 0:
                times[archive.cases].append(spent)
        host.work()
    return times


def _flat(what: str, medians: dict[str, tuple[float, float]], about: str) -> Row:
    ratios = {way: large / small for way, (small, large) in medians.items()}
    worst = max(ratios, key=lambda way: ratios[way])
    each = ", ".join(f"{way} {small:.1f} -> {large:.1f} ms" for way, (small, large) in medians.items())
    return Row(
        what=what, value=round(ratios[worst], 3), unit=f"times ({worst})", peer=f"{BASE:,} cases", peer_value=1.0,
        ratio=round(FLAT / ratios[worst], 2), goal=f"<= {FLAT}", met=ratios[worst] <= FLAT,
        note=f"medians: {each}. {about}",
    )  # fmt: skip


def _live(what: str, archive: Archive, seconds: float, about: str) -> Row:
    tokens = [token(reader) for reader in range(1, READERS + 1)]
    command = [sys.executable, "-m", "bench.worklist_writer", archive.url, str(PACE), str(seconds)]
    figures: LiveFigures = listen(archive.port, tokens, command)
    row = under_limit(
        what, figures.delays, "s", TOLD_WITHIN, of="p99",
        note=f"{READERS} readers, {figures.cases} cases: {figures.missed} of {figures.cases * READERS} tellings"
        f" missed, {figures.untold} late by more than 5 s. From commit to each reader. {about}",
    )  # fmt: skip
    return replace(row, met=row.met and figures.missed == 0)


if __name__ == "__main__":
    for row in itertools.chain(rows(only=None, quick=True)):
        print(row)
