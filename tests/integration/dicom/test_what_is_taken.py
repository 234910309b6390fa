"""Every storage class, any transfer syntax; no service that is not there."""

from io import BytesIO

import pytest
from pydicom import dcmread

from telemed.application.objects import read_object
from telemed.imaging.header import dataset_offset, read_header
from telemed.imaging.own_head import part10_prefix
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.dicom.conftest import OpenDoor
from tests.pdu import EXPLICIT, VERIFICATION, RawSender

PRIVATE = "1.2.826.0.1.3680043.10.9999.1"


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.9.1.1",  # 12-lead ECG
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.104.1",  # Encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
        PRIVATE,
    ],
)
@pytest.mark.parametrize("syntax", [EXPLICIT, "1.2.840.113619.5.2"])  # GE's private one is the second
def test_a_class_and_a_syntax_nobody_told_us_of_are_kept_as_they_came(
    door: OpenDoor, sop_class: str, syntax: str
) -> None:
    file = ecg_bytes(sop_class=sop_class)
    data_set = file[dataset_offset(file) :]
    with RawSender(door.port) as sender:
        assert sender.associate({1: (sop_class, syntax)}).kind == 2
        assert sender.store(1, sop_class, read_header(file).sop_instance_uid, data_set) == 0
    with door.town.world.unit_of_work(write=False) as uow:
        (stored,) = uow.studies.all_objects(0, 10)
    kept = read_object(door.town.world, stored)
    assert (stored.sop_class_uid, stored.transfer_syntax_uid) == (sop_class, syntax)
    assert kept[dataset_offset(kept) :] == data_set
    meta = dcmread(BytesIO(kept), stop_before_pixels=True, specific_tags=[]).file_meta
    assert (meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) == (sop_class, syntax)
    assert meta.FileMetaInformationGroupLength == dataset_offset(kept) - 144


def test_a_uid_that_breaks_the_rules_is_no_reason_to_refuse(door: OpenDoor) -> None:
    odd = "1.2.840.0099.01.7"
    file = dr_bytes()
    plain = read_header(file)
    data_set = file[dataset_offset(file) :].replace(
        _padded(plain.sop_instance_uid), _padded(odd, len(_padded(plain.sop_instance_uid)))
    )
    with RawSender(door.port) as sender:
        sender.associate({1: (plain.sop_class_uid, EXPLICIT)})
        assert sender.store(1, plain.sop_class_uid, odd, data_set) == 0
    assert door.town.column("stored_object", "sop_instance_uid") == [odd]


def test_a_service_that_is_not_there_is_not_agreed_to(door: OpenDoor) -> None:
    with RawSender(door.port) as sender:
        answer = sender.associate(
            {1: (VERIFICATION, EXPLICIT), 3: ("1.2.840.10008.5.1.1.9", EXPLICIT)}  # print management
        )
        assert answer.kind == 2
        assert _results(answer.body) == {1: 0, 3: 3}


def test_the_beginning_of_a_file_is_the_same_for_the_same_object() -> None:
    prefix = part10_prefix("1.2.3", "1.2.4", EXPLICIT)
    assert prefix == part10_prefix("1.2.3", "1.2.4", EXPLICIT)
    assert dataset_offset(prefix) == len(prefix)


def _padded(uid: str, length: int = 0) -> bytes:
    raw = uid.encode()
    return raw.ljust(length or len(raw) + len(raw) % 2, b"\x00")


def _results(body: bytes) -> dict[int, int]:
    """Presentation context id -> result, of an A-ASSOCIATE-AC."""
    found, position = {}, 68
    while position + 4 <= len(body):
        length = int.from_bytes(body[position + 2 : position + 4], "big")
        if body[position] == 0x21:
            found[body[position + 4]] = body[position + 6]
        position += 4 + length
    return found
