"""Stored objects for the eyes of a person: each opening is an event, in the transaction that allows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from telemed.application.objects import read_object
from telemed.application.ports import UnitOfWork
from telemed.application.presented import Identities, identities_of
from telemed.application.record import record
from telemed.application.worklist import open_object
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import Kind
from telemed.domain.study import Series, StoredObject, Study


@dataclass(frozen=True)
class OpenedObject:
    world: World
    study: Study
    stored: StoredObject
    identities: Identities = field(default_factory=dict)

    def read(self) -> bytes:
        """The Part 10 file as it was received: for its curves and pictures."""
        return read_object(self.world, self.stored)


def open_bytes(
    world: World,
    *,
    actor: Actor,
    sop_instance_uid: str,
    place: tuple[str, str] | None = None,
    case_uid: str | None = None,
) -> OpenedObject:
    """`place` is the study and series a request names: an object of another one is then not found.

    `case_uid` is the case whose object is meant: two institutions may use one UID for different patients.
    """
    with world.unit_of_work() as uow:
        study_id = None
        if case_uid is not None:
            case = uow.cases.visible(actor, case_uid)
            if case is None:
                raise NotFound("error.object_not_found")
            study_id = case.study_id
        stored = open_object(world, uow, actor, sop_instance_uid, study_id=study_id)
        study = uow.studies.get(stored.study_id)
        series = {one.id: one.series_instance_uid for one in uow.studies.series(study.id)}
        if place not in (None, (study.study_instance_uid, series[stored.series_id])):
            raise NotFound("error.object_not_found")
        identities = identities_of(world, uow, study)
        uow.commit()
    return OpenedObject(world, study, stored, identities)


@dataclass(frozen=True)
class OpenedStudy:
    world: World
    study: Study
    series: Sequence[Series]
    objects: Sequence[StoredObject]
    # Of a study that was corrected: whose it is, by series.
    identities: Identities = field(default_factory=dict)


def open_study(
    world: World,
    *,
    actor: Actor,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    case_uid: str | None = None,
) -> OpenedStudy:
    """`case_uid` is the case whose study is meant, as in `open_bytes`."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work() as uow:
        study = _study(uow, actor, study_instance_uid, case_uid)
        if study is None:
            raise NotFound("error.study_not_found")
        series = [
            one
            for one in uow.studies.series(study.id)
            if series_instance_uid in (None, one.series_instance_uid)
        ]
        if not series:
            raise NotFound("error.study_not_found")
        wanted = {one.id for one in series}
        objects = [one for one in uow.studies.objects(study.id, made=True) if one.series_id in wanted]
        if not objects:
            # What is held back is shown to nobody: not even that it is there.
            raise NotFound("error.study_not_found")
        record(world, uow, Kind.OBJECT_READ, actor=actor, study=study, what="metadata")
        identities = identities_of(world, uow, study)
        uow.commit()
    return OpenedStudy(world, study, series, objects, identities)


def _study(uow: UnitOfWork, actor: Actor, study_instance_uid: str, case_uid: str | None) -> Study | None:
    if case_uid is None:
        return uow.studies.visible_study(actor, study_instance_uid)
    case = uow.cases.visible(actor, case_uid)
    study = None if case is None else uow.studies.get(case.study_id)
    return study if study is not None and study.study_instance_uid == study_instance_uid else None
