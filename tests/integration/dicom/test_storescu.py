"""Objects sent by DCMTK's storescu are stored byte for byte, in the transfer syntax they came in."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from telemed.application.objects import read_object
from telemed.imaging.header import dataset_offset
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.dicom.conftest import OpenDoor
from tests.programs import require

pytestmark = pytest.mark.dcmtk

IMPLICIT, EXPLICIT, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
# DCMTK's names for "propose this one first".
PROPOSE = {IMPLICIT: "-xi", EXPLICIT: "-xe", DEFLATED: "-xd", RLE: "-xr"}


def storescu(
    port: int, *files: Path, calling: str = "TOWN_DR", called: str = "TELEMED", options: str = ""
) -> str:
    program = require("storescu", package="dcmtk")
    command = [program, "-v", "-aet", calling, "-aec", called, *options.split(), "127.0.0.1", str(port)]
    # Without it DCMTK waits 45 ms per object for Nagle's algorithm.
    environment = {**os.environ, "TCP_NODELAY": "1"}
    done = subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    return f"exit={done.returncode}\n{done.stdout}{done.stderr}"


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def stored_file(door: OpenDoor, index: int = 0) -> bytes:
    with door.town.world.unit_of_work(write=False) as uow:
        return read_object(door.town.world, uow.studies.all_objects(0, 100)[index])


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED])
@pytest.mark.parametrize("kind", ["ecg", "dr"])
def test_the_stored_data_set_is_the_sent_one(door: OpenDoor, tmp_path: Path, kind: str, syntax: str) -> None:
    make = ecg_bytes if kind == "ecg" else dr_bytes
    file = make(transfer_syntax=syntax)
    said = storescu(door.port, write(tmp_path, "sent.dcm", file), options=PROPOSE[syntax])
    assert "exit=0" in said, said
    stored = stored_file(door)
    assert stored[dataset_offset(stored) :] == file[dataset_offset(file) :]
    assert door.town.column("stored_object", "transfer_syntax_uid") == [syntax]
    # One pass over the bytes: the door's head is the same before every copy of this object.
    assert door.town.column("stored_object", "dataset_sha256") == [hashlib.sha256(stored).hexdigest()]
    assert door.town.column("stored_object", "device_id") == [door.town.device_id]
    assert door.town.half_written() == []


def test_a_compressed_picture_stays_compressed(door: OpenDoor, tmp_path: Path) -> None:
    dcmcrle = require("dcmcrle", package="dcmtk")
    plain, packed = write(tmp_path, "plain.dcm", dr_bytes()), tmp_path / "rle.dcm"
    subprocess.run([dcmcrle, plain, packed], check=True, timeout=60)
    assert "exit=0" in storescu(door.port, packed, options="-xr")
    file, stored = packed.read_bytes(), stored_file(door)
    assert door.town.column("stored_object", "transfer_syntax_uid") == [RLE]
    assert stored[dataset_offset(stored) :] == file[dataset_offset(file) :]


def test_the_same_picture_compressed_is_an_alternate(door: OpenDoor, tmp_path: Path) -> None:
    dcmcrle = require("dcmcrle", package="dcmtk")
    plain, packed = write(tmp_path, "plain.dcm", dr_bytes()), tmp_path / "rle.dcm"
    subprocess.run([dcmcrle, plain, packed], check=True, timeout=60)
    assert "exit=0" in storescu(door.port, plain)
    assert "exit=0" in storescu(door.port, packed, options="-xr")
    assert door.town.column("stored_object", "role") == ["primary", "alternate"]


def test_repeat_and_conflict_are_successes_for_the_sender(door: OpenDoor, tmp_path: Path) -> None:
    first = write(tmp_path, "first.dcm", ecg_bytes())
    other = write(tmp_path, "other.dcm", ecg_bytes(StudyTime="150000"))
    assert "exit=0" in storescu(door.port, first, first, other)
    assert door.town.column("stored_object", "role") == ["primary", "conflict"]
    assert door.town.column("notice", "code") == ["notice.object_conflict"]
    assert door.town.column("event", "kind").count("object.repeated") == 1


def test_many_objects_in_one_association(door: OpenDoor, tmp_path: Path) -> None:
    files = [write(tmp_path, f"{n}.dcm", ecg_bytes(seed=n)) for n in range(12)]
    assert "exit=0" in storescu(door.port, *files)
    assert door.town.count("stored_object") == 12


def test_an_unknown_calling_ae_is_rejected_with_its_reason(door: OpenDoor, tmp_path: Path) -> None:
    said = storescu(door.port, write(tmp_path, "a.dcm", ecg_bytes()), calling="STRANGER")
    assert "exit=0" not in said
    assert "Calling AE Title Not Recognized" in said
    assert door.town.column("event", "kind") == ["association.rejected"]
    assert (door.town.count("stored_object"), door.town.spool_files()) == (0, [])


def test_a_wrong_called_ae_is_rejected_with_its_reason(door: OpenDoor, tmp_path: Path) -> None:
    said = storescu(door.port, write(tmp_path, "a.dcm", ecg_bytes()), called="ELSEWHERE")
    assert "exit=0" not in said
    assert "Called AE Title Not Recognized" in said
    assert door.town.column("event", "institution_id") == [door.town.institution_id]


def test_echoscu_gets_its_answer(door: OpenDoor) -> None:
    program = require("echoscu", package="dcmtk")
    command = [program, "-aet", "TOWN_DR", "-aec", "TELEMED", "127.0.0.1", str(door.port)]
    assert subprocess.run(command, timeout=30, check=False).returncode == 0
