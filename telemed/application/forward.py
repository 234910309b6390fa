"""Forwarding by rule: whole studies go to another archive of the consortium, through a queue per destination.

The queue is rows; one job per destination empties it. A destination that is away delays its own queue alone.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

from telemed.application.jobs import JobKind
from telemed.application.notifying import notify_institution
from telemed.application.objects import is_lost
from telemed.application.ports import UnitOfWork
from telemed.application.ports.dicom import SendingLine
from telemed.application.presented import data_set_of
from telemed.application.record import record
from telemed.application.retrieve_objects import is_warning, readable_form
from telemed.application.world import World
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.events import Kind
from telemed.domain.exchange import ForwardItem, ForwardState, RemoteNode, pause_after
from telemed.domain.study import ObjectRole, StoredObject, Study

log = logging.getLogger(__name__)

# One association carries so many, well within a job's lease; the next batch is a job of its own.
BATCH, BATCH_SECONDS = 50, timedelta(seconds=60)
# After this long without an answer somebody should look.
_TELL_AFTER = 5
# The other side has no room or no time now: it may take the object later (PS3.4 B.2.3, PS3.7 C.5).
_LATER = frozenset({0x0122, 0x0213})
# So many in a row without room: the other side is full, and the queue waits.
_FULL_AFTER = 3
# Our own store does not answer: no fault of the destination, whose pauses and notices are its own.
_OWN_PAUSE = timedelta(minutes=1)


class _NotFromHere(Exception):
    """Our own store does not answer."""


class _NotHere(Exception):
    """The bytes are damaged or lost."""


def queue_study(world: World, uow: UnitOfWork, study: Study) -> None:
    """Part of completing a study. What already stands in a queue, or went out of it, is not queued again."""
    nodes = dict.fromkeys(rule.remote_node_id for rule in uow.remote_nodes.rules_for(study))
    if nodes:
        _queue(world, uow, nodes, uow.studies.objects(study.id))


def queue_made(world: World, uow: UnitOfWork, study: Study, objects: Sequence[StoredObject]) -> None:
    """Part of filing what our models said: only by rules that name it."""
    rules = [rule for rule in uow.remote_nodes.rules_for(study) if rule.with_made]
    _queue(world, uow, dict.fromkeys(rule.remote_node_id for rule in rules), objects)


def _queue(world: World, uow: UnitOfWork, nodes: Iterable[int], objects: Sequence[StoredObject]) -> None:
    now = world.clock.now()
    for node_id in nodes:
        fresh = [uow.forwards.ensure(_item(node_id, stored, now)) for stored in objects]
        if not any(fresh):
            continue
        # A node that is away is asked again at its own time, however much is made for it meanwhile.
        away = uow.remote_nodes.get(node_id).failing_since is not None
        (uow.jobs.ask_in_turn if away else uow.jobs.ask)(JobKind.FORWARD_OBJECTS, node_id, now, now)


def forward_objects(world: World, *, node_id: int) -> None:
    """Sends what waits for one destination; asks for itself again while something waits."""
    with world.unit_of_work(write=False) as uow:
        node = uow.remote_nodes.get(node_id)
        waiting = [(item, _forms(uow, stored)) for item, stored in uow.forwards.waiting(node_id, BATCH)]
    if not waiting or not node.active:
        return
    until = world.clock.now() + BATCH_SECONDS
    try:
        kinds = dict.fromkeys((f.sop_class_uid, f.transfer_syntax_uid) for _, forms in waiting for f in forms)
        with world.peers.sending_line(node, list(kinds)) as line:
            unwanted = 0
            for item, forms in waiting:
                if world.clock.now() > until:
                    break
                unwanted = 0 if _send_one(world, node, line, item, forms) else unwanted + 1
                if unwanted == _FULL_AFTER:
                    raise Unavailable("error.peer_has_no_room", ae_title=node.ae_title)
    except _NotFromHere as fault:
        log.warning("forwarding to %s waits for the object store: %s", node.ae_title, fault.__cause__)
        _wait(world, node_id)
        return
    except Unavailable as error:
        _put_off(world, node_id, error)
        return
    _go_on(world, node_id)


def _send_one(
    world: World, node: RemoteNode, line: SendingLine, item: ForwardItem, forms: Sequence[StoredObject]
) -> bool:
    """False where the other side has no room for it now.

    Raises Unavailable where the queue must wait for the other side, _NotFromHere where for our own store.
    """
    status: int | None = None
    stored = readable_form(forms, line.accepts)
    if stored is not None:
        try:
            status = _sent(world, line, stored)
        except _NotHere:
            # A fault of this house, and no reason to hold the others back.
            log.error("object %s cannot be forwarded", stored.sop_instance_uid)
        else:
            if status >> 8 == 0xA7 or status in _LATER:
                _set_aside(world, node, item.id, stored, status)
                return False
    _settle(world, node, item.id, stored or forms[0], status)
    return True


def _sent(world: World, line: SendingLine, stored: StoredObject) -> int:
    with ExitStack() as stack:
        try:
            data = stack.enter_context(data_set_of(world, stored))
        except DomainError as error:
            raise (_NotHere if is_lost(error) else _NotFromHere) from error
        return line.store(stored, data)


def _forms(uow: UnitOfWork, stored: StoredObject) -> list[StoredObject]:
    held = uow.studies.held_under(stored.institution_id, stored.sop_instance_uid)
    return [stored, *(one for one in held if one.role is ObjectRole.ALTERNATE)]


def _settle(world: World, node: RemoteNode, item_id: int, stored: StoredObject, status: int | None) -> None:
    sent = status is not None and (status == 0 or is_warning(status))
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
            _tell_refused(world, uow, node, study, status)
        uow.commit()


def _set_aside(world: World, node: RemoteNode, item_id: int, stored: StoredObject, status: int) -> None:
    """It is tried again behind the others: it may be this one alone that finds no room there."""
    with world.unit_of_work() as uow:
        item = uow.forwards.get(item_id)
        item.attempts, item.last_status = item.attempts + 1, status
        if item.attempts == _TELL_AFTER:
            _tell_refused(world, uow, node, uow.studies.get(stored.study_id), status)
        uow.commit()


def _tell_refused(world: World, uow: UnitOfWork, node: RemoteNode, study: Study, status: int | None) -> None:
    notify_institution(
        world,
        uow,
        "notice.forward_refused",
        f"forward:{node.uid}:{study.uid}",
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        study_id=study.id,
        ae_title=node.ae_title,
        status="-" if status is None else f"0x{status:04X}",
    )


def _go_on(world: World, node_id: int) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        node = uow.remote_nodes.get(node_id)
        if node.failures:
            node.answered()
        for item, _ in uow.forwards.waiting(node_id, 1):
            # Only those that were set aside are left where the first is one of them.
            again = now + pause_after(item.attempts) if item.attempts else now
            uow.jobs.ask(JobKind.FORWARD_OBJECTS, node_id, again, now)
        uow.commit()


def _wait(world: World, node_id: int) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        uow.jobs.ask(JobKind.FORWARD_OBJECTS, node_id, now + _OWN_PAUSE, now)
        uow.commit()


def _put_off(world: World, node_id: int, error: Unavailable) -> None:
    now: datetime = world.clock.now()
    with world.unit_of_work() as uow:
        node = uow.remote_nodes.get(node_id)
        again = node.failed(now)
        uow.jobs.ask(JobKind.FORWARD_OBJECTS, node_id, again, now)
        reason = str(error.params.get("error", error.code))
        untrusted = error.code == "error.peer_tls"
        # Certificates do not mend themselves by waiting.
        if (untrusted or node.failures == _TELL_AFTER) and node.failing_since is not None:
            notify_institution(
                world,
                uow,
                "notice.forward_unreachable",
                f"unreachable:{node.uid}:{node.failing_since:%Y%m%dT%H%M%S}{reason if untrusted else ''}",
                institution_id=node.institution_id,
                consortium_id=node.consortium_id,
                ae_title=node.ae_title,
                error=reason,
            )
        uow.commit()


def _item(node_id: int, stored: StoredObject, now: datetime) -> ForwardItem:
    return ForwardItem(
        remote_node_id=node_id,
        object_id=stored.id,
        study_id=stored.study_id,
        institution_id=stored.institution_id,
        consortium_id=stored.consortium_id,
        created_at=now,
    )
