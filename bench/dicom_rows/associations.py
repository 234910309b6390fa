"""`associations`: opened, one C-ECHO, released; 128 storage classes offered each time. Carts open one per image."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable

from bench.dicom_rows import servers
from bench.dicom_rows.servers import CALLING, Server
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
            ways: dict[str, Callable[[], float]] = {
                server.name: lambda server=server: _per_second(server, contexts, seconds)  # type: ignore[misc]
                for server in (ours, theirs)
            }
            measured = interleaved(ways, rounds)
    except servers.NoPeer as reason:
        return skipped("associations", f">= {LIMIT}/s", str(reason))
    mine, other = (statistics.median(measured[name]) for name in ("ours", "Orthanc"))
    return Row(
        what="associations",
        value=round(mine, 1),
        unit="1/s",
        peer=servers.orthanc_version(),
        peer_value=round(other, 1),
        ratio=round(mine / LIMIT, 2),
        goal=f">= {LIMIT:.0f}/s",
        met=mine >= LIMIT,
        note=f"ours {min(measured['ours']):.0f}-{max(measured['ours']):.0f}, Orthanc"
        f" {min(measured['Orthanc']):.0f}-{max(measured['Orthanc']):.0f}; {_CALLERS} callers, 128 contexts of two"
        f" transfer syntaxes, load {os.getloadavg()[0]:.1f}; ratio to the limit; ours asks the database who calls",
    )


def _offered() -> list[p.Context]:
    from pynetdicom.sop_class import _STORAGE_CLASSES

    classes = sorted(str(uid) for uid in _STORAGE_CLASSES.values())[:127]
    return [p.Context(uid, _SYNTAXES) for uid in (_VERIFICATION, *classes)]


def _per_second(server: Server, contexts: list[p.Context], seconds: float) -> float:
    counts, until = [0] * _CALLERS, time.perf_counter() + seconds

    def call(number: int) -> None:
        while time.perf_counter() < until:
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
            counts[number] += 1

    threads = [threading.Thread(target=call, args=(number,)) for number in range(_CALLERS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)
