"""`python -m bench.dicom_rows.city_sender` with settings as JSON on its input: a city's minute, over TLS.

Open loop: every object has its moment, whether or not the earlier ones have been answered. Prints JSON: how many were
answered how, the seconds from the first byte of a C-STORE to its response, and how late the last object left.
"""

from __future__ import annotations

import json
import random
import ssl
import sys
import threading
import time
from collections import Counter
from itertools import islice
from queue import SimpleQueue
from typing import Any

from bench.dicom_rows.objects import CLASSES, CT, DR, ECG, Item, stream
from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.dimse.requestor import Requestor, Secure

EXPLICIT = "1.2.840.10008.1.2.1"
# Of 2,230 objects a site sends in a day: 1.56 GB in all, of ECGs, pairs of films and stacks of slices.
SHARES = {ECG: 0.018, DR: 0.019, CT: 0.963}
# Objects made before the clock starts; identities are patched while it runs.
_AHEAD = 64


def main(asked: dict[str, Any]) -> dict[str, Any]:
    total = int(asked["rate"] * asked["seconds"])
    order = random.Random(5)
    kinds = order.choices(list(SHARES), list(SHARES.values()), k=total)
    made = {kind: islice(stream(kind, asked["run"]), kinds.count(kind)) for kind in SHARES}
    ready: SimpleQueue[tuple[int, Item] | None] = SimpleQueue()
    room = threading.Semaphore(_AHEAD)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    late = [0.0]
    barrier = threading.Barrier(asked["associations"] + 1)
    started = [0.0]

    def send() -> None:
        with _association(asked) as line:
            barrier.wait()
            while (due := ready.get()) is not None:
                number, item = due
                room.release()
                at = started[0] + number / asked["rate"]
                time.sleep(max(0.0, at - time.perf_counter()))
                begun = time.perf_counter()
                statuses[_store(line, item)] += 1
                latencies.append(time.perf_counter() - begun)
                late[0] = max(late[0], begun - at)

    threads = [threading.Thread(target=send) for _ in range(asked["associations"])]
    for thread in threads:
        thread.start()
    barrier.wait()
    started[0] = time.perf_counter() + 0.2
    for number, kind in enumerate(kinds):
        room.acquire()
        ready.put((number, next(made[kind])))
    for _ in threads:
        ready.put(None)
    for thread in threads:
        thread.join()
    return {
        "statuses": {f"{status:04x}": count for status, count in statuses.items()},
        "latencies": latencies,
        "seconds": time.perf_counter() - started[0],
        "late": late[0],
        "cpu": time.process_time(),
    }


def _association(asked: dict[str, Any]) -> Requestor:
    context = ssl.create_default_context(cafile=asked["certificate"])
    context.check_hostname = False
    return Requestor(
        host="127.0.0.1",
        port=asked["port"],
        calling=asked["calling"],
        called=asked["called"],
        contexts=[p.Context(sop_class, (EXPLICIT,)) for sop_class in CLASSES.values()],
        secure=Secure(context, "localhost"),
    )


def _store(line: Requestor, item: Item) -> int:
    context = line.context_for(item.sop_class_uid, EXPLICIT)
    if context is None:
        return -1
    answer = line.ask(
        context,
        {
            c.SOP_CLASS: item.sop_class_uid,
            c.FIELD: c.C_STORE_RQ,
            c.PRIORITY: c.MEDIUM_PRIORITY,
            c.SOP_INSTANCE: item.sop_instance_uid,
        },
        item.data_set,
    )
    return c.number_of(answer.get(c.STATUS)) or 0


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
