"""Forwarding by rule: whole studies go to another archive of the consortium, through a queue per destination.

The queue is rows; one job per destination empties it. A destination that is away delays its own queue alone.
"""

import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

from telemed.application.forward_outcome import TELL_AFTER, put_off_study, set_aside, settle
from telemed.application.jobs import JobKind
from telemed.application.notifying import notify_institution
from telemed.application.objects import is_lost
from telemed.application.ports import UnitOfWork
from telemed.application.ports.dicom import SendingLine
from telemed.application.presented import data_set_of
from telemed.application.retrieve_objects import readable_form
from telemed.application.world import World
from telemed.domain.errors import DomainError, Unavailable
from telemed.domain.exchange import ForwardItem, RemoteNode
from telemed.domain.store_status import Answer, answer_of
from telemed.domain.study import ObjectRole, StoredObject, Study

log = logging.getLogger(__name__)

# One association carries so many, well within a job's lease; the next batch is a job of its own.
BATCH, BATCH_SECONDS = 50, timedelta(seconds=60)
# So many in a row that it does not take now: the other side is full or unwell, and the queue waits.
_FULL_AFTER = 3
# Our own store does not answer: no fault of the destination, whose pauses and notices are its own.
_OWN_PAUSE = timedelta(minutes=1)


class _NotFromHere(Exception):
    """Our own store does not answer."""


class _NotHere(Exception):
    """The bytes are damaged or lost."""


class _BrokeOver(Exception):
    """The line stood, and broke while this object was on it."""

    def __init__(self, item: ForwardItem, stored: StoredObject, fault: Unavailable) -> None:
        super().__init__(fault.code)
        self.item, self.stored, self.fault = item, stored, fault


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
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        node = uow.remote_nodes.get(node_id)
        if not node.active:
            return
        waiting = [(item, _forms(uow, stored)) for item, stored in uow.forwards.waiting(node_id, now, BATCH)]
    try:
        _send_all(world, node, waiting, now + BATCH_SECONDS)
    except _NotFromHere as fault:
        log.warning("forwarding to %s waits for the object store: %s", node.ae_title, fault.__cause__)
        _wait(world, node_id)
    except _BrokeOver as broken:
        set_aside(world, node, broken.item.id, broken.stored, None)
        if broken.item.due_at is None:
            _put_off(world, node_id, broken.fault)
        else:
            # Those that were never tried went before it: the fault is this one's, not the line's.
            _go_on(world, node_id)
    except Unavailable as error:
        _put_off(world, node_id, error)
    else:
        _go_on(world, node_id)


def _send_all(
    world: World, node: RemoteNode, waiting: Sequence[tuple[ForwardItem, list[StoredObject]]], until: datetime
) -> None:
    """Raises Unavailable or _BrokeOver where the queue must wait for the other side, else _NotFromHere."""
    if not waiting:
        return
    kinds = dict.fromkeys((f.sop_class_uid, f.transfer_syntax_uid) for _, forms in waiting for f in forms)
    with world.peers.sending_line(node, list(kinds)) as line:
        unwanted: list[int] = []
        for item, forms in waiting:
            if world.clock.now() > until:
                return
            answer = _send_one(world, node, line, item, forms)
            unwanted = [*unwanted, item.study_id] if answer in (Answer.NO_ROOM, Answer.NOT_NOW) else []
            if len(unwanted) == _FULL_AFTER:
                if len(set(unwanted)) == 1:
                    # It may be this study: next time the others go first.
                    put_off_study(world, node, item.study_id)
                raise Unavailable("error.peer_has_no_room", ae_title=node.ae_title)


def _send_one(
    world: World, node: RemoteNode, line: SendingLine, item: ForwardItem, forms: Sequence[StoredObject]
) -> Answer:
    """Raises _BrokeOver where the line did, _NotFromHere where our own store does not answer."""
    stored, status, answer = readable_form(forms, line.accepts), None, Answer.NEVER
    if stored is not None:
        try:
            status = _sent(world, line, stored)
            answer = answer_of(status, item.attempts + 1)
        except _NotHere:
            # A fault of this house, and no reason to hold the others back.
            log.error("object %s cannot be forwarded", stored.sop_instance_uid)
        except Unavailable as fault:
            raise _BrokeOver(item, stored, fault) from fault
    if answer in (Answer.NO_ROOM, Answer.NOT_NOW):
        set_aside(world, node, item.id, stored or forms[0], status)
    else:
        settle(world, node, item.id, stored or forms[0], status)
    return answer


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


def _go_on(world: World, node_id: int) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        node = uow.remote_nodes.get(node_id)
        if node.failures:
            node.answered()
        again = uow.forwards.next_at(node_id, now)
        if again is not None:
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
        if (untrusted or node.failures == TELL_AFTER) and node.failing_since is not None:
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
