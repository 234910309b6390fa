"""Pictures a reader marks as the ones that matter: events alone, the latest of each picture in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telemed.application.ports import UnitOfWork
from telemed.application.read import find_case
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Event, Kind

MOST_PRINTED = 8


@dataclass(frozen=True, kw_only=True)
class KeyImage:
    """`window` is (centre, width) in modality units as it was shown; None is the object's own."""

    sop_instance_uid: str
    frame: int
    window: tuple[float, float] | None
    # What is to be seen on it, for whoever finds it in the report.
    note: str
    by: int | None
    at: datetime


def key_images(world: World, *, actor: Actor, uid: str) -> Sequence[KeyImage]:
    """In the order of their marking. Raises NotFound as the case itself does."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, uid)
        return key_images_in_force(uow.events.of_study(case.study_id), case)


def mark_key_image(
    world: World,
    *,
    actor: Actor,
    uid: str,
    sop_instance_uid: str,
    frame: int,
    window: tuple[float, float] | None,
    note: str = "",
    on: bool,
) -> Sequence[KeyImage]:
    """By whoever holds the case. The same mark again changes nothing."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        now = world.clock.now()
        case = find_case(uow, actor, uid)
        case.demand_held_by(actor.user_id, now)
        case.claim(actor.user_id, now)
        demand_picture(uow, case, sop_instance_uid, frame)
        known = {
            (one.sop_instance_uid, one.frame): one
            for one in key_images_in_force(uow.events.of_study(case.study_id), case)
        }
        before = known.get((sop_instance_uid, frame))
        if on != (before is not None) or (before and (before.window, before.note) != (window, note)):
            record(
                world,
                uow,
                Kind.KEY_IMAGE_MARKED,
                actor=actor,
                case=case,
                sop_instance_uid=sop_instance_uid,
                frame=frame,
                window=list(window) if window else None,
                note=note,
                on=on,
            )
        uow.commit()
    return key_images(world, actor=actor, uid=uid)


def printed_key_images(uow: UnitOfWork, case: Case) -> Sequence[KeyImage]:
    """Those that a report prints: as many as two sheets of paper hold."""
    return key_images_in_force(uow.events.of_study(case.study_id), case)[:MOST_PRINTED]


def demand_picture(uow: UnitOfWork, case: Case, sop_instance_uid: str, frame: int) -> None:
    """Raises InvalidInput where the case has no such picture."""
    for stored in uow.studies.objects(case.study_id):
        if (
            stored.sop_instance_uid == sop_instance_uid
            and stored.rows
            and frame <= max(stored.frames or 1, 1)
        ):
            return
    raise InvalidInput("error.object_not_found", field="sop_instance_uid")


def key_images_in_force(events: Sequence[Event], case: Case) -> list[KeyImage]:
    found: dict[tuple[str, int], KeyImage] = {}
    for event in events:
        if event.case_id != case.id or event.kind is not Kind.KEY_IMAGE_MARKED:
            continue
        facts = event.facts
        key = (facts["sop_instance_uid"], facts["frame"])
        if not facts["on"]:
            found.pop(key, None)
        else:
            window = facts["window"]
            found[key] = KeyImage(
                sop_instance_uid=key[0],
                frame=key[1],
                window=(window[0], window[1]) if window else None,
                # Events of earlier installations have none.
                note=facts.get("note", ""),
                by=event.actor_user_id,
                at=event.at,
            )
    return list(found.values())
