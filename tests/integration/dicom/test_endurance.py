"""Many at once, many in a row, one very large: places and memory stay bounded, and nobody waits for a stranger."""

from __future__ import annotations

import os
import resource
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from telemed.domain.people import Device
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.dicom.conftest import LIMITS, OpenDoor, open_door
from tests.integration.dicom.test_bad_senders import (
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    OTHER_READER,
    SUCCESS,
    Object,
    eventually,
    send_well,
)
from tests.integration.dicom.test_process import free_port, process
from tests.pdu import RawSender, data_pdu, release_request, store_command
from tests.receiving import Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE_RP = 6
LOCAL_LIMIT_EXCEEDED = (2, 3, 2)


@contextmanager
def limited(town: Site, **limits: Any) -> Iterator[OpenDoor]:
    node = open_door(town, replace(LIMITS, **limits))
    try:
        yield OpenDoor(town, node)
    finally:
        node.stop(grace_seconds=1)


def test_a_hundred_associations_at_once_all_store(town: Site) -> None:
    objects = [Object(ecg_bytes(patient_id=f"H-{number}", seed=number)) for number in range(100)]
    everybody = threading.Barrier(100)

    def send(sent: Object) -> int:
        with RawSender(door.port, timeout=60) as sender:
            assert sender.associate(sent.context()).kind == ASSOCIATE_AC
            # Nobody sends before all hundred are in.
            everybody.wait(60)
            return sent.send(sender)

    # A site's own limit is below a hundred; here one site sends them all.
    with limited(town, maximum_per_site=100) as door, ThreadPoolExecutor(100) as senders:
        assert list(senders.map(send, objects)) == [SUCCESS] * 100
        assert town.count("stored_object") == 100
        assert eventually(lambda: door.node.reception.slots.taken == 0)


def test_a_site_at_its_limit_is_told_so_and_another_is_not_shut_out(town: Site, ecg: Object) -> None:
    with town.world.unit_of_work() as uow:
        other = Device(
            uid=town.world.identifiers.uid(),
            institution_id=town.other_institution_id,
            consortium_id=town.consortium_id,
            ae_title="OTHER_ECG",
            network="127.0.0.0/8",
        )
        uow.devices.add(other)
        uow.commit()
    with limited(town, maximum_per_site=2) as door:
        with ExitStack() as held:
            first, second, third = (held.enter_context(RawSender(door.port)) for _ in range(3))
            assert first.associate(ecg.context()).kind == ASSOCIATE_AC
            assert second.associate(ecg.context()).kind == ASSOCIATE_AC
            answer = third.associate(ecg.context())
            assert (answer.kind, tuple(answer.body[1:])) == (ASSOCIATE_RJ, LOCAL_LIMIT_EXCEEDED)
            stranger = held.enter_context(RawSender(door.port, calling="OTHER_ECG"))
            assert stranger.associate(ecg.context()).kind == ASSOCIATE_AC
            assert ecg.send(stranger) == SUCCESS
        assert town.column("event", "kind").count("association.rejected") == 1


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def test_five_hundred_probes_in_a_row_leave_no_thread_and_no_memory(door: OpenDoor, ecg: Object) -> None:
    assert send_well(door, ecg) == SUCCESS
    before, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    memory = resident_mb()
    for number in range(500):
        with socket.create_connection(("127.0.0.1", door.port), timeout=5) as probe:
            if number % 2:
                # As a load balancer does it: a reset in place of a farewell.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: threading.active_count() <= before)
    assert eventually(lambda: len(list(Path("/proc/self/fd").iterdir())) <= files)
    assert door.node.reception.slots.taken == 0
    # A thread's stack alone, kept for each of them, would be more.
    assert resident_mb() - memory < 8
    assert send_well(door, ecg) == SUCCESS


def test_a_peer_that_falls_silent_gives_its_place_back(town: Site, ecg: Object) -> None:
    short = {"request_seconds": 1, "stalled_seconds": 1, "idle_seconds": 1, "maximum_associations": 1}
    with limited(town, **short) as door:
        with RawSender(door.port, timeout=20) as idle:
            assert idle.associate(ecg.context()).kind == ASSOCIATE_AC
            assert idle.is_closed()
        assert eventually(lambda: door.node.reception.slots.taken == 0)
        with RawSender(door.port, timeout=20) as half_open:
            half_open.send(b"\x01\x00\x00\x00")
            # ARTIM: the request must come whole within its time.
            assert half_open.is_closed()
        assert send_well(door, ecg) == SUCCESS


@pytest.mark.parametrize("more", [{}, OTHER_READER], ids=["own", "pynetdicom"])
def test_a_peer_that_sends_a_byte_now_and_then_gives_its_place_back(
    town: Site, ecg: Object, more: dict[int, tuple[str, str]]
) -> None:
    """Never silent for long, and never done: a message has its time, by its length."""
    with (
        limited(town, stalled_seconds=1, slowest_bytes_per_second=1 << 20) as door,
        RawSender(door.port) as first,
        RawSender(door.port) as second,
    ):
        # Within one PDU, and in many of their own.
        in_one, in_many = b"\0", data_pdu(1, b"\0", command=False, last=False)
        for slow in (first, second):
            assert slow.associate(ecg.context() | more).kind == ASSOCIATE_AC
            slow.send(data_pdu(1, store_command(ecg.sop_class, ecg.instance), command=True, last=True))
            slow.send(data_pdu(1, ecg.data_set[:2000], command=False, last=False))
        first.send(data_pdu(1, ecg.data_set[2000:18_000], command=False, last=False)[:20])
        assert eventually(lambda: len(door.town.half_written()) == 2)

        def let_go() -> bool:
            for slow, piece in ((first, in_one), (second, in_many)):
                with suppress(OSError):
                    slow.send(piece)
            return door.node.reception.slots.taken == 0

        assert eventually(let_go)
        assert eventually(lambda: not door.town.half_written())
        assert first.is_closed() and second.is_closed()
        assert send_well(door, ecg) == SUCCESS


@pytest.mark.parametrize("more", [{}, OTHER_READER], ids=["own", "pynetdicom"])
def test_lines_are_served_beyond_a_thousand_open_files(
    door: OpenDoor, ecg: Object, more: dict[int, tuple[str, str]]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the system allows no more than a thousand open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    try:
        with ExitStack() as held:
            for _ in range(1100):
                held.enter_context(Path(os.devnull).open("rb"))
            with RawSender(door.port) as sender:
                assert sender.associate(ecg.context() | more).kind == ASSOCIATE_AC
                assert ecg.send(sender) == SUCCESS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_farewell_frees_the_place_though_the_line_stays_open(town: Site, ecg: Object) -> None:
    with limited(town, maximum_associations=1) as door, RawSender(door.port) as first:
        assert first.associate(ecg.context()).kind == ASSOCIATE_AC
        first.send(release_request())
        assert first.read_pdu().kind == RELEASE_RP
        assert eventually(lambda: door.node.reception.slots.taken == 0)
        assert send_well(door, ecg) == SUCCESS


def test_whoever_had_only_connected_finds_a_stopped_node_closed(town: Site, ecg: Object) -> None:
    node = open_door(town)
    with RawSender(node.ports[0]) as early:
        # It is in, and has said nothing.
        assert eventually(lambda: threading.active_count() > 2)
        node.stop(grace_seconds=1)
        try:
            kind = early.associate(ecg.context()).kind
        except ConnectionError:
            # The line was closed before the request was out: that is an answer too.
            kind = 0
        assert kind in (ASSOCIATE_RJ, 0)
    assert town.count("stored_object") == 0


class Moving:
    """A very large object on its way: it goes on sending, as far as it is let, until it is told to end."""

    # Sent with each small object beside it: several buffers of the line, and for longer than a small one takes.
    AT_ONCE, PIECE = 100, 1 << 16

    def __init__(self, sender: RawSender, like: Object) -> None:
        self.sender, self.like = sender, like
        self.sent, self.last = 0, False
        self._may_go = threading.Semaphore(0)

    def run(self) -> int:
        """The status of its C-STORE."""
        send, like = self.sender.send, self.like
        send(data_pdu(1, store_command(like.sop_class, like.instance), command=True, last=True))
        send(data_pdu(1, like.data_set, command=False, last=False))
        while True:
            self._may_go.acquire()
            # Whole elements of a private group behind the pixels: it may end after any of them.
            element = struct.pack("<HH2sHL", 0x7FE3, 0x1000 + self.sent, b"OB", 0, self.PIECE)
            last = self.last
            send(data_pdu(1, element + bytes(self.PIECE), command=False, last=last))
            self.sent += 1
            if last:
                return self.sender.read_status()

    def go_on(self) -> int:
        """How far it had come."""
        before = self.sent
        self._may_go.release(self.AT_ONCE)
        return before

    def has_sent(self, pieces: int) -> bool:
        return self.sent >= pieces

    def end(self) -> None:
        self.last = True
        self._may_go.release()


def test_small_objects_pass_one_that_goes_on_arriving(door: OpenDoor) -> None:
    with RawSender(door.port) as line, ThreadPoolExecutor(1) as thread:
        big = Moving(line, Object(dr_bytes(seed="big")))
        assert line.associate(big.like.context()).kind == ASSOCIATE_AC
        status = thread.submit(big.run)
        try:
            for number in range(6):
                before = big.go_on()
                # It is moving, and has most of its way before it; neither waits for the other.
                assert eventually(partial(big.has_sent, before + 1))
                assert send_well(door, Object(ecg_bytes(patient_id=f"S-{number}", seed=number))) == SUCCESS
                assert eventually(partial(big.has_sent, before + big.AT_ONCE))
                assert len(door.town.half_written()) == 1 and not status.done()
        finally:
            big.end()
        assert status.result(60) == SUCCESS
    assert door.town.count("stored_object") == 7


@pytest.fixture
def ecg() -> Object:
    return Object(ecg_bytes())


# In megabytes. By default small enough for every run; 2048 shows the promise in full.
LARGE = int(os.environ.get("TELEMED_LARGE_OBJECT_MB", "96"))


def peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:"))) / 1024


def test_a_very_large_object_takes_no_memory(tmp_path: Path) -> None:
    """Multi-frame runs reach gigabytes: they pass through to the disk and are checked where they lie."""
    with site(tmp_path):
        port = free_port()
        # A process of its own, so that its memory is its own.
        with process(tmp_path, port) as running, RawSender(port, timeout=120) as sender:
            small = Object(dr_bytes(seed="small"))
            assert sender.associate(small.context()).kind == ASSOCIATE_AC
            assert small.send(sender) == SUCCESS
            before = peak_mb(running.pid)
            assert send_large(sender, Object(dr_bytes(seed="large"))) == SUCCESS
            grown = peak_mb(running.pid) - before
    assert grown < 64, f"{grown:.0f} MB more for an object of {LARGE} MB"


def send_large(sender: RawSender, like: Object) -> int:
    """The object with LARGE megabytes of pixels in place of its own."""
    tag = struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW")
    head = like.data_set[: like.data_set.index(tag)] + tag + struct.pack("<HL", 0, LARGE << 20)
    sender.send(data_pdu(1, store_command(like.sop_class, like.instance), command=True, last=True))
    sender.send(data_pdu(1, head, command=False, last=False))
    piece, count = bytes(65_536), LARGE * 16
    for number in range(count):
        sender.send(data_pdu(1, piece, command=False, last=number == count - 1))
    return sender.read_status()
