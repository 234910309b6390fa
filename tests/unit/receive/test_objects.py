"""From the spool to the final place, however often and wherever it is interrupted."""

import hashlib
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from telemed.adapters.objects.directory import DirectoryStore
from telemed.application import presented
from telemed.application.commit import check_objects
from telemed.application.complete import complete_study
from telemed.application.objects import place_object, read_object
from telemed.application.ports import UnitOfWork
from telemed.application.receive import receive
from telemed.application.verify import verify_objects
from telemed.application.world import World
from telemed.dimse.pdu import LARGEST_PDU, data_pdus
from telemed.domain.errors import Unavailable
from telemed.domain.exchange import CommitmentRequest
from telemed.domain.study import StoredObject, Study
from telemed.imaging.header import dataset_offset
from telemed.imaging.right_identity import RightIdentity, under
from tests.factories.dicom import beats, dr_bytes, ecg_bytes, group
from tests.receiving import NOON, Site
from tests.unit.imaging.test_right_identity import RIGHT


def take(town: Site, file: bytes) -> StoredObject:
    received = receive(town.world, [town.incoming(file)])[0]
    return again(town, received.object_id)


def again(town: Site, object_id: int) -> StoredObject:
    with town.world.unit_of_work(write=False) as uow:
        return uow.studies.object(object_id)


def test_placing_moves_the_bytes_and_tells_it_once(town: Site) -> None:
    file = ecg_bytes()
    stored = take(town, file)
    for _ in range(2):
        place_object(town.world, object_id=stored.id)
        assert again(town, stored.id).placed
        assert (town.spool_files(), read_object(town.world, stored)) == ([], file)
    assert town.column("event", "kind").count("object.stored") == 1


@pytest.mark.parametrize("step", ["put", "commit"])
def test_a_run_cut_at_any_step_is_finished_by_the_next(town: Site, step: str) -> None:
    """The states a cut leaves behind: bytes in both places, without and with the row saying so."""
    file = ecg_bytes()
    stored = take(town, file)
    town.world.objects.put(stored.file_sha256, file)
    if step == "commit":
        with town.world.unit_of_work() as uow:
            uow.studies.object(stored.id).placed = True
            uow.commit()
    place_object(town.world, object_id=stored.id)
    assert (again(town, stored.id).placed, town.spool_files()) == (True, [])
    assert read_object(town.world, stored) == file


def test_bytes_that_are_nowhere_are_told_of_and_never_called_placed(town: Site) -> None:
    stored = take(town, ecg_bytes())
    town.world.spool.remove(stored.file_sha256)
    for call in (
        lambda: place_object(town.world, object_id=stored.id),
        lambda: read_object(town.world, stored),
    ):
        with pytest.raises(Unavailable, match=r"error\.object_missing"):
            call()
    assert not again(town, stored.id).placed


def test_bytes_that_changed_in_the_spool_do_not_reach_the_store(town: Site) -> None:
    stored = take(town, ecg_bytes())
    path = town.world.spool.path(stored.file_sha256)
    assert path is not None
    path.write_bytes(b"something else")
    with pytest.raises(Unavailable, match=r"error\.object_damaged"):
        place_object(town.world, object_id=stored.id)
    assert isinstance(town.world.objects, DirectoryStore)
    with pytest.raises(KeyError):
        town.world.objects.get(stored.file_sha256)


def test_a_repeat_after_placing_leaves_the_spool_empty(town: Site) -> None:
    file = ecg_bytes()
    stored = take(town, file)
    place_object(town.world, object_id=stored.id)
    assert take(town, file).id == stored.id
    assert town.spool_files() == []


def test_a_lead_off_is_noted_and_a_good_recording_is_not(town: Site) -> None:
    flat = beats()
    flat[:, 6:] = 0
    bad = take(town, ecg_bytes(group(np.ascontiguousarray(flat)), seed="bad"))
    good = take(town, ecg_bytes(seed="good"))
    for stored in (bad, good):
        complete_study(town.world, study_id=stored.study_id)
        complete_study(town.world, study_id=stored.study_id)
    assert again(town, bad.id).quality == "quality.lead_off:V1,V2,V3,V4,V5,V6"
    assert again(town, good.id).quality == ""


def test_an_older_recording_whose_bytes_are_gone_keeps_no_study_from_being_complete(town: Site) -> None:
    lost, good = (take(town, ecg_bytes(seed=name, study_uid="2.25.77")) for name in ("lost", "good"))
    town.world.spool.remove(lost.file_sha256)
    complete_study(town.world, study_id=good.study_id)
    assert town.column("study", "state") == ["complete"]
    assert again(town, lost.id).quality == ""


def test_a_picture_has_no_ecg_quality(town: Site) -> None:
    stored = take(town, dr_bytes())
    complete_study(town.world, study_id=stored.study_id)
    assert again(town, stored.id).quality == ""


def test_a_large_object_goes_its_way_by_pieces(town: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """To its final place, through every look at its bytes, and out of the house, corrected or not."""
    pixels = np.random.default_rng(1).integers(0, 4096, (3072, 4096), dtype=np.uint16)
    file = dr_bytes(pixels, patient_id="P-1", patient_name="Wrong^One", charset="ISO_IR 192")
    with town.world.unit_of_work() as uow:
        received = receive(town.world, [town.incoming(file)])[0]
        uow.commit()
    whole = file[dataset_offset(file) :]
    del pixels
    head = replace(RIGHT, patient_id="P-2")

    def corrected(world: World, uow: UnitOfWork, study: Study) -> dict[int, RightIdentity]:
        return {one.id: head for one in uow.studies.series(study.id)}

    tracemalloc.start()
    try:
        place_object(town.world, object_id=received.object_id)
        with town.world.unit_of_work(write=False) as uow:
            stored = uow.studies.object(received.object_id)
        assert [one.fault for one in verify_objects(town.world)] == [""]
        pairs = [(stored.sop_class_uid, stored.sop_instance_uid)]
        assert check_objects(town.world, asked(town, pairs)).committed == pairs
        sent = [sent_digest(town, stored)]
        monkeypatch.setattr(presented, "identities_of", corrected)
        sent.append(sent_digest(town, stored))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    copy = under(file, head)
    right = copy[dataset_offset(copy) :]
    assert sent == [hashlib.sha256(data).hexdigest() for data in (whole, right)]
    assert peak < len(file) / 3, f"{peak >> 20} MB at once of {len(file) >> 20}"


def asked(town: Site, pairs: list[tuple[str, str]]) -> CommitmentRequest:
    return CommitmentRequest(
        uid="1",
        institution_id=town.institution_id,
        consortium_id=town.consortium_id,
        device_id=town.device_id,
        transaction_uid="1.2",
        objects=[list(pair) for pair in pairs],
        created_at=NOON,
    )


def sent_digest(town: Site, stored: StoredObject) -> str:
    """Of what a peer would receive."""
    digest = hashlib.sha256()
    with presented.data_set_of(town.world, stored) as data:
        for pdu in data_pdus(1, data, command=False, largest=LARGEST_PDU):
            digest.update(pdu[12:])
    return digest.hexdigest()
