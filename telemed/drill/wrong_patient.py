"""An object of another patient for a study that is somebody's: kept, shown to nobody, a person is told."""

from telemed.drill.invariants import Promised, faults, rows
from telemed.drill.objects import OTHER, dataset_sha256, film
from telemed.drill.row import Outcome
from telemed.drill.site import site


def wrong_patient(*, quick: bool = False) -> Outcome:  # noqa: ARG001 - it has no shorter form
    own, foreign = film("wrong patient", 1), film("wrong patient", 2, patient=OTHER)
    sent = {(str(ds.SOPInstanceUID), dataset_sha256(ds)) for ds in (own, foreign)}
    with site() as here, here.processes("dicom"):
        saw = [str(here.send(ds)) for ds in (own, foreign)]
        here.settle()
        found = faults(here.application, Promised(sent))
        told = [notice.code for notice in here.notices()]
        study = here.study(own)
        with here.world.unit_of_work(write=False) as uow:
            shown = [o.sop_instance_uid for o in uow.studies.objects(study.id)] if study else []
            name = uow.patients.get(study.patient_id).patient_id if study else ""
        kept = [row.role for row in rows(here.application, "SELECT role FROM stored_object ORDER BY id")]
    if saw != ["0x0000", "0x0000"]:
        found.append(f"the sender saw {saw}")
    if kept != ["primary", "conflict"] or shown != [str(own.SOPInstanceUID)] or name != own.PatientID:
        found.append(f"kept as {kept}, shown {len(shown)}")
    if told != ["notice.patient_conflict"]:
        found.append(f"told: {told}")
    facts: dict[str, str | int] = {
        "statuses": " ".join(saw),
        "kept": len(kept),
        "shown": len(shown),
        "notices": len(told),
    }
    return Outcome(found, facts)
