"""A case in somebody's hands: asked for, or taken with a reason; whoever held it is told."""

from telemed.application.read import OpenedCase, find_case, shown
from telemed.application.record import record
from telemed.application.withdraw import tell_people
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind


def ask_for(world: World, *, actor: Actor, uid: str) -> OpenedCase:
    """The holder's page says who would like to go on with it."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        if case.ask(actor.user_id, world.clock.now()):
            record(world, uow, Kind.CASE_ASKED_FOR, actor=actor, case=case, holder=case.claimed_by)
            uow.commit()
    return shown(world, actor, uid)


def take_over(world: World, *, actor: Actor, uid: str, reason: str) -> OpenedCase:
    """The draft stays as it was saved last; its former holder can read on, and write no more."""
    demand(actor, Action.WRITE_REPORT)
    if not reason.strip():
        raise InvalidInput("error.comment_required", field="reason")
    now = world.clock.now()
    with world.unit_of_work() as uow:
        case = find_case(uow, actor, uid)
        if case.claimed_by != actor.user_id:
            holder = case.take_over(actor.user_id, now)
            record(
                world,
                uow,
                Kind.CASE_TAKEN_OVER,
                actor=actor,
                case=case,
                holder=holder,
                reason=reason.strip()[:400],
            )
            people = frozenset({holder})
            tell_people(world, uow, actor, case, people, code="notice.case_taken_over", once=now.isoformat())
            uow.commit()
    return shown(world, actor, uid)
