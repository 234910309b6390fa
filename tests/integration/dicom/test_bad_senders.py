"""What no well-behaved sender sends: garbage, cuts, lies. The next object and the next sender are not hurt."""

from __future__ import annotations

import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from telemed.application.objects import read_object
from telemed.imaging.header import dataset_offset, read_header
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom.conftest import LIMITS, OpenDoor, open_door
from tests.pdu import EXPLICIT, VERIFICATION, RawSender, associate_request, data_pdu, pdu, store_command
from tests.receiving import Site, site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SUCCESS, MISMATCH, CANNOT_UNDERSTAND, PROCESSING_FAILURE = 0x0000, 0xA900, 0xC000, 0x0110
ASSOCIATE_AC, ASSOCIATE_RJ = 2, 3

# Whoever offers such a context besides is read by pynetdicom.
OTHER_READER = {5: ("1.2.840.10008.3.1.2.3.3", EXPLICIT)}


class Object:
    """A file, as a sender of PDUs needs it."""

    def __init__(self, file: bytes) -> None:
        header = read_header(file)
        self.file, self.sop_class, self.instance = file, header.sop_class_uid, header.sop_instance_uid
        self.data_set = file[dataset_offset(file) :]

    def context(self) -> dict[int, tuple[str, str]]:
        return {1: (self.sop_class, EXPLICIT)}

    def send(self, sender: RawSender, data_set: bytes | None = None) -> int:
        payload = self.data_set if data_set is None else data_set
        return sender.store(1, self.sop_class, self.instance, payload)


@pytest.fixture
def ecg() -> Object:
    return Object(ecg_bytes())


def eventually(condition: Callable[[], bool]) -> bool:
    """The other side works in its own threads: waits for it, at most thirty seconds.

    A condition that held once is not asked again: asking may itself take a place for a moment.
    """
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def send_well(door: OpenDoor, sent: Object) -> int:
    with RawSender(door.port) as sender:
        assert sender.associate(sent.context()).kind == ASSOCIATE_AC
        return sent.send(sender)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"This is a text file and no data set.\n" * 40,
        b"",
        b"\x00" * 512,
        bytes(range(256)) * 8,
    ],
    ids=["text", "empty", "zeros", "noise"],
)
def test_an_unreadable_data_set_is_refused_and_the_association_goes_on(
    door: OpenDoor, ecg: Object, nonsense: bytes
) -> None:
    with RawSender(door.port) as sender:
        sender.associate(ecg.context())
        assert ecg.send(sender, nonsense) == CANNOT_UNDERSTAND
        # Again, as machines do: it is kept and told of once.
        assert ecg.send(sender, nonsense) == CANNOT_UNDERSTAND
        assert ecg.send(sender) == SUCCESS
    assert door.town.count("stored_object") == 1
    told = [code for code in door.town.column("notice", "code") if code == "notice.object_unreadable"]
    assert len(told) == (1 if nonsense else 0)
    assert len(door.town.spool_files()) == (2 if nonsense else 1)


def test_what_cannot_be_read_is_kept_as_it_came(door: OpenDoor, ecg: Object) -> None:
    nonsense = b"This is a text file and no data set.\n" * 40
    with RawSender(door.port) as sender:
        sender.associate(ecg.context())
        assert ecg.send(sender, nonsense) == CANNOT_UNDERSTAND
    (facts,) = map(json.loads, door.town.column("notice", "facts"))
    assert facts["sop_instance_uid"] == ecg.instance
    kept = door.town.world.spool.read(facts["sha256"])
    assert kept.endswith(nonsense)
    assert door.town.column("event", "kind").count("object.unreadable") == 1


@pytest.mark.parametrize("share", [0.02, 0.3, 0.999])
def test_a_data_set_cut_short_is_refused_with_a_short_comment(
    door: OpenDoor, ecg: Object, share: float
) -> None:
    with RawSender(door.port) as sender:
        sender.associate(ecg.context())
        sender.send(data_pdu(1, store_command(ecg.sop_class, ecg.instance), command=True, last=True))
        cut = ecg.data_set[: int(len(ecg.data_set) * share) | 1]
        for start in range(0, len(cut), 16_000):
            piece = cut[start : start + 16_000]
            sender.send(data_pdu(1, piece, command=False, last=start + 16_000 >= len(cut)))
        answer = sender.read_command()
        assert int.from_bytes(answer[0x0900], "little") == CANNOT_UNDERSTAND
        assert 0 < len(answer[0x0902]) <= 64
        assert ecg.send(sender) == SUCCESS
    assert door.town.count("stored_object") == 1
    assert door.town.column("notice", "code") == ["notice.object_unreadable"]


def test_another_object_than_the_command_announced_is_refused(door: OpenDoor, ecg: Object) -> None:
    with RawSender(door.port) as sender:
        sender.associate(ecg.context())
        assert sender.store(1, ecg.sop_class, uid("another"), ecg.data_set) == MISMATCH
        assert ecg.send(sender) == SUCCESS
    assert door.town.count("stored_object") == 1


def test_a_line_cut_in_the_middle_of_an_object_leaves_nothing_and_sending_again_succeeds(
    door: OpenDoor,
) -> None:
    picture = Object(dr_bytes())
    with RawSender(door.port) as sender:
        sender.associate(picture.context())
        sender.send(data_pdu(1, store_command(picture.sop_class, picture.instance), command=True, last=True))
        sender.send(data_pdu(1, picture.data_set[:3000], command=False, last=False))
        assert eventually(lambda: len(door.town.half_written()) == 1)
        sender.cut()
    assert eventually(lambda: door.town.half_written() == [])
    assert (door.town.count("stored_object"), door.town.spool_files()) == (0, [])

    assert send_well(door, picture) == SUCCESS
    with door.town.world.unit_of_work(write=False) as uow:
        (stored,) = uow.studies.all_objects(0, 10)
    file = read_object(door.town.world, stored)
    assert file[dataset_offset(file) :] == picture.data_set


def test_a_line_cut_in_the_middle_of_a_pdu_leaves_nothing(door: OpenDoor, ecg: Object) -> None:
    with RawSender(door.port) as sender:
        sender.associate(ecg.context())
        sender.send(data_pdu(1, store_command(ecg.sop_class, ecg.instance), command=True, last=True))
        sender.send(data_pdu(1, ecg.data_set[:9000], command=False, last=False))
        assert eventually(lambda: len(door.town.half_written()) == 1)
        sender.send(data_pdu(1, ecg.data_set[9000:20_000], command=False, last=False)[:500])
        sender.cut()
    assert eventually(lambda: door.town.half_written() == [])
    assert send_well(door, ecg) == SUCCESS


def test_a_peer_that_stands_still_in_the_middle_of_a_pdu_is_let_go(door: OpenDoor, ecg: Object) -> None:
    with RawSender(door.port, timeout=20) as sender:
        sender.associate(ecg.context())
        sender.send(data_pdu(1, store_command(ecg.sop_class, ecg.instance), command=True, last=True))
        sender.send(data_pdu(1, ecg.data_set[:9000], command=False, last=False))
        sender.send(data_pdu(1, ecg.data_set[9000:20_000], command=False, last=False)[:500])
        assert sender.is_closed()
    assert eventually(lambda: door.town.half_written() == [])


def test_a_peer_that_sends_byte_by_byte_is_let_go(town: Site, ecg: Object) -> None:
    """Each piece comes in time, in PDUs of its own: it is the whole message that must get on."""
    node = open_door(town, replace(LIMITS, stalled_seconds=1))
    try:
        with RawSender(node.ports[0], timeout=20) as sender:
            sender.associate(ecg.context())
            sender.send(data_pdu(1, store_command(ecg.sop_class, ecg.instance), command=True, last=True))
            began = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - began < 15:
                    sender.send(data_pdu(1, ecg.data_set[:8], command=False, last=False))
                    time.sleep(0.2)
        assert eventually(lambda: town.half_written() == [])
        assert send_well(OpenDoor(town, node), ecg) == SUCCESS
    finally:
        node.stop(grace_seconds=1)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        pdu(9, b"what is this"),
        struct.pack(">BBL", 4, 0, 0xFFFFFFF0) + b"x" * 100,
        associate_request("TOWN_DR", "TELEMED", {1: (VERIFICATION, EXPLICIT)})[:90],
        b"\x01\x00\x00\x00\x00\x02\x00\x01",
    ],
    ids=["http", "unknown-type", "four-gigabytes", "half-a-request", "tiny-request"],
)
def test_garbage_in_place_of_an_association_ends_that_line_alone(
    door: OpenDoor, ecg: Object, garbage: bytes
) -> None:
    with RawSender(door.port, timeout=20) as sender:
        sender.send(garbage)
        if garbage.startswith(b"\x01"):
            sender.sock.shutdown(1)
        assert sender.is_closed()
    assert send_well(door, ecg) == SUCCESS


@pytest.mark.parametrize(
    "garbage",
    [
        pdu(4, struct.pack(">L", 50) + b"\x01\x02short"),
        pdu(4, struct.pack(">L", 8) + b"\x01\x03nosense"),
        pdu(77, b""),
        data_pdu(9, store_command("1.2.3", "1.2.4"), command=True, last=True)
        + data_pdu(9, b"\x00" * 32, command=False, last=True),
    ],
    ids=["lying-length", "no-command", "unknown-type", "context-never-agreed"],
)
def test_garbage_within_an_association_ends_it_and_keeps_what_was_safe(
    door: OpenDoor, ecg: Object, garbage: bytes
) -> None:
    with RawSender(door.port, timeout=20) as sender:
        sender.associate(ecg.context())
        assert ecg.send(sender) == SUCCESS
        sender.send(garbage)
        assert sender.is_closed()
    assert door.town.count("stored_object") == 1
    assert eventually(lambda: door.town.half_written() == [])
    assert send_well(door, ecg) == SUCCESS


def test_port_probes_take_no_place_from_senders(town: Site, ecg: Object) -> None:
    node = open_door(town, replace(LIMITS, maximum_associations=2))
    try:
        probes = [RawSender(node.ports[0]).__enter__() for _ in range(12)]
        assert send_well(OpenDoor(town, node), ecg) == SUCCESS
        for probe in probes:
            probe.sock.close()
    finally:
        node.stop(grace_seconds=1)


def test_one_association_too_many_is_told_so_and_the_place_comes_back(town: Site, ecg: Object) -> None:
    node = open_door(town, replace(LIMITS, maximum_associations=1))
    try:
        with RawSender(node.ports[0]) as first, RawSender(node.ports[0]) as second:
            assert first.associate(ecg.context()).kind == ASSOCIATE_AC
            answer = second.associate(ecg.context())
            assert (answer.kind, tuple(answer.body[1:])) == (ASSOCIATE_RJ, (2, 3, 2))
        door = OpenDoor(town, node)

        def accepted() -> bool:
            with RawSender(door.port) as third:
                return third.associate(ecg.context()).kind == ASSOCIATE_AC

        assert eventually(accepted)
    finally:
        node.stop(grace_seconds=1)


def test_sixteen_racing_associations_leave_one_study_and_exact_counts(door: OpenDoor) -> None:
    study, series = uid("race"), uid("race series")
    objects = [Object(ecg_bytes(study_uid=study, series_uid=series, seed=n)) for n in range(16)]
    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(lambda sent: send_well(door, sent), objects))
    assert statuses == [SUCCESS] * 16
    town = door.town
    assert [town.count(table) for table in ("patient", "study", "series", "stored_object")] == [1, 1, 1, 16]
    assert town.column("study", "object_count") == [16]
    assert len(town.spool_files()) == 16


def test_sixteen_associations_with_the_same_object_leave_one(door: OpenDoor, ecg: Object) -> None:
    with ThreadPoolExecutor(16) as senders:
        statuses = list(senders.map(lambda _: send_well(door, ecg), range(16)))
    assert statuses == [SUCCESS] * 16
    assert (door.town.count("stored_object"), len(door.town.spool_files())) == (1, 1)


def test_an_object_in_flight_is_finished_before_the_node_stops(town: Site) -> None:
    picture = Object(dr_bytes())
    node = open_door(town)
    with RawSender(node.ports[0]) as sender, ThreadPoolExecutor(1) as other:
        sender.associate(picture.context())
        sender.send(data_pdu(1, store_command(picture.sop_class, picture.instance), command=True, last=True))
        sender.send(data_pdu(1, picture.data_set[:3000], command=False, last=False))
        assert eventually(lambda: len(town.half_written()) == 1)
        stopped = other.submit(node.stop, 10)
        sender.send(data_pdu(1, picture.data_set[3000:], command=False, last=True))
        assert sender.read_status() == SUCCESS
        stopped.result(timeout=30)
        assert sender.is_closed()
    assert town.count("stored_object") == 1


def test_a_restart_removes_what_a_dead_process_left_and_nothing_else(tmp_path: Path, ecg: Object) -> None:
    leftover = tmp_path / "spool" / "incoming" / "0123456789abcdef-4242-7"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half an object")
    with site(tmp_path) as town:
        assert not leftover.exists()
        node = open_door(town)
        try:
            assert send_well(OpenDoor(town, node), ecg) == SUCCESS
        finally:
            node.stop(grace_seconds=1)
        assert town.count("stored_object") == 1
