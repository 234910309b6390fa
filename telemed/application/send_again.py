"""What a destination refused, sent once more by an administrator's word."""

from telemed.application.forward_notices import settle_refusals
from telemed.application.jobs import JobKind
from telemed.application.record import record
from telemed.application.remote_nodes import node_of
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.events import Kind


def send_again(world: World, *, actor: Actor, uid: str) -> int:
    """What the node refused waits again, and what was put off is tried at once. Returns how many were refused."""
    demand(actor, Action.ADMINISTER)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        node = node_of(uow, actor, uid)
        count = uow.forwards.try_anew(node.id)
        if count:
            record(
                world,
                uow,
                Kind.FORWARD_STARTED_AGAIN,
                actor=actor,
                institution_id=node.institution_id,
                node=node.uid,
                to=node.ae_title,
                objects=count,
            )
        settle_refusals(world, uow, actor, node)
        if node.active and uow.forwards.next_at(node.id, now) is not None:
            uow.jobs.ask(JobKind.FORWARD_OBJECTS, node.id, now, now)
        uow.commit()
    world.waker.wake()
    return count
