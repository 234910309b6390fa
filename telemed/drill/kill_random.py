"""SIGKILL of the doors and of the worker at random instants, while studies come in through both doors."""

import os
import random
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx2
from pydicom import Dataset

from telemed.drill import house
from telemed.drill.invariants import Promised, faults, rows
from telemed.drill.objects import dataset_sha256, ecg, to_file
from telemed.drill.row import Outcome
from telemed.drill.site import Site, site, wait_for
from telemed.group import ProcessGroup

_PARTS = ("dicom", "web", "worker")
_KILLS, _QUICK_KILLS = 50, 5
_LONGEST_QUIET = 0.6
_PAUSE = 0.3  # between two studies of one sender: the restarting parts want the processor too


def kill_random(*, quick: bool = False, seed: int | None = None) -> Outcome:
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    chance = random.Random(seed)  # noqa: S311 - so that a run can be repeated
    killed = dict.fromkeys(_PARTS, 0)
    with site() as here:
        with here.processes(*_PARTS) as group, ExitStack() as stack:
            senders = [
                Sender("dicom", lambda ds: here.send(ds).success),
                Sender("web", _uploader(here, stack)),
            ]
            for sender in senders:
                sender.thread.start()
            for part in _victims(chance, _QUICK_KILLS if quick else _KILLS):
                _kill_in_traffic(here, group, part, senders, chance)
                killed[part] += 1
            for sender in senders:
                sender.finish()
        here.settle()
        acknowledged = {key for sender in senders for key in sender.acknowledged}
        found = faults(here.application, Promised(acknowledged))
        studies = len(rows(here.application, "SELECT id FROM study"))
    if studies != len(acknowledged):
        found.append(f"{len(acknowledged)} objects acknowledged, {studies} studies")
    facts = {f"killed_{part}": count for part, count in killed.items()}
    refused = sum(sender.failed for sender in senders)
    return Outcome(
        found, {"kills": sum(killed.values()), **facts, "studies": studies, "again": refused, "seed": seed}
    )


def _victims(chance: random.Random, count: int) -> list[str]:
    """Every part at least once, the others by chance."""
    return chance.sample(_PARTS, len(_PARTS)) + chance.choices(_PARTS, k=count - len(_PARTS))


@dataclass
class Sender:
    """Sends one study after the other; each until it is acknowledged, as a machine of the field does."""

    name: str
    send: Callable[[Dataset], bool]
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    failed: int = 0

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._stopping = threading.Event()

    def finish(self) -> None:
        """Lets the object in hand come through."""
        self._stopping.set()
        self.thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            dataset = ecg(f"random {self.name} {number}")
            while not self.send(dataset):
                self.failed += 1
                time.sleep(0.1)
            self.acknowledged.append((str(dataset.SOPInstanceUID), dataset_sha256(dataset)))
            time.sleep(_PAUSE)


def _kill_in_traffic(
    here: Site, group: ProcessGroup, part: str, senders: list[Sender], chance: random.Random
) -> None:
    """Waits until this part has done something since now, so that no kill hits a process that only starts."""

    def done() -> int:
        for sender in senders:
            if sender.name == part:
                return len(sender.acknowledged)
        return len(rows(here.application, "SELECT id FROM job WHERE state = 'done'"))

    before = done()
    wait_for(f"work of {part}", lambda: True if done() > before else None, 120)
    time.sleep(chance.uniform(0, _LONGEST_QUIET))
    # With all processes that it is made of.
    os.killpg(group.pid(part), signal.SIGKILL)
    group.restart(part)


def _uploader(here: Site, stack: ExitStack) -> Callable[[Dataset], bool]:
    base = f"http://{here.settings.http_host}:{here.settings.http_port}"
    client = stack.enter_context(httpx2.Client(base_url=base, timeout=20))
    grant = {"grant_type": "password", "username": house.TECHNICIAN, "password": house.PASSWORD}
    token = client.post("/auth/token", data=grant).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"

    def upload(dataset: Dataset) -> bool:
        files = [("files", ("object.dcm", to_file(dataset), "application/dicom"))]
        try:
            answer = client.post("/api/v1/uploads", files=files)
        except httpx2.HTTPError:
            return False
        return answer.is_success and answer.json()["accepted"] == 1

    return upload
