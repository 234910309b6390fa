"""Searching by DICOM's own keys on behalf of a person (QIDO-RS)."""

from collections.abc import Sequence
from dataclasses import replace

from telemed.application.ports.dicom import IndexRow, ObjectQuery
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import Kind
from telemed.domain.matching import OneOf

MOST_ANSWERS = 1000


def search_objects(
    world: World,
    *,
    actor: Actor,
    query: ObjectQuery,
    offset: int,
    limit: int,
    study_instance_uid: str = "",
    series_instance_uid: str = "",
) -> tuple[Sequence[IndexRow], bool]:
    """A page of rows, and whether more follow that page.

    Beneath a study (and series) that is named; raises NotFound where this person may not see it.
    """
    demand(actor, Action.SEE_CASE)
    limit = min(limit, MOST_ANSWERS)
    places = {"StudyInstanceUID": study_instance_uid, "SeriesInstanceUID": series_instance_uid}
    within = {name: OneOf((uid,)) for name, uid in places.items() if uid}
    query = replace(query, keys={**query.keys, **within})
    with world.unit_of_work(write=False) as uow:
        if study_instance_uid and uow.studies.visible_study(actor, study_instance_uid) is None:
            raise NotFound("error.study_not_found")
        rows = uow.index.seen(actor, query, offset, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    if rows:
        with world.unit_of_work(synced=False) as uow:
            record(
                world,
                uow,
                Kind.QUERY_ANSWERED,
                actor=actor,
                level=query.level.value,
                # Which keys, not what was sought: a name stands in no event.
                keys=sorted([*query.keys, *(["PatientName"] if query.name else [])]),
                answers=len(rows),
            )
            uow.commit()
    return rows, more
