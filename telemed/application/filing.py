"""The row of a received object in its study, and whom a doubtful one is told to."""

from typing import Any

from telemed.application.arrival import Incoming
from telemed.application.belonging import claim_of, expected_here
from telemed.application.known import Known
from telemed.application.notifying import notify
from telemed.application.patients import is_surrogate
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.registering import BESIDE, modality_of, stored_number
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.study import ObjectRole, StoredObject, Study, quiet_until


def file_new(world: World, uow: UnitOfWork, item: Incoming, known: Known) -> tuple[Study, StoredObject]:
    """A first object under its UID; quarantined if its study already belongs to somebody else."""
    study = known.studies[item.institution_id, item.header.study_instance_uid]
    series = known.series[study.id, item.header.series_instance_uid]
    differing = _other_patient(known, study, item) and not expected_here(uow, study, item.header.patient_id)
    role = ObjectRole.CONFLICT if differing else ObjectRole.PRIMARY
    stored = add_row(world, uow, item, known, study=study, series_id=series.id, role=role)
    if differing:
        # Whose picture it is must be settled by a person before anyone reads it under a name.
        claims = claim_of(item.header.patient_id, known.number_of(item)[1])
        cause = f"patient:{item_key(item)}"
        notify(world, uow, "notice.patient_conflict", cause, study, stored, claims=claims)
        record(world, uow, Kind.OBJECT_CONFLICT, study=study, device_id=item.device_id, **facts(item))
        return study, stored
    study.patient_number = study.patient_number or item.header.patient_id[:64]
    now = world.clock.now()
    if study.modality in BESIDE and item.header.modality not in BESIDE:
        study.modality = modality_of(item.header)
    if (item.institution_id, item.header.sop_instance_uid) not in known.counted:
        study.extend(now, quiet_until(study.modality, now, known.quiet_seconds[item.institution_id]))
    record(world, uow, Kind.OBJECT_RECEIVED, study=study, device_id=item.device_id, **facts(item))
    return study, stored


def add_row(
    world: World,
    uow: UnitOfWork,
    item: Incoming,
    known: Known,
    *,
    study: Study,
    series_id: int,
    role: ObjectRole,
) -> StoredObject:
    header = item.header
    stored = StoredObject(
        uid=world.identifiers.uid(),
        institution_id=item.institution_id,
        consortium_id=item.consortium_id,
        study_id=study.id,
        series_id=series_id,
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        transfer_syntax_uid=item.transfer_syntax_uid,
        role=role,
        dataset_sha256=item.part.dataset_sha256,
        file_sha256=item.part.file_sha256,
        size=item.part.size,
        received_at=world.clock.now(),
        instance_number=stored_number(header.instance_number),
        frames=stored_number(header.frames) or 1,
        rows=header.rows,
        columns=header.columns,
        device_id=item.device_id,
        uploaded_by=item.uploaded_by,
    )
    uow.studies.add_object(stored)
    known.add_object(stored)
    return stored


def item_key(item: Incoming) -> str:
    return f"{item.institution_id}:{item.header.sop_instance_uid}:{item.part.dataset_sha256[:32]}"


def facts(item: Incoming) -> dict[str, Any]:
    return {
        "sop_instance_uid": item.header.sop_instance_uid,
        "dataset_sha256": item.part.dataset_sha256,
        "transfer_syntax_uid": item.transfer_syntax_uid,
        **({"uploaded_by": item.uploaded_by} if item.uploaded_by else {}),
    }


def _other_patient(known: Known, study: Study, item: Incoming) -> bool:
    """An object without a PatientID contradicts nobody. In a study that came without one the first number counts.

    Another issuer's number is another's, the same digits or not; an object that names none leaves it open.
    """
    number = item.header.patient_id[:64]
    if not number:
        return False
    patient = known.patients[study.patient_id]
    if is_surrogate(patient, study.study_instance_uid):
        return study.patient_number not in ("", number)
    _, issuer, _ = known.number_of(item)
    return number != patient.patient_id or (bool(item.header.issuer) and issuer != patient.issuer)
