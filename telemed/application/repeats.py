"""How often recordings come back to be made again: by site, machine and reason."""

from datetime import timedelta

from telemed.application.ports.worklist import RepeatRate
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand


def repeat_rates(world: World, *, actor: Actor, days: int = 30) -> list[RepeatRate]:
    """Of the cases of the last days in the administrator's own consortium."""
    demand(actor, Action.ADMINISTER)
    since = world.clock.now() - timedelta(days=days)
    with world.unit_of_work(write=False) as uow:
        return list(uow.cases.repeat_rates(actor.consortium_id, since))
