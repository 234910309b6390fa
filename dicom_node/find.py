"""C-FIND: asks a service for its matches and writes them as answers, until done, limited or cancelled."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from dicom_node.identifiers import Request, read_request
from dicom_node.line import AnswerLine, LineGone, message
from dicom_node.statuses import Status, query_failure
from telemed.application.faults import trace_of
from telemed.dimse import command as c
from telemed.dimse.identifier import Elements, Encoding, write_answer
from telemed.dimse.pdu import ProtocolError
from telemed.domain.errors import DomainError
from telemed.domain.people import Device

log = logging.getLogger(__name__)

# Answers leave in pieces of about this size; between two of them the peer may cancel.
_PIECE = 32_768


@dataclass(frozen=True)
class Matches:
    answers: Iterable[Elements]
    # A key with a value was not matched, only answered.
    some_keys_ignored: bool = False
    # There are more than are answered.
    limited: bool = False


Finder = Callable[[Device, Request], Matches]


@dataclass(frozen=True, kw_only=True)
class Query:
    """A C-FIND request as it came."""

    context_id: int
    sop_class_uid: str
    message_id: int
    identifier: bytes
    implicit: bool


def serve_find(line: AnswerLine, finder: Finder, query: Query) -> None:
    answers = _Answers(line, query)
    try:
        asked = read_request(query.identifier, implicit=query.implicit, device=line.device)
        found = finder(line.device, asked)
        encoding = Encoding(query.implicit)
        pending = Status.PENDING_SOME_IGNORED if found.some_keys_ignored else Status.PENDING
        for elements in found.answers:
            if answers.cancelled():
                return
            answers.match(pending, write_answer(elements, encoding, asked.charset.write))
        answers.end(Status.LIMIT_REACHED if found.limited else Status.SUCCESS)
    except LineGone:
        log.info("a query of %s ended before its answers", line.device.ae_title)
    except (ProtocolError, DomainError) as error:
        log.warning("a query of %s failed: %s", line.device.ae_title, error)
        answers.fail(error)
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        # The peer needs an answer; what happened is for the log.
        log.error("a query of %s failed:\n%s", line.device.ae_title, trace_of(error))
        answers.fail(error)


class _Answers:
    """Pending answers are gathered, so that three hundred of them are a few writes."""

    def __init__(self, line: AnswerLine, query: Query) -> None:
        self._line, self._query = line, query
        self._waiting: list[bytes] = []
        self._size = 0
        # Asked before the first answer and then once a piece: what arrives is looked at between two writes.
        self._asked = False

    def cancelled(self) -> bool:
        """True if the peer called it off; it has then been told."""
        if self._asked:
            return False
        self._asked = True
        if not self._line.take_cancel(self._query.message_id):
            return False
        self.end(Status.CANCELLED)
        return True

    def match(self, status: Status, data: bytes) -> None:
        for piece in message(self._line.largest_pdu, self._query.context_id, self._command(status), data):
            self._waiting.append(piece)
            self._size += len(piece)
        if self._size >= _PIECE:
            self._flush()

    def end(self, status: Status, comment: str = "") -> None:
        command = self._command(status)
        if comment:
            command[c.COMMENT] = comment
        self._waiting += message(self._line.largest_pdu, self._query.context_id, command)
        self._flush()

    def fail(self, error: Exception) -> None:
        if not self._line.is_gone():
            with suppress(LineGone):
                self.end(*query_failure(error))

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size, self._asked = 0, False
        self._line.write(data)

    def _command(self, status: Status) -> dict[int, c.Value]:
        return {
            c.SOP_CLASS: self._query.sop_class_uid,
            c.FIELD: c.C_FIND_RSP,
            c.ANSWERED_ID: self._query.message_id,
            c.STATUS: int(status),
        }
