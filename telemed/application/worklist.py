"""The readers' list and the township's: what is seen is decided by the query, not by the page."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemed.application.ports import InboxRow, StudyOverview, UnitOfWork, WorklistPage, WorklistRow
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import Event, Kind
from telemed.domain.study import StoredObject

MAX_PAGE = 200
EXAMS_SHOWN = 200


@dataclass(frozen=True)
class Worklist:
    page: WorklistPage
    counts: dict[str, int]
    last_event_id: int
    now: datetime


def worklist(world: World, *, actor: Actor, view: str, cursor: str | None, limit: int) -> Worklist:
    demand(actor, Action.SEE_WORKLIST)
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        # The event first: what changes between the two reads is then told again, never missed.
        last = uow.events.last_id()
        page = uow.cases.worklist(actor, view, cursor, max(1, min(limit, MAX_PAGE)), now)
        return Worklist(page, uow.cases.counts(actor, now), last, now)


@dataclass(frozen=True)
class Delta:
    rows: Sequence[WorklistRow]
    counts: dict[str, int]
    gone: frozenset[str]


def changed_rows(
    world: World, *, actor: Actor, events: Sequence[Event], shown: Set[str] = frozenset()
) -> Delta | None:
    """The rows the events are about, as this reader may see them; None where nothing of theirs changed.

    `gone` are those of `shown` that the reader may no longer see.
    """
    demand(actor, Action.SEE_WORKLIST)
    touched = list(dict.fromkeys(event.case_id for event in events if event.case_id is not None))
    if not touched:
        return None
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        rows = uow.cases.rows_of(actor, touched)
        gone = {uow.cases.get(case_id).uid for case_id in touched} & shown if shown else set()
        gone -= {row.case.uid for row in rows}
        return Delta(rows, uow.cases.counts(actor, now), frozenset(gone)) if rows or gone else None


def last_event_id(world: World) -> int:
    with world.unit_of_work(write=False) as uow:
        return uow.events.last_id()


def events_after(world: World, *, event_id: int, limit: int = 500) -> Sequence[Event]:
    with world.unit_of_work(write=False) as uow:
        return uow.events.after(event_id, limit)


def exams(world: World, *, actor: Actor, days: int = 1) -> Sequence[StudyOverview]:
    """The own institution's exams of the last day(s), newest first."""
    demand(actor, Action.SEE_EXAMS)
    since = world.clock.now() - timedelta(days=days)
    with world.unit_of_work(write=False) as uow:
        return uow.studies.exams(actor, since, EXAMS_SHOWN)


@dataclass(frozen=True)
class ExamDetail:
    overview: StudyOverview
    objects: Sequence[StoredObject]


def exam(world: World, *, actor: Actor, study_instance_uid: str) -> ExamDetail:
    demand(actor, Action.SEE_EXAMS)
    with world.unit_of_work() as uow:
        found = uow.studies.overview(actor, study_instance_uid)
        if found is None:
            raise NotFound("error.study_not_found")
        objects = uow.studies.objects(found.study.id)
        record(world, uow, Kind.OBJECT_READ, actor=actor, study=found.study, what="overview")
        uow.commit()
    return ExamDetail(found, objects)


def inbox(world: World, *, actor: Actor, open_only: bool = False, limit: int = 200) -> Sequence[InboxRow]:
    demand(actor, Action.SEE_INBOX)
    with world.unit_of_work(write=False) as uow:
        return uow.deliveries.inbox(actor, limit, open_only=open_only)


def open_object(
    world: World, uow: UnitOfWork, actor: Actor, sop_instance_uid: str, *, study_id: int | None = None
) -> StoredObject:
    """The object, if this person may see it; the reading is recorded."""
    demand(actor, Action.SEE_CASE)
    stored = uow.studies.visible_object(actor, sop_instance_uid, study_id)
    if stored is None:
        raise NotFound("error.object_not_found")
    study = uow.studies.get(stored.study_id)
    record(world, uow, Kind.OBJECT_READ, actor=actor, study=study, sop_instance_uid=sop_instance_uid)
    return stored
