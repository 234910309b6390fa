"""Lengths, angles and areas that a reader measured in the pictures of a case: events, the latest of each in force."""

from collections.abc import Sequence

from telemed.application.key_images import demand_picture
from telemed.application.ports import UnitOfWork
from telemed.application.read import find_case
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Event, Kind
from telemed.domain.picture_mark import PictureMark

# More than anybody measures in one exam: beyond it a program has gone wrong.
MOST_MARKS = 200


def picture_marks(world: World, *, actor: Actor, uid: str) -> Sequence[PictureMark]:
    """In the order in which they were made. Raises NotFound as the case itself does."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, uid)
        return marks_in_force(uow.events.of_study(case.study_id), case)


def keep_mark(world: World, *, actor: Actor, uid: str, mark: PictureMark) -> Sequence[PictureMark]:
    """A new one, or the same one moved; by whoever holds the case. The same again changes nothing."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = _held(world, uow, actor, uid)
        demand_picture(uow, case, mark.sop_instance_uid, mark.frame)
        known = {one.uid: one for one in marks_in_force(uow.events.of_study(case.study_id), case)}
        if mark.uid not in known and len(known) >= MOST_MARKS:
            raise InvalidInput("error.too_many_marks", limit=MOST_MARKS)
        if known.get(mark.uid) != mark:
            record(world, uow, Kind.PICTURE_MEASURED, actor=actor, case=case, on=True, **mark.facts())
        uow.commit()
    return picture_marks(world, actor=actor, uid=uid)


def remove_mark(world: World, *, actor: Actor, uid: str, mark: str) -> Sequence[PictureMark]:
    """One that is not there is removed already."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = _held(world, uow, actor, uid)
        if any(one.uid == mark for one in marks_in_force(uow.events.of_study(case.study_id), case)):
            record(world, uow, Kind.PICTURE_MEASURED, actor=actor, case=case, on=False, mark=mark)
        uow.commit()
    return picture_marks(world, actor=actor, uid=uid)


def marks_in_force(events: Sequence[Event], case: Case) -> list[PictureMark]:
    found: dict[str, PictureMark] = {}
    for event in events:
        if event.case_id != case.id or event.kind is not Kind.PICTURE_MEASURED:
            continue
        if event.facts["on"]:
            found[event.facts["mark"]] = PictureMark.from_facts(event.facts)
        else:
            found.pop(event.facts["mark"], None)
    return list(found.values())


def _held(world: World, uow: UnitOfWork, actor: Actor, uid: str) -> Case:
    now = world.clock.now()
    case = find_case(uow, actor, uid)
    case.demand_held_by(actor.user_id, now)
    case.claim(actor.user_id, now)
    return case
