"""An object of another patient in a study of somebody: kept, shown to nobody; a person is told, and decides."""

from datetime import date

from telemed.application.corrections import compare, decide, open_mismatches
from telemed.application.orders import OrderRequest, place_order
from telemed.application.reassign import Wish
from telemed.domain.correction import Decision
from telemed.domain.order import OrderSource
from telemed.drill import house
from telemed.drill.invariants import RECEIVED, Promised, faults, rows
from telemed.drill.objects import OTHER, PATIENT, dataset_sha256, film
from telemed.drill.row import Outcome
from telemed.drill.site import Site, site


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
        kept = [row.role for row in rows(here.application, RECEIVED)]
        right = _decided(here)
        here.settle()
        found += faults(here.application, Promised(sent))
    if saw != ["0x0000", "0x0000"]:
        found.append(f"the sender saw {saw}")
    if kept != ["primary", "conflict"] or shown != [str(own.SOPInstanceUID)] or name != own.PatientID:
        found.append(f"kept as {kept}, shown {len(shown)}")
    if told != ["notice.patient_conflict"]:
        found.append(f"told: {told}")
    if right != {
        PATIENT.patient_id: [str(own.SOPInstanceUID)],
        OTHER.patient_id: [str(foreign.SOPInstanceUID)],
    }:
        found.append(f"after the decision: {right}")
    facts: dict[str, str | int] = {
        "statuses": " ".join(saw),
        "kept": len(kept),
        "shown": len(shown),
        "notices": len(told),
        "moved": len(right.get(OTHER.patient_id, [])),
    }
    return Outcome(found, facts)


def _decided(here: Site) -> dict[str, list[str]]:
    """The technician compares both sides and names the right person. What is then shown, by patient number."""
    technician = house.actor(here.world, house.TECHNICIAN)
    # The right person is known here by an order of their own.
    request = OrderRequest(
        patient_id=OTHER.patient_id, name="虚构", sex=OTHER.sex, birth_date=date(1951, 7, 4), modality="DX"
    )
    place_order(here.world, actor=technician, request=request, source=OrderSource.FORM)
    for question in open_mismatches(here.world, actor=technician):
        compared = compare(here.world, actor=technician, uid=question.first.uid)
        header = compared.received.header if compared.received else None
        wish = Wish(
            from_patient_id=question.patient.patient_id,
            patient_id=header.patient_id if header else "",
            reason="演练:两侧不是同一人",
        )
        decide(
            here.world,
            actor=technician,
            uid=question.first.uid,
            decision=Decision.REASSIGN,
            reason=wish.reason,
            wish=wish,
        )
    shown: dict[str, list[str]] = {}
    statement = (
        "SELECT p.patient_id, o.sop_instance_uid FROM stored_object o JOIN study s ON s.id = o.study_id"
        " JOIN patient p ON p.id = s.patient_id WHERE o.role = 'primary' ORDER BY o.id"
    )
    for row in rows(here.application, statement):
        shown.setdefault(row.patient_id, []).append(row.sop_instance_uid)
    return shown
