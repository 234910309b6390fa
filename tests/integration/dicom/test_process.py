"""The node as the process it is in the field: started, sent to, ended by a signal, started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from dicom_node.server import DicomNode, Door
from tests.factories.dicom import ecg_bytes, uid
from tests.integration.dicom.conftest import OpenDoor, open_door
from tests.integration.dicom.test_bad_senders import Object, send_well
from tests.pdu import VERIFICATION, RawSender
from tests.receiving import Site


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def process(data_dir: Path, port: int, *, processes: int = 1) -> "Iterator[subprocess.Popen[str]]":
    environment = {
        **os.environ,
        "TELEMED_DATA_DIR": str(data_dir),
        "TELEMED_DICOM_PORT": str(port),
        "TELEMED_DICOM_PROCESSES": str(processes),
    }
    command = [sys.executable, "-m", "dicom_node"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and running.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield running
        finally:
            running.kill()


def test_a_signal_ends_it_cleanly_even_with_a_line_open(tmp_path: Path) -> None:
    port = free_port()
    with process(tmp_path, port) as running, RawSender(port, calling="NOBODY") as idle:
        with RawSender(port, calling="NOBODY") as stranger:
            answer = stranger.associate({1: (VERIFICATION, "1.2.840.10008.1.2")})
            assert (answer.kind, tuple(answer.body[1:])) == (3, (1, 1, 3))
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
        assert idle.is_closed()
        assert running.stderr is not None
        said = running.stderr.read()
    assert "calling_ae_not_recognised" in said
    assert "Traceback" not in said


def test_a_port_in_use_is_refused_unless_it_is_shared_on_purpose(town: Site) -> None:
    first = open_door(town)
    try:
        with pytest.raises(OSError, match="in use"):
            DicomNode(
                world=town.world, ae_title="T", doors=[Door(host="127.0.0.1", port=first.ports[0])]
            ).start()
    finally:
        first.stop(grace_seconds=1)
    doors = [Door(host="127.0.0.1", port=first_port, shared=True) for first_port in [free_port()] * 2]
    pair = DicomNode(world=town.world, ae_title="TELEMED", doors=doors)
    pair.start()
    try:
        assert len(set(pair.ports)) == 1
        with RawSender(pair.ports[0]) as sender:
            assert sender.associate({1: (VERIFICATION, "1.2.840.10008.1.2")}).kind == 2
            assert sender.echo(1) == 0
    finally:
        pair.stop(grace_seconds=1)


def test_bytes_sent_before_a_restart_are_there_after_it(town: Site) -> None:
    sent = Object(ecg_bytes())
    for expected in (
        [["primary"], ["object.received"]],
        [["primary"], ["object.received", "object.repeated"]],
    ):
        node = open_door(town)
        assert send_well(OpenDoor(town, node), sent) == 0
        node.stop(grace_seconds=1)
        assert [town.column("stored_object", "role"), town.column("event", "kind")] == expected


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with process(tmp_path, taken.getsockname()[1]) as running:
            assert running.wait(timeout=60) == 2
            assert running.stderr is not None
            said = running.stderr.read()
    assert "TELEMED_DICOM_PORT" in said
    assert "Traceback" not in said


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def eventually_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.05)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_several_processes_share_the_port_and_end_together(town: Site) -> None:
    port, study, series = free_port(), uid("race"), uid("race series")
    # Sixteen associations with the first objects of one new study, over two processes and one database.
    objects = [Object(ecg_bytes(study_uid=study, series_uid=series, seed=n)) for n in range(16)]
    with process(town.root, port, processes=2) as running:
        door = OpenDoor(town, cast("DicomNode", SimpleNamespace(ports=[port])))
        with ThreadPoolExecutor(16) as senders:
            assert list(senders.map(lambda sent: send_well(door, sent), objects)) == [0] * 16
        rows = [town.count(table) for table in ("patient", "study", "series", "stored_object")]
        assert rows == [1, 1, 1, 16]
        assert town.column("study", "object_count") == [16]
        both = children(running.pid)
        assert len(both) == 2
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
        assert eventually_gone(both)


def test_one_that_falls_takes_the_others_along_and_the_status_says_so(tmp_path: Path) -> None:
    with process(tmp_path, free_port(), processes=2) as running:
        both = children(running.pid)
        os.kill(both[0], signal.SIGKILL)
        assert running.wait(timeout=30) == signal.SIGKILL
        assert eventually_gone(both)
