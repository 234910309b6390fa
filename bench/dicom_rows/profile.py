"""Where the node's own work on an arriving object goes, stage by stage, without network and neighbours.

CPU of one thread; batches of the size that eight associations make; the spool in memory, so that no disk is measured.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bench.dicom_rows.objects import Item, stream
from bench.dicom_rows.servers import CALLING
from dicom_node.arriving import ArrivingObject
from dicom_node.store import checked_header
from telemed.application.arrival import Incoming
from telemed.application.receive import file_durable
from telemed.application.world import World
from telemed.bootstrap import build
from telemed.domain.people import Device
from telemed.drill.house import provision
from telemed.settings import Settings

_BATCH, _BATCHES, _ROUNDS = 5, 16, 3
# As much as one read of a line gives.
_PIECE = 128 << 10
_EXPLICIT = "1.2.840.10008.1.2.1"


def profile(kind: str, memory: str | None) -> str:
    """The least of some rounds, in milliseconds an object."""
    with tempfile.TemporaryDirectory(prefix="telemed-bench-", dir=memory) as folder:
        settings = replace(Settings(demo=True), data_dir=Path(folder) / "var").complete()
        application = build(settings, sessions_here=False)
        provision(application.world)
        with application.world.unit_of_work(write=False) as uow:
            device = uow.devices.by_ae_title(CALLING)[0]
        items = stream(kind, 9000)
        rounds = [_round(application.world, device, items) for _ in range(1 + _ROUNDS)][1:]
        application.close()
    best = min(rounds, key=lambda spent: sum(spent.values()))
    said = ", ".join(f"{stage} {best[stage]:.2f}" for stage in best)
    return f"CPU of the node's own work: {said}, in all {sum(best.values()):.2f} ms an object"


def _round(world: World, device: Device, items: Iterator[Item]) -> dict[str, float]:
    spent = dict.fromkeys(("written and hashed", "header read", "made durable", "committed"), 0.0)

    @contextmanager
    def on(stage: str) -> Iterator[None]:
        started = time.thread_time()
        yield
        spent[stage] += 1e3 * (time.thread_time() - started) / (_BATCH * _BATCHES)

    for _ in range(_BATCHES):
        batch = []
        for item in list(islice(items, _BATCH)):
            with on("written and hashed"):
                arriving = ArrivingObject(
                    world.spool,
                    sop_class_uid=item.sop_class_uid,
                    sop_instance_uid=item.sop_instance_uid,
                    transfer_syntax_uid=_EXPLICIT,
                )
                for at in range(0, len(item.data_set), _PIECE):
                    arriving.write(item.data_set[at : at + _PIECE])
                part = arriving.take()
            with on("header read"):
                header = checked_header(part, arriving, device)
            with on("made durable"):
                world.spool.make_durable([part])
            batch.append(
                Incoming(
                    part=part,
                    transfer_syntax_uid=_EXPLICIT,
                    header=header,
                    institution_id=device.institution_id,
                    consortium_id=device.consortium_id,
                    device_id=device.id,
                )
            )
        with on("committed"):
            outcomes = file_durable(world, batch)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
    return spent
