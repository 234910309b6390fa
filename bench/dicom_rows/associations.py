"""`associations`: opened, one C-ECHO, released; 128 storage classes offered each time. Carts open one per image."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from functools import partial

from bench.dicom_rows import servers
from bench.dicom_rows.servers import BOUND, CALLING, Server
from bench.result import Row
from bench.rounds import interleaved, skipped
from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.dimse.requestor import Requestor

LIMIT = 100.0
_CALLERS = 2
_VERIFICATION = "1.2.840.10008.1.1"
_SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")


def row(quick: bool) -> Row:
    seconds, rounds = (2.0, 1) if quick else (4.0, 3)
    contexts = _offered()
    try:
        with servers.node() as ours, servers.orthanc() as theirs:
            shares = []

            def way(server: Server) -> float:
                speed, share = _per_second(server, contexts, seconds)
                if server is ours:
                    shares.append(share)
                return speed

            measured = interleaved({one.name: partial(way, one) for one in (ours, theirs)}, rounds)
    except servers.NoPeer as reason:
        return skipped("associations", f">= {LIMIT}/s", str(reason))
    bound = max(shares) > BOUND
    mine, other = (statistics.median(measured[name]) for name in ("ours", "Orthanc"))
    return Row(
        what="associations",
        value=round(mine, 1),
        unit="1/s",
        peer=servers.orthanc_version(),
        peer_value=round(other, 1),
        ratio=round(mine / LIMIT, 2),
        goal=f">= {LIMIT:.0f}/s",
        met=mine >= LIMIT and not bound,
        note=f"ours {min(measured['ours']):.0f}-{max(measured['ours']):.0f}, Orthanc"
        f" {min(measured['Orthanc']):.0f}-{max(measured['Orthanc']):.0f}; {_CALLERS} callers, the busiest at"
        f" {max(shares):.2f} of its core; {'CLIENT-BOUND; ' if bound else ''}128 contexts of two transfer"
        f" syntaxes, load {os.getloadavg()[0]:.1f}; ratio to the limit; ours asks the database who calls",
    )


def _offered() -> list[p.Context]:
    from pynetdicom.sop_class import _STORAGE_CLASSES

    classes = sorted(str(uid) for uid in _STORAGE_CLASSES.values())[:127]
    return [p.Context(uid, _SYNTAXES) for uid in (_VERIFICATION, *classes)]


def _per_second(server: Server, contexts: list[p.Context], seconds: float) -> tuple[float, float]:
    """Associations a second, and the share of its core that the busiest caller used."""
    with multiprocessing.get_context("fork").Pool(_CALLERS) as callers:
        # Both begin at once, and each in a process of its own: two threads would share one core.
        calls = [callers.apply_async(_call, (server, contexts, seconds)) for _ in range(_CALLERS)]
        found = [call.get() for call in calls]
    return sum(speed for speed, _ in found), max(share for _, share in found)


def _call(server: Server, contexts: list[p.Context], seconds: float) -> tuple[float, float]:
    count, started, busy = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() < started + seconds:
        with Requestor(
            host="127.0.0.1",
            port=server.port,
            calling=CALLING,
            called=server.called,
            contexts=contexts,
        ) as line:
            found = line.any_context_for(_VERIFICATION)
            assert found is not None
            line.ask(found[0], {c.SOP_CLASS: _VERIFICATION, c.FIELD: c.C_ECHO_RQ}, None)
        count += 1
    spent = time.perf_counter() - started
    return count / spent, (time.process_time() - busy) / spent
