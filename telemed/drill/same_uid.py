"""Other bytes under a UID that is already there: both are kept, one is shown, a person is told."""

from telemed.drill.invariants import RECEIVED, Promised, faults, held_sha256, rows
from telemed.drill.objects import dataset_sha256, ecg
from telemed.drill.row import Outcome
from telemed.drill.site import site


def same_uid(*, quick: bool = False) -> Outcome:  # noqa: ARG001 - it has no shorter form
    first, other = ecg("same uid"), ecg("same uid", lead_off=True)
    sent = {(str(ds.SOPInstanceUID), dataset_sha256(ds)) for ds in (first, other)}
    with site() as here, here.processes("dicom"):
        saw = [str(here.send(ds)) for ds in (first, other)]
        here.settle()
        found = faults(here.application, Promised(sent))
        told = [notice.code for notice in here.notices()]
        study = here.study(first)
        with here.world.unit_of_work(write=False) as uow:
            shown = uow.studies.objects(study.id) if study else []
        shown_sha256 = [held_sha256(here.application, one.id) for one in shown]
        kept = rows(here.application, RECEIVED)
    if saw != ["0x0000", "0x0000"]:
        found.append(f"the sender saw {saw}")
    if [row.role for row in kept] != ["primary", "conflict"]:
        found.append(f"kept as {[row.role for row in kept]}")
    if shown_sha256 != [dataset_sha256(first)]:
        found.append("what is shown is not the first object alone")
    if told != ["notice.object_conflict"]:
        found.append(f"told: {told}")
    facts: dict[str, str | int] = {
        "statuses": " ".join(saw),
        "kept": len(kept),
        "shown": len(shown),
        "notices": len(told),
    }
    return Outcome(found, facts)
