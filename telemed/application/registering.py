"""The rows that a batch of arriving objects stands on: people, studies and series not seen before.

Each kind is inserted in one go and then looked up, so that a rival's rows are found as well as our own.
"""

from collections.abc import Iterator, Sequence

from telemed.application.arrival import Incoming
from telemed.application.known import Known
from telemed.application.notifying import notify, notify_institution
from telemed.application.patients import contradictions, is_surrogate, link_by_card, patient_of
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.resident import Patient
from telemed.domain.study import Series, Study, quiet_until
from telemed.imaging.header import StudyHeader
from telemed.imaging.waveform import ECG_SOP_CLASSES

# What accompanies an examination and does not say what it is.
BESIDE = {"", "SR", "PR", "KO", "DOC", "SEG", "REG", "AU", "OT"}


def register(world: World, uow: UnitOfWork, batch: Sequence[Incoming], known: Known) -> None:
    """For every object whose UID is new. Others stand beside the one that is held, whatever study they claim."""
    fresh = list(_first_of_their_uid(batch, known))
    opening = {
        (item.institution_id, item.header.study_instance_uid): item
        for item in reversed(fresh)
        if (item.institution_id, item.header.study_instance_uid) not in known.studies
    }
    # In an order that every batch shares: two that meet wait for each other, and never both.
    openers = [opening[key] for key in sorted(opening)]
    if openers:
        _people(world, uow, openers, known)
        _studies(world, uow, openers, known)
    _series(world, uow, fresh, known)


def modality_of(header: StudyHeader) -> str:
    """Machines that leave it out still name the class: an ECG must not wait for more pictures."""
    if header.modality in BESIDE and header.sop_class_uid in ECG_SOP_CLASSES:
        return "ECG"
    return header.modality[:16] or "OT"


def stored_number(value: int | None) -> int | None:
    """IS goes to 2**31 - 1; what a broken machine writes beyond it is no number to sort by."""
    return value if value is not None and -(2**31) <= value < 2**31 else None


def _first_of_their_uid(batch: Sequence[Incoming], known: Known) -> Iterator[Incoming]:
    seen = set()
    for item in batch:
        key = (item.institution_id, item.header.sop_instance_uid)
        if key not in seen and not known.held.get(key):
            seen.add(key)
            yield item


def _people(world: World, uow: UnitOfWork, openers: Sequence[Incoming], known: Known) -> None:
    strangers = {
        key: patient_of(
            world,
            header=item.header,
            institution_id=item.institution_id,
            consortium_id=item.consortium_id,
            issuer=key[1],
        )
        for item in openers
        if (key := known.number_of(item)) not in known.patients_by_number
    }
    if strangers:
        for patient in uow.patients.ensure_all([strangers[key] for key in sorted(strangers)]):
            known.add_patient(patient)
    for item in openers:
        patient = known.patients_by_number[known.number_of(item)]
        if patient.issuer:
            _tell_foreign(world, uow, patient)
        if patient.resident_id is None:
            link_by_card(world, uow, item.header, patient)


def _studies(world: World, uow: UnitOfWork, openers: Sequence[Incoming], known: Known) -> None:
    ours = {study.uid: (item, study) for item in openers for study in [_study(world, item, known)]}
    for study in uow.studies.ensure_all([study for _, study in ours.values()]):
        known.studies[study.institution_id, study.study_instance_uid] = study
        if study.uid in ours:
            known.counted.add((study.institution_id, ours[study.uid][0].header.sop_instance_uid))
        if study.patient_id not in known.patients:
            # A rival was first, and named somebody else.
            known.add_patient(uow.patients.get(study.patient_id))
    for item in openers:
        study = known.studies[item.institution_id, item.header.study_instance_uid]
        patient = known.patients_by_number[known.number_of(item)]
        if is_surrogate(patient, item.header.study_instance_uid):
            notify(world, uow, "notice.patient_id_missing", f"patient_id_missing:{study.uid}", study)
        elif differing := contradictions(world.names, patient, item.header):
            notify(
                world,
                uow,
                "notice.patient_differs",
                f"patient_differs:{study.uid}",
                study,
                fields=" ".join(differing),
            )


def _tell_foreign(world: World, uow: UnitOfWork, patient: Patient) -> None:
    """Once an issuer: it may be another name of the institution, which somebody here then records as such."""
    notify_institution(
        world,
        uow,
        "notice.issuer_foreign",
        f"issuer:{patient.institution_id}:{patient.issuer}",
        institution_id=patient.institution_id,
        consortium_id=patient.consortium_id,
        issuer=patient.issuer,
    )


def _study(world: World, item: Incoming, known: Known) -> Study:
    """With its first object counted: written once, it need not be changed a moment later."""
    header, now = item.header, world.clock.now()
    study = Study(
        uid=world.identifiers.uid(),
        institution_id=item.institution_id,
        consortium_id=item.consortium_id,
        study_instance_uid=header.study_instance_uid,
        patient_id=known.patients_by_number[known.number_of(item)].id,
        patient_number=header.patient_id[:64],
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
    study.extend(now, quiet_until(study.modality, now, known.quiet_seconds[item.institution_id]))
    return study


def _series(world: World, uow: UnitOfWork, fresh: Sequence[Incoming], known: Known) -> None:
    opening: dict[tuple[int, str], Series] = {}
    for item in fresh:
        header = item.header
        study = known.studies[item.institution_id, header.study_instance_uid]
        key = (study.id, header.series_instance_uid)
        if key not in known.series and key not in opening:
            opening[key] = Series(
                uid=world.identifiers.uid(),
                study_id=study.id,
                institution_id=item.institution_id,
                consortium_id=item.consortium_id,
                series_instance_uid=header.series_instance_uid,
                modality=modality_of(header),
                number=stored_number(header.series_number),
                description=header.series_description[:200],
            )
    if opening:
        for series in uow.studies.ensure_series_all([opening[key] for key in sorted(opening)]):
            known.series[series.study_id, series.series_instance_uid] = series
