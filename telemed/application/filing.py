"""The rows of a received object: its patient, study and series, and whom a doubtful one is told to."""

from typing import Any

from telemed.application.arrival import Incoming
from telemed.application.belonging import claim_of, expected_here
from telemed.application.known import Known
from telemed.application.patients import contradictions, ensure_patient, is_surrogate, local_id
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.notice import Notice
from telemed.domain.study import ObjectRole, Series, StoredObject, Study, quiet_until
from telemed.imaging.header import StudyHeader
from telemed.imaging.waveform import ECG_SOP_CLASSES

# What accompanies an examination and does not say what it is.
_BESIDE = {"", "SR", "PR", "KO", "DOC", "SEG", "REG", "AU", "OT"}


def file_new(world: World, uow: UnitOfWork, item: Incoming, known: Known) -> tuple[Study, StoredObject]:
    """A first object under its UID; quarantined if its study already belongs to somebody else."""
    study = _ensure_study(world, uow, item, known)
    series = _ensure_series(world, uow, item, study, known)
    differing = _other_patient(known, study, item.header) and not expected_here(
        uow, study, item.header.patient_id
    )
    role = ObjectRole.CONFLICT if differing else ObjectRole.PRIMARY
    stored = add_row(world, uow, item, known, study=study, series_id=series.id, role=role)
    if differing:
        # Whose picture it is must be settled by a person before anyone reads it under a name.
        claims = claim_of(item.header.patient_id)
        cause = f"patient:{item_key(item)}"
        notify(world, uow, "notice.patient_conflict", cause, study, stored, claims=claims)
        record(world, uow, Kind.OBJECT_CONFLICT, study=study, device_id=item.device_id, **facts(item))
        return study, stored
    now = world.clock.now()
    if study.modality in _BESIDE and item.header.modality not in _BESIDE:
        study.modality = modality_of(item.header)
    quiet_seconds = known.institutions[item.institution_id].quiet_seconds
    study.extend(now, quiet_until(study.modality, now, quiet_seconds))
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
        instance_number=_stored_number(header.instance_number),
        frames=_stored_number(header.frames) or 1,
        rows=header.rows,
        columns=header.columns,
        device_id=item.device_id,
        uploaded_by=item.uploaded_by,
    )
    uow.studies.add_object(stored)
    known.add_object(stored)
    return stored


def notify(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    study: Study,
    stored: StoredObject | None = None,
    **details: Any,
) -> None:
    """Tells the institution's people, once per cause; facts are codes and identifiers."""
    if stored is not None:
        # Its number is wanted now; all else of a batch is written at its end, in one go.
        uow.flush()
    notice = Notice(
        uid=world.identifiers.uid(),
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        code=code,
        cause_key=cause,
        created_at=world.clock.now(),
        facts=details,
        study_id=study.id,
        object_id=stored.id if stored else None,
    )
    if uow.notices.raise_once(notice):
        record(world, uow, Kind.NOTICE_RAISED, study=study, code=code)


def notify_institution(
    world: World,
    uow: UnitOfWork,
    code: str,
    cause: str,
    *,
    institution_id: int,
    consortium_id: int,
    study_id: int | None = None,
    **details: Any,
) -> None:
    """As `notify`, about what concerns the institution rather than one study."""
    notice = Notice(
        uid=world.identifiers.uid(),
        institution_id=institution_id,
        consortium_id=consortium_id,
        code=code,
        cause_key=cause,
        created_at=world.clock.now(),
        facts=details,
        study_id=study_id,
    )
    if uow.notices.raise_once(notice):
        record(
            world,
            uow,
            Kind.NOTICE_RAISED,
            institution_id=institution_id,
            consortium_id=consortium_id,
            code=code,
        )


def item_key(item: Incoming) -> str:
    return f"{item.institution_id}:{item.header.sop_instance_uid}:{item.part.dataset_sha256[:32]}"


def facts(item: Incoming) -> dict[str, Any]:
    return {
        "sop_instance_uid": item.header.sop_instance_uid,
        "dataset_sha256": item.part.dataset_sha256,
        "transfer_syntax_uid": item.transfer_syntax_uid,
        **({"uploaded_by": item.uploaded_by} if item.uploaded_by else {}),
    }


def modality_of(header: StudyHeader) -> str:
    """Machines that leave it out still name the class: an ECG must not wait for more pictures."""
    if header.modality in _BESIDE and header.sop_class_uid in ECG_SOP_CLASSES:
        return "ECG"
    return header.modality[:16] or "OT"


def _ensure_study(world: World, uow: UnitOfWork, item: Incoming, known: Known) -> Study:
    header, key = item.header, (item.institution_id, item.header.study_instance_uid)
    if key in known.studies:
        return known.studies[key]
    patient = ensure_patient(
        world,
        uow,
        header=header,
        institution_id=item.institution_id,
        consortium_id=item.consortium_id,
        known=known.patients_by_number.get((item.institution_id, local_id(header))),
    )
    known.add_patient(patient)
    now = world.clock.now()
    study = uow.studies.ensure(
        Study(
            uid=world.identifiers.uid(),
            institution_id=item.institution_id,
            consortium_id=item.consortium_id,
            study_instance_uid=header.study_instance_uid,
            patient_id=patient.id,
            modality=modality_of(header),
            accession_number=header.accession_number[:64],
            description=header.study_description[:200],
            body_part=header.body_part[:64],
            study_date=header.study_date[:8],
            study_time=header.study_time[:16],
            first_object_at=now,
            last_object_at=now,
            whole_at=now,
        )
    )
    known.studies[key] = study
    if study.patient_id not in known.patients:
        # A rival was first, and named somebody else.
        known.add_patient(uow.patients.get(study.patient_id))
    if is_surrogate(patient, header.study_instance_uid):
        notify(world, uow, "notice.patient_id_missing", f"patient_id_missing:{study.uid}", study)
    elif differing := contradictions(patient, header):
        notify(
            world,
            uow,
            "notice.patient_differs",
            f"patient_differs:{study.uid}",
            study,
            fields=" ".join(differing),
        )
    return study


def _ensure_series(world: World, uow: UnitOfWork, item: Incoming, study: Study, known: Known) -> Series:
    header, key = item.header, (study.id, item.header.series_instance_uid)
    if key in known.series:
        return known.series[key]
    known.series[key] = uow.studies.ensure_series(
        Series(
            uid=world.identifiers.uid(),
            study_id=study.id,
            institution_id=item.institution_id,
            consortium_id=item.consortium_id,
            series_instance_uid=header.series_instance_uid,
            modality=modality_of(header),
            number=_stored_number(header.series_number),
            description=header.series_description[:200],
        )
    )
    return known.series[key]


def _other_patient(known: Known, study: Study, header: StudyHeader) -> bool:
    """An object without a PatientID contradicts nobody, nor does any in a study that came without one."""
    patient = known.patients[study.patient_id]
    return bool(
        header.patient_id
        and header.patient_id[:64] != patient.patient_id
        and not is_surrogate(patient, study.study_instance_uid)
    )


def _stored_number(value: int | None) -> int | None:
    """IS goes to 2**31 - 1; what a broken machine writes beyond it is no number to sort by."""
    return value if value is not None and -(2**31) <= value < 2**31 else None
