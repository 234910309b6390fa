"""Critical values of recordings that turn out to be another person's: said of the right one, taken back here."""

from collections.abc import Sequence

from telemed.application.critical_card import mark, note_event
from telemed.application.critical_telling import ask_ladder, tell_first
from telemed.application.notifying import notify_institution
from telemed.application.ports import UnitOfWork
from telemed.application.withdraw import tell_people
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.critical import Check, CriticalValue
from telemed.domain.events import Kind


def carry_over(
    world: World, uow: UnitOfWork, *, actor: Actor, old: Case, heirs: Sequence[Case], reason: str
) -> int:
    """What was said of the old case is taken back, and said of every case that has recordings of it now.

    Also what was done with: it was the wrong person who was treated, and nobody has told the right one. Nobody
    knows which recording it was about: said of one person too many is safer than lost of the right one.
    Returns how many people were told by name that it was not theirs.
    """
    values = uow.corrections.critical_said(old.id)
    for value in values:
        value.retract(actor.user_id, reason, world.clock.now())
        mark(world, uow, value, actor)
        note_event(world, uow, Kind.CRITICAL_WITHDRAWN, value, actor)
        for heir in heirs:
            # Said of this person already, it may be, from an earlier case of the same recordings.
            if uow.critical.open_of(heir.id, value.code) is None:
                say_of(world, uow, actor, value, heir)
    return _tell_former(world, uow, actor, old, values)


def _tell_former(
    world: World, uow: UnitOfWork, actor: Actor, old: Case, values: Sequence[CriticalValue]
) -> int:
    """Everyone who was told by name, received it or acted; and every institution that was told as such."""
    people: set[int | None] = set()
    places: set[int] = set()
    for value in values:
        alerts = uow.corrections.alerts_of(value.id)
        people |= {value.acknowledged_by, value.closed_by if value.acted_at else None}
        people |= {alert.user_id for alert in alerts}
        people |= {action.taken_by for action in uow.critical.actions(value.id)}
        if value.released_at is not None:
            places |= {alert.institution_id for alert in alerts if alert.user_id is None}
    order = uow.orders.get(uow.orders.procedure(old.procedure_id).order_id)
    for institution_id in sorted(places):
        # Without the study, which is another person's now; the number is that of the order it was taken for.
        notify_institution(
            world,
            uow,
            "notice.critical_withdrawn_here",
            f"critical_withdrawn:{old.uid}:institution:{institution_id}",
            institution_id=institution_id,
            consortium_id=old.consortium_id,
            modality=old.modality,
            accession_number=order.accession_number,
        )
    named = frozenset(one for one in people if one is not None)
    return tell_people(world, uow, actor, old, named, code="notice.critical_withdrawn")


def say_of(world: World, uow: UnitOfWork, actor: Actor, value: CriticalValue, heir: Case) -> None:
    """The same finding under the clock it already has."""
    now = world.clock.now()
    carried = CriticalValue(
        uid=world.identifiers.uid(),
        case_id=heir.id,
        institution_id=heir.institution_id,
        consortium_id=heir.consortium_id,
        reporting_institution_id=heir.reporting_institution_id,
        rule_id=value.rule_id,
        code=value.code,
        tier=value.tier,
        finding_zh=value.finding_zh,
        finding_en=value.finding_en,
        note=value.note,
        raised_by=value.raised_by,
        raised_at=value.raised_at,
        due_at=value.due_at,
        proposed_by_ai=value.proposed_by_ai,
    )
    uow.critical.add(carried)
    uow.flush()
    mark(world, uow, carried, actor)
    note_event(world, uow, Kind.CRITICAL_RAISED, carried, actor, instead_of=value.uid)
    if value.released_at is not None:
        # The second look was at the same recording: nobody looks again, and the trail says so of nobody.
        kind = value.check_kind or Check.NOT_REQUIRED
        carried.release(value.checked_by, kind, now, checked_at=value.checked_at)
        tell_first(world, uow, carried)
    ask_ladder(uow, carried, now)
