"""What became of an object that was sent on: settled, or put off, and who is told."""

from telemed.application.forward_notices import REFUSED, tell
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.events import Kind
from telemed.domain.exchange import ForwardState, RemoteNode
from telemed.domain.store_status import is_taken
from telemed.domain.study import StoredObject

# After so many attempts in vain somebody should look.
TELL_AFTER = 5


def settle(world: World, node: RemoteNode, item_id: int, stored: StoredObject, status: int | None) -> None:
    """Sent, or refused for good. `status` None: no context was accepted for it, or its bytes are lost here."""
    sent = status is not None and is_taken(status)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        item, study = uow.forwards.get(item_id), uow.studies.get(stored.study_id)
        item.attempts += 1
        item.last_status = status
        item.state = ForwardState.SENT if sent else ForwardState.REFUSED
        item.sent_at = now if sent else None
        record(
            world,
            uow,
            Kind.OBJECT_SENT if sent else Kind.OBJECT_REFUSED,
            study=study,
            what="forward",
            to=node.ae_title,
            node=node.uid,
            sop_instance_uid=stored.sop_instance_uid,
            status=status,
        )
        if not sent:
            tell(world, uow, REFUSED, node, study, status)
        uow.commit()


def set_aside(world: World, node: RemoteNode, item_id: int, stored: StoredObject, status: int | None) -> None:
    """It is tried again behind the others: it may be this one alone. `status` None: the line broke over it."""
    with world.unit_of_work() as uow:
        item = uow.forwards.get(item_id)
        item.put_off(world.clock.now(), status)
        if item.attempts == TELL_AFTER:
            code = "notice.forward_breaks" if status is None else "notice.forward_delayed"
            tell(world, uow, code, node, uow.studies.get(stored.study_id), status)
        uow.commit()


def put_off_study(world: World, node: RemoteNode, study_id: int) -> None:
    with world.unit_of_work() as uow:
        uow.forwards.put_off_study(node.id, study_id, world.clock.now())
        uow.commit()
