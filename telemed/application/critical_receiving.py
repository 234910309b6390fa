"""The receiver's part of a critical value: the call card, what was done for the patient, the end of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from telemed.application.critical_card import demand_short, find_value, mark, note_event, row_of
from telemed.application.ports import CriticalRow
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand, may
from telemed.domain.critical import ActionKind, CriticalAction, CriticalState, How, ReadBack
from telemed.domain.errors import Conflict, InvalidInput
from telemed.domain.events import Kind


@dataclass(frozen=True, kw_only=True)
class Answer:
    """As the receiver or the caller gives it; what is left open is filled from who is signed in, and when."""

    how: How
    read_back: str = ""
    received_by: str = ""
    received_at: datetime | None = None


def acknowledge(world: World, *, actor: Actor, uid: str, answer: Answer) -> CriticalRow:
    """Completes the call card: by the reader after the call, or by the receiver at the own screen."""
    demand(actor, Action.ANSWER_CRITICAL)
    demand_short(answer.read_back, "read_back")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = find_value(uow, actor, uid)
        if value.acknowledged_at is None or value.acknowledged_by != actor.user_id:
            caller = may(actor.role, Action.WRITE_REPORT)
            if caller and answer.how is How.SCREEN and actor.reads_at(value.reporting_institution_id):
                # Who told cannot receive.
                raise Conflict("error.critical_receive_own")
            name = answer.received_by if caller or answer.received_by.strip() else actor.display_name
            value.acknowledge(
                actor.user_id,
                ReadBack(
                    received_by=name[:100],
                    received_at=answer.received_at or now,
                    how=answer.how,
                    words=answer.read_back,
                ),
                now,
            )
            note_event(world, uow, Kind.CRITICAL_ACKNOWLEDGED, value, actor, how=answer.how.value)
            uow.commit()
    return row_of(world, actor, uid)


def act(world: World, *, actor: Actor, uid: str, key: str, kind: ActionKind, note: str = "") -> CriticalRow:
    """What was done for the patient. `key` names this doing: the same again is the same press sent twice, while a
    second call to the resident is a second action."""
    demand(actor, Action.ANSWER_CRITICAL)
    demand_short(note, "note")
    if kind is ActionKind.OTHER and not note.strip():
        # "Something else" tells whoever reads the card nothing.
        raise InvalidInput("error.critical_action_unsaid", field="note")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        value = find_value(uow, actor, uid)
        action_uid = str(uuid5(NAMESPACE_OID, f"{value.uid} {actor.user_uid} {key}"))
        if all(known.uid != action_uid for known in uow.critical.actions(value.id)):
            value.act(now)
            uow.critical.add(
                CriticalAction(
                    uid=action_uid,
                    critical_value_id=value.id,
                    kind=kind,
                    note=note.strip(),
                    taken_by=actor.user_id,
                    taken_at=now,
                )
            )
            note_event(world, uow, Kind.CRITICAL_ACTED, value, actor, action=kind.value)
            uow.commit()
    return row_of(world, actor, uid)


def close(world: World, *, actor: Actor, uid: str, note: str = "") -> CriticalRow:
    demand(actor, Action.ANSWER_CRITICAL)
    demand_short(note, "note")
    with world.unit_of_work() as uow:
        value = find_value(uow, actor, uid)
        if not (value.state is CriticalState.CLOSED and value.closed_by == actor.user_id):
            value.close(actor.user_id, note, world.clock.now())
            mark(world, uow, value, actor)
            note_event(world, uow, Kind.CRITICAL_CLOSED, value, actor)
            uow.commit()
    return row_of(world, actor, uid)
