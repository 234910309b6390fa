"""C-GET and C-MOVE (PS3.4 C.4.2, C.4.3): one object at a time, counted; the peer may call it off between two."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from dicom_node.identifiers import Request, read_request
from dicom_node.line import LineGone, is_gone, write_message
from dicom_node.query import level_of
from dicom_node.statuses import Status, query_failure
from telemed.application.faults import trace_of
from telemed.application.objects import is_lost
from telemed.application.ports.dicom import Level, Retrievable, SendingLine
from telemed.application.presented import data_set_of
from telemed.application.retrieve_objects import (
    MOST_OBJECTS,
    Tally,
    destination_of,
    plan_retrieval,
    readable_form,
    record_outcome,
)
from telemed.application.world import World
from telemed.dimse import command as c
from telemed.dimse.identifier import Encoding, write_answer, write_ascii
from telemed.dimse.pdu import Pieces, ProtocolError
from telemed.domain.errors import DomainError, InvalidInput, NotFound, Unavailable
from telemed.domain.matching import OneOf, text_criterion, uid_criterion
from telemed.domain.study import StoredObject

log = logging.getLogger(__name__)

_UNIQUE = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}
_ISSUER = "IssuerOfPatientID"
_FAILED_LIST = 0x00080058
# UI has a length of 16 bits in Explicit VR.
_MOST_NAMED = 1000

# Sends one object and returns the other side's status; None where it cannot be sent at all.
_Send = Callable[[Retrievable], int | None]


def serve_get(assoc: Any, world: World, patient_root: bool, request: Any, context: Any) -> None:
    """Sends over the association that asked, in the contexts it offered for being sent to."""
    title = str(assoc.device.ae_title)

    def run(replies: "_Replies", found: Sequence[Retrievable]) -> None:
        replies.perform(found, _sender(world, _BackLine(assoc)))

    _serve(assoc, world, patient_root, request, context, "c-get", title, c.C_GET_RSP, run)


def serve_move(assoc: Any, world: World, patient_root: bool, request: Any, context: Any) -> None:
    """Sends to a registered node on an association of our own."""
    title = str(request.MoveDestination or "").strip()
    originator = (str(assoc.device.ae_title), int(request.MessageID))

    def run(replies: "_Replies", found: Sequence[Retrievable]) -> None:
        node = destination_of(world, device=assoc.device, ae_title=title)
        if not found:
            replies.finish()
            return
        kinds = dict.fromkeys((f.sop_class_uid, f.transfer_syntax_uid) for one in found for f in one.forms)
        with world.peers.sending_line(node, list(kinds)) as line:
            replies.perform(found, _sender(world, line, originator))

    _serve(assoc, world, patient_root, request, context, "c-move", title, c.C_MOVE_RSP, run)


def retrieval_keys(asked: Request, *, patient_root: bool) -> dict[str, OneOf]:
    """Raises InvalidInput where the level's own unique key is missing, or one is no plain value."""
    level = level_of(asked, patient_root=patient_root)
    keys: dict[str, OneOf] = {}
    for name in _UNIQUE.values():
        criterion = uid_criterion(asked.values(name))
        if criterion is not None:
            keys[name] = criterion
    if _UNIQUE[level] not in keys:
        raise InvalidInput("error.retrieve_needs_key", level=level.value)
    # Keys beneath the level say nothing (PS3.4 C.4.2.2.1).
    names = list(_UNIQUE.values())
    found = {name: keys[name] for name in names[: names.index(_UNIQUE[level]) + 1] if name in keys}
    # A patient number is an institution's own: with its issuer it says whose it is.
    issuer = text_criterion(asked.values(_ISSUER))
    if issuer is None:
        return found
    if not isinstance(issuer, OneOf):
        raise InvalidInput("error.retrieve_needs_key", level=level.value)
    return {**found, _ISSUER: issuer}


def _serve(
    assoc: Any,
    world: World,
    patient_root: bool,
    request: Any,
    context: Any,
    service: str,
    destination: str,
    field: int,
    run: Callable[["_Replies", Sequence[Retrievable]], None],
) -> None:
    replies = _Replies(assoc, context, request, field)
    try:
        implicit = bool(context.transfer_syntax[0].is_implicit_VR)
        asked = read_request(request.Identifier.getvalue(), implicit=implicit, device=assoc.device)
        keys = retrieval_keys(asked, patient_root=patient_root)
        if service == "c-move":
            # Before anything is opened: an unknown destination reads nothing.
            destination_of(world, device=assoc.device, ae_title=destination)
        found = plan_retrieval(
            world, device=assoc.device, keys=keys, service=service, destination=destination
        )
        if len(found) > MOST_OBJECTS:
            replies.refuse(Status.CANNOT_COUNT_MATCHES)
            return
        replies.tally = Tally(remaining=len(found))
        try:
            run(replies, found)
        except Unavailable as error:
            log.warning("%s to %s failed: %s", service, destination, error)
            replies.give_up([one.sop_instance_uid for one in found])
        finally:
            if found:
                record_outcome(
                    world, device=assoc.device, service=service, destination=destination, tally=replies.tally
                )
    except LineGone:
        log.info("%s for %s ended before its end", service, assoc.device.ae_title)
    except NotFound:
        replies.refuse(Status.UNKNOWN_DESTINATION)
    except (ProtocolError, DomainError) as error:
        log.warning("%s for %s failed: %s", service, assoc.device.ae_title, error)
        replies.refuse(*query_failure(error))
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        # The peer needs an answer; what happened is for the log.
        log.error("%s for %s failed:\n%s", service, assoc.device.ae_title, trace_of(error))
        replies.refuse(*query_failure(error))


class _Replies:
    def __init__(self, assoc: Any, context: Any, request: Any, field: int) -> None:
        self._assoc, self._context, self._request, self._field = assoc, context, request, field
        self.tally = Tally(remaining=0)
        self._done = False

    def perform(self, found: Sequence[Retrievable], send: _Send) -> None:
        for one in found:
            if self._assoc.dimse.take_cancel(self._request.MessageID):
                self._end(Status.CANCELLED, with_remaining=True)
                return
            if is_gone(self._assoc):
                raise LineGone
            self.tally.count(one.sop_instance_uid, send(one))
            if self.tally.remaining:
                self._write(self._command(Status.PENDING, with_remaining=True))
        self.finish()

    def finish(self) -> None:
        tally = self.tally
        if not tally.failed and not tally.warned:
            self._end(Status.SUCCESS)
        elif not tally.completed and not tally.warned:
            self._end(Status.CANNOT_PERFORM_SUB_OPERATIONS)
        else:
            self._end(Status.SOME_SUB_OPERATIONS_FAILED)

    def give_up(self, instances: Sequence[str]) -> None:
        """The line to the destination is gone: what was not sent has failed."""
        if self._done:
            return
        self.tally.failed += instances[len(instances) - self.tally.remaining :]
        self.tally.remaining = 0
        self.finish()

    def refuse(self, status: Status, comment: str = "") -> None:
        if self._done or is_gone(self._assoc):
            return
        self._done = True
        command: dict[int, c.Value] = self._plain(status)
        if comment:
            command[c.COMMENT] = comment
        self._write(command)

    def _end(self, status: Status, *, with_remaining: bool = False) -> None:
        self._done = True
        data = None
        if self.tally.failed or status is Status.CANCELLED:
            named = "\\".join(self.tally.failed[:_MOST_NAMED])
            encoding = Encoding(bool(self._context.transfer_syntax[0].is_implicit_VR))
            data = write_answer({_FAILED_LIST: ("UI", named)}, encoding, write_ascii)
        self._write(self._command(status, with_remaining=with_remaining), data)

    def _command(self, status: Status, *, with_remaining: bool) -> dict[int, c.Value]:
        tally = self.tally
        command = self._plain(status)
        command |= {c.COMPLETED: tally.completed, c.FAILED: len(tally.failed), c.WARNING: tally.warned}
        if with_remaining:
            command[c.REMAINING] = tally.remaining
        return command

    def _plain(self, status: Status) -> dict[int, c.Value]:
        return {
            c.SOP_CLASS: str(self._request.AffectedSOPClassUID),
            c.FIELD: self._field,
            c.ANSWERED_ID: int(self._request.MessageID),
            c.STATUS: int(status),
        }

    def _write(self, command: dict[int, c.Value], data: bytes | None = None) -> None:
        write_message(self._assoc, self._context.context_id, command, data)


def _sender(world: World, line: SendingLine, originator: tuple[str, int] | None = None) -> _Send:
    def send(one: Retrievable) -> int | None:
        form = readable_form(one.forms, line.accepts)
        if form is None:
            log.info("object %s is in no form that the other side reads", one.sop_instance_uid)
            return None
        with ExitStack() as stack:
            try:
                data = stack.enter_context(data_set_of(world, form))
            except DomainError as error:
                if not is_lost(error):
                    # The store does not answer: each of the others would wait for it in vain.
                    raise
                log.error("object %s cannot be sent: %s", one.sop_instance_uid, error)
                return None
            return line.store(form, data, originator)

    return send


class _BackLine:
    """The asking association as the way to send: the contexts in which the peer takes the provider's role."""

    def __init__(self, assoc: Any) -> None:
        self._assoc = assoc
        takers = {str(uid) for uid, item in assoc.requestor.role_selection.items() if item.scp_role}
        self._contexts = {
            (str(context.abstract_syntax), str(context.transfer_syntax[0])): number
            for number, context in assoc._accepted_cx.items()
            if str(context.abstract_syntax) in takers
        }
        self._message_id = 0

    def accepts(self, sop_class_uid: str, transfer_syntax_uid: str) -> bool:
        return (sop_class_uid, transfer_syntax_uid) in self._contexts

    def store(self, stored: StoredObject, data_set: Pieces, originator: tuple[str, int] | None = None) -> int:
        self._message_id = self._message_id % MOST_OBJECTS + 1
        command: dict[int, c.Value] = {
            c.SOP_CLASS: stored.sop_class_uid,
            c.FIELD: c.C_STORE_RQ,
            c.MESSAGE_ID: self._message_id,
            c.PRIORITY: c.MEDIUM_PRIORITY,
            c.SOP_INSTANCE: stored.sop_instance_uid,
        }
        if originator is not None:
            command[c.ORIGINATOR], command[c.ORIGINATOR_ID] = originator
        number = self._contexts[stored.sop_class_uid, stored.transfer_syntax_uid]
        write_message(self._assoc, number, command, data_set)
        _, answer = self._assoc.dimse.get_msg(block=True)
        status = getattr(answer, "Status", None)
        if status is None or getattr(answer, "MessageIDBeingRespondedTo", None) != self._message_id:
            # Silence, or something that is no answer: what follows could not be told apart.
            self._assoc.abort()
            raise LineGone
        return int(status)
