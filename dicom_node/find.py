"""C-FIND: asks a service for its matches and writes them as answers, until done, limited or cancelled."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dicom_node.identifiers import Request, read_request
from dicom_node.line import LineGone, is_gone, message, write
from dicom_node.statuses import Status, query_failure
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


def serve_find(assoc: Any, finder: Finder, request: Any, context: Any) -> None:
    syntax = context.transfer_syntax[0]
    answers = _Answers(assoc, context.context_id, request)
    try:
        asked = read_request(
            request.Identifier.getvalue(), implicit=syntax.is_implicit_VR, device=assoc.device
        )
        found = finder(assoc.device, asked)
        encoding = Encoding(bool(syntax.is_implicit_VR))
        pending = Status.PENDING_SOME_IGNORED if found.some_keys_ignored else Status.PENDING
        for elements in found.answers:
            if answers.cancelled():
                return
            answers.match(pending, write_answer(elements, encoding, asked.charset.codec))
        answers.end(Status.LIMIT_REACHED if found.limited else Status.SUCCESS)
    except LineGone:
        log.info("a query of %s ended before its answers", assoc.device.ae_title)
    except (ProtocolError, DomainError) as error:
        log.warning("a query of %s failed: %s", assoc.device.ae_title, error)
        answers.fail(error)
    except Exception as error:
        # The peer needs an answer; what happened is for the log.
        log.exception("a query of %s failed", assoc.device.ae_title)
        answers.fail(error)


class _Answers:
    """Pending answers are gathered, so that three hundred of them are a few writes."""

    def __init__(self, assoc: Any, context_id: int, request: Any) -> None:
        self._assoc, self._context_id, self._request = assoc, context_id, request
        self._waiting: list[bytes] = []
        self._size = 0

    def cancelled(self) -> bool:
        """True if the peer called it off; it has then been told."""
        if not self._assoc.dimse.take_cancel(self._request.MessageID):
            return False
        self.end(Status.CANCELLED)
        return True

    def match(self, status: Status, data: bytes) -> None:
        for piece in message(self._assoc, self._context_id, self._command(status), data):
            self._waiting.append(piece)
            self._size += len(piece)
        if self._size >= _PIECE:
            self._flush()

    def end(self, status: Status, comment: str = "") -> None:
        command = self._command(status)
        if comment:
            command[c.COMMENT] = comment
        self._waiting += message(self._assoc, self._context_id, command)
        self._flush()

    def fail(self, error: Exception) -> None:
        if not is_gone(self._assoc):
            self.end(*query_failure(error))

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        write(self._assoc, data)

    def _command(self, status: Status) -> dict[int, c.Value]:
        return {
            c.SOP_CLASS: str(self._request.AffectedSOPClassUID),
            c.FIELD: c.C_FIND_RSP,
            c.ANSWERED_ID: int(self._request.MessageID),
            c.STATUS: int(status),
        }
