"""The readers' list and the township's: what is seen is decided by the query, not by the page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telemed.application.ports import InboxRow, StudyOverview, UnitOfWork
from telemed.application.ports.worklist import EVERYTHING, Filter, Prior, Sought, WorklistPage, WorklistRow
from telemed.application.read import find_case
from telemed.application.record import record
from telemed.application.residents import card_hash
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import MERE_READING, Event, Kind
from telemed.domain.name_keys import search_text
from telemed.domain.people import Institution, InstitutionKind
from telemed.domain.regions import same_region
from telemed.domain.resident import is_id_card_number
from telemed.domain.study import StoredObject

MAX_PAGE = 200
PRIORS_SHOWN = 50
EXAMS_SHOWN = 200


@dataclass(frozen=True)
class Worklist:
    page: WorklistPage
    counts: dict[str, int]
    last_event_id: int
    now: datetime


def worklist(
    world: World,
    *,
    actor: Actor,
    view: str,
    cursor: str | None,
    limit: int,
    only: Filter = EVERYTHING,
) -> Worklist:
    demand(actor, Action.SEE_WORKLIST)
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        # The event first: what changes between the two reads is then told again, never missed.
        last = uow.events.last_id()
        page = uow.cases.worklist(actor, view, cursor, max(1, min(limit, MAX_PAGE)), now, only)
        return Worklist(page, uow.cases.counts(actor, now), last, now)


def sites(world: World, *, actor: Actor) -> Sequence[Institution]:
    """Where exams of this list may come from."""
    demand(actor, Action.SEE_WORKLIST)
    with world.unit_of_work(write=False) as uow:
        kinds = (InstitutionKind.CITY, InstitutionKind.CONSORTIUM)
        return [one for one in uow.institutions.all(actor.consortium_id) if one.kind not in kinds]


def search(world: World, *, actor: Actor, typed: str, cursor: str | None, limit: int) -> WorklistPage:
    """Among all cases this person may see. That somebody searched is recorded, and never what they typed."""
    demand(actor, Action.SEE_WORKLIST)
    sought = _sought(world, typed)
    with world.unit_of_work(write=False) as uow:
        page = uow.cases.search(actor, sought, cursor, max(1, min(limit, MAX_PAGE)))
    with world.unit_of_work(synced=False) as uow:
        keys = [name for name in ("name", "number", "card_hash") if getattr(sought, name)]
        record(world, uow, Kind.QUERY_ANSWERED, actor=actor, keys=keys, answers=len(page.rows))
        uow.commit()
    return page


def _sought(world: World, typed: str) -> Sought:
    text = typed.strip()
    if is_id_card_number(text):
        return Sought(card_hash=card_hash(world, text))
    number = text if text.isascii() and any(character.isdigit() for character in text) else ""
    # No name has a digit in it; every other text may be one.
    return Sought(name="" if number else search_text(text), number=number)


@dataclass(frozen=True)
class OtherExam:
    """One of the same person, and how it stands to the one it was asked for."""

    prior: Prior
    # It came before.
    earlier: bool
    # By the same modality.
    comparable: bool
    # Of the same part of the body, as far as it is known.
    same_part: bool


def priors(world: World, *, actor: Actor, case_uid: str) -> Sequence[OtherExam]:
    """The same person's other exams as far as this reader may see them; the look is recorded."""
    demand(actor, Action.SEE_WORKLIST)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, case_uid)
        found = uow.cases.priors(actor, case, PRIORS_SHOWN)
        study = uow.studies.get(case.study_id)
        exam = uow.orders.procedure(case.procedure_id).description or study.description
    # Who reads does not hold up who writes, nor wait for the disk; shown is what is on record.
    with world.unit_of_work(synced=False) as uow:
        record(world, uow, Kind.QUERY_ANSWERED, actor=actor, case=case, keys=["priors"], answers=len(found))
        uow.commit()
    return [
        OtherExam(
            one,
            earlier=(one.case.arrived_at, one.case.id) < (case.arrived_at, case.id),
            comparable=one.case.modality == case.modality,
            same_part=same_region(
                study.body_part, exam, one.study.body_part, one.exam or one.study.description
            ),
        )
        for one in found
    ]


@dataclass(frozen=True)
class Change:
    """What some events changed for everybody who sees the same cases."""

    rows: Sequence[WorklistRow]
    # Touched, and not among what these readers may see (any more).
    unseen: frozenset[str]
    counts: dict[str, int]
    # Of each holder asked for, how many they hold: the one count that differs between them.
    held: Mapping[int, int]


def changed(
    world: World, *, actor: Actor, events: Sequence[Event], holders: Collection[int]
) -> Change | None:
    """None where nothing of theirs changed. `actor` stands for all who see what he sees."""
    demand(actor, Action.SEE_WORKLIST)
    touched = {e.case_id for e in events if e.case_id is not None and e.kind not in MERE_READING}
    if not touched:
        return None
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        rows = uow.cases.rows_of(actor, sorted(touched))
        others = touched - {row.case.id for row in rows}
        unseen = uow.cases.uids(others) if others else frozenset()
        if not rows:
            return Change((), unseen, {}, {})
        return Change(rows, unseen, uow.cases.counts(actor, now), uow.cases.held(holders))


def counted(world: World, *, actor: Actor, holders: Collection[int]) -> Change:
    """The counts alone: some of them move by the clock."""
    with world.unit_of_work(write=False) as uow:
        counts = uow.cases.counts(actor, world.clock.now())
        return Change((), frozenset(), counts, uow.cases.held(holders))


def last_event_id(world: World) -> int:
    with world.unit_of_work(write=False) as uow:
        return uow.events.last_id()


def events_after(world: World, *, event_id: int, limit: int = 500) -> Sequence[Event]:
    with world.unit_of_work(write=False) as uow:
        return uow.events.after(event_id, limit)


def exams(world: World, *, actor: Actor, days: int = 1) -> Sequence[StudyOverview]:
    """The own institution's exams of the last day(s), newest first; before them what is to be made again, for as
    long as it is, the oldest request first."""
    demand(actor, Action.SEE_EXAMS)
    since = world.clock.now() - timedelta(days=days)
    with world.unit_of_work(write=False) as uow:
        repeats = uow.studies.repeats(actor, since, EXAMS_SHOWN)
        recent = uow.studies.exams(actor, since, EXAMS_SHOWN)
    waiting = [one for one in repeats if one.repeat is not None and one.repeat.repeat_is_open]
    rest = {one.study.id: one for one in (*repeats, *recent)}
    for one in waiting:
        del rest[one.study.id]
    return [*waiting, *sorted(rest.values(), key=_last_change, reverse=True)]


def _last_change(one: StudyOverview) -> tuple[datetime, int]:
    closed = one.repeat.repeat_closed_at if one.repeat is not None else None
    return max(one.study.last_object_at, closed or one.study.last_object_at), one.study.id


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
