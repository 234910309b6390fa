"""A full disk: refused with 0xA700 before or while bytes come, nothing kept, and the association lives on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telemed.imaging.header import dataset_offset, read_header
from tests.disks import FillingDisk
from tests.factories.dicom import ecg_bytes
from tests.integration.dicom.conftest import open_door
from tests.pdu import EXPLICIT, VERIFICATION, RawSender
from tests.receiving import Site, site

SUCCESS, OUT_OF_RESOURCES = 0x0000, 0xA700


@contextmanager
def line(tmp_path: Path, disk: FillingDisk, low_water: int = 0) -> Iterator[tuple[Site, RawSender]]:
    with site(tmp_path, disk, low_water=low_water) as town:
        node = open_door(town)
        try:
            with RawSender(node.ports[0]) as sender:
                header = read_header(ecg_bytes())
                sender.associate({1: (header.sop_class_uid, EXPLICIT), 3: (VERIFICATION, EXPLICIT)})
                yield town, sender
        finally:
            node.stop(grace_seconds=1)


def store(sender: RawSender) -> int:
    file = ecg_bytes()
    header = read_header(file)
    return sender.store(1, header.sop_class_uid, header.sop_instance_uid, file[dataset_offset(file) :])


def test_below_the_low_water_mark_not_a_byte_is_taken(tmp_path: Path) -> None:
    disk = FillingDisk(free=100)
    with line(tmp_path, disk, low_water=1000) as (town, sender):
        assert store(sender) == OUT_OF_RESOURCES
        assert (disk.taken_in, town.spool_files(), town.count("stored_object")) == (0, [], 0)
        assert sender.echo(3) == SUCCESS
        disk.free = 1 << 40
        assert store(sender) == SUCCESS
        assert town.count("stored_object") == 1


def test_a_disk_that_fills_up_in_the_middle_of_an_object_keeps_nothing_of_it(tmp_path: Path) -> None:
    disk = FillingDisk(room=40_000)
    with line(tmp_path, disk) as (town, sender):
        assert store(sender) == OUT_OF_RESOURCES
        assert (town.spool_files(), town.count("stored_object")) == ([], 0)
        assert sender.echo(3) == SUCCESS
        disk.room = None
        assert store(sender) == SUCCESS
        assert town.count("stored_object") == 1
