"""Single recordings that are somebody else's get a study of their own; their bytes stay as they came."""

import uuid
from collections.abc import Sequence
from itertools import count

from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.resident import Patient
from telemed.domain.study import ObjectRole, Series, StoredObject, Study


def separate(
    world: World, uow: UnitOfWork, study: Study, objects: Sequence[StoredObject], target: Patient
) -> tuple[Study, bool]:
    """Moves the objects into the target's study beside this one. Returns it, and whether it was made now.

    The same study and person give the same new study: more recordings join it as late ones.
    """
    uid, known = _own_of(uow, study, target)
    own = known or uow.studies.ensure(_beside(world, study, uid, objects, target))
    series = {one.id: one for one in uow.studies.series(study.id)}
    made = uow.studies.made_of(study.id, [stored.sop_instance_uid for stored in objects])
    for stored in (*objects, *made):
        moved = _series(world, uow, own, series[stored.series_id])
        stored.study_id, stored.series_id = own.id, moved.id
        if stored.role in (ObjectRole.ALTERNATE, ObjectRole.DERIVED):
            continue
        stored.role = ObjectRole.PRIMARY
        own.extend(world.clock.now(), world.clock.now())
    uow.flush()
    if known is not None:
        uow.jobs.ask(JobKind.COMPLETE_STUDY, own.id, world.clock.now(), world.clock.now())
    return own, known is None


def _own_of(uow: UnitOfWork, study: Study, target: Patient) -> tuple[str, Study | None]:
    """The UID, and the study if it is there; one that was given to somebody else since is not the target's."""
    for turn in count():
        uid = _derived_uid(study.uid, target.uid, *([str(turn)] if turn else []))
        known = uow.studies.by_instance_uid(study.institution_id, uid)
        if known is None or known.patient_id == target.id:
            break
    return uid, known


def _beside(world: World, study: Study, uid: str, objects: Sequence[StoredObject], target: Patient) -> Study:
    arrived = min(stored.received_at for stored in objects)
    return Study(
        uid=world.identifiers.uid(),
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        study_instance_uid=uid,
        patient_id=target.id,
        modality=study.modality,
        description=study.description,
        body_part=study.body_part,
        study_date=study.study_date,
        study_time=study.study_time,
        first_object_at=arrived,
        last_object_at=arrived,
        whole_at=None,
    )


def _series(world: World, uow: UnitOfWork, own: Study, old: Series) -> Series:
    return uow.studies.ensure_series(
        Series(
            uid=world.identifiers.uid(),
            study_id=own.id,
            institution_id=own.institution_id,
            consortium_id=own.consortium_id,
            series_instance_uid=_derived_uid(old.uid, own.uid),
            modality=old.modality,
            number=old.number,
            description=old.description,
        )
    )


def _derived_uid(*of: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that is the same for the same rows: doing it twice makes nothing twice."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, ' '.join(of)).int}"
