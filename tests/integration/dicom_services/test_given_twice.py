"""Recordings of one study go to a person one after the other, while the first has gone on to somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemed.application.reassign import Wish, reassign
from tests.factories.dicom import dr_bytes, uid

if TYPE_CHECKING:
    from telemed.application.correction import Outcome
    from tests.integration.dicom_services.conftest import OpenNode


def test_a_study_that_was_given_away_is_not_its_first_person_s_again(door: OpenNode) -> None:
    for person, name in (("S-A", "虚构甲"), ("S-B", "虚构乙"), ("S-C", "虚构丙")):
        door.order(person, name, modality="DX")
    study, pictures = str(uid("given")), [str(uid("given", n)) for n in range(3)]
    door.put(
        *(dr_bytes(patient_id="S-A", study_uid=study, sop_uid=sop, seed=n) for n, sop in enumerate(pictures))
    )
    world = door.cast.world

    def give(study_uid: str, before: str, to: str, picture: str = "") -> Outcome:
        wish = Wish(from_patient_id=before, patient_id=to, reason="虚构")
        actor = door.actor("technician")
        return reassign(world, actor=actor, study_instance_uid=study_uid, wish=wish, sop_instance_uid=picture)

    first = give(study, "S-A", "S-B", pictures[0])
    give(first.study.study_instance_uid, "S-B", "S-C")
    second = give(study, "S-A", "S-B", pictures[1])
    again = give(study, "S-A", "S-B", pictures[1])
    assert again.changed is False and again.study.id == second.study.id
    with world.unit_of_work(write=False) as uow:
        where = [uow.studies.held_under(door.device.institution_id, sop)[0].study_id for sop in pictures]
        owners = [uow.patients.get(uow.studies.get(one).patient_id).patient_id for one in where]
    assert owners == ["S-C", "S-B", "S-A"]
