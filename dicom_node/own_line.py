"""An association that stores, queries and asks for signs of life: most of all there are, read past pynetdicom.

Its upper layer copies every fragment several times and sleeps between its steps; here bytes go from the line into
the spool, and one thread is one association from its request to its end.
"""

import logging
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from dicom_node.arriving import ArrivingObject
from dicom_node.find import Finder, Query, serve_find
from dicom_node.limits import Limits
from dicom_node.line import LineGone
from dicom_node.statuses import Outcome, Status
from dicom_node.store import StoreService
from dicom_node.wire import LineEnded, LineSilent, Wire
from telemed.application.ports import Spool
from telemed.dimse import command as c
from telemed.dimse import negotiation as n
from telemed.dimse import pdu as p
from telemed.dimse.pdu import ProtocolError
from telemed.domain.people import Device
from telemed.imaging.part10 import IMPLICIT_LITTLE

log = logging.getLogger(__name__)

_PDU_HEAD = 6
# A command set holds a few UIDs and numbers.
_LARGEST_COMMAND = 1 << 16
# The UIDs of a long list have their place here; whatever is larger and no object is an attack or noise.
_LARGEST_IDENTIFIER = 4 << 20


class OwnLine:
    def __init__(
        self,
        wire: Wire,
        *,
        device: Device,
        accepted: Mapping[int, tuple[str, str]],
        largest_pdu: int,
        spool: Spool,
        service: StoreService,
        finders: Mapping[str, Finder],
        limits: Limits,
    ) -> None:
        """`accepted`: context number -> its abstract and its transfer syntax."""
        self.device, self.largest_pdu = device, largest_pdu
        self._wire, self._accepted, self._limits = wire, accepted, limits
        self._spool, self._service, self._finders = spool, service, finders
        self._command = bytearray()
        # The command whose data set is now arriving, and the object it becomes.
        self._request: dict[int, bytes] | None = None
        self._object: ArrivingObject | None = None
        # Its bytes that lie in the line's buffer: written together before the buffer is filled anew.
        self._pieces: list[memoryview] = []
        wire.before_reading = self._write_pieces
        # The data set of any other request.
        self._data_set = bytearray()
        self._context = 0
        # When the message that is arriving began, and how many bytes its PDUs have announced so far.
        self._begun, self._announced = 0.0, 0
        self._ending = self._busy = self._gone = False
        # The peer said farewell and was answered; the line is its to close.
        self.released = False

    @property
    def in_the_middle(self) -> bool:
        """A message has begun and has not been answered."""
        return self._busy or bool(self._command) or self._request is not None

    def run(self) -> None:
        """Returns when the association is over; the line is the caller's to close."""
        try:
            while self._step():
                pass
        except LineEnded:
            if self._ending:
                self._abort(n.NO_REASON)
            else:
                self._lost("the line ended")
        except LineSilent:
            self._lost("the peer fell silent")
            self._abort(n.INVALID_PARAMETER)
        except ProtocolError as error:
            self._lost(str(error))
            self._abort(n.INVALID_PARAMETER)
        finally:
            if self._object is not None:
                self._object.discard()

    def end(self) -> None:
        """From another thread: nothing more is read, and the peer is told."""
        self._ending = True
        with suppress(OSError):
            # Past SSLSocket's own: that drops TLS, and what is still written would leave in clear text.
            socket.socket.shutdown(self._wire.line, socket.SHUT_RD)

    def _step(self) -> bool:
        """One PDU; False after the last one."""
        wire, limits = self._wire, self._limits
        if self._gone or self._ending:
            # Half a PDU may be out: nothing that follows could be understood.
            raise LineEnded
        if self.in_the_middle:
            first = wire.exactly(1)[0]
        else:
            wire.patience, wire.until = limits.idle_seconds, None
            first = wire.exactly(1)[0]
            self._begun, self._announced = time.monotonic(), 0
        wire.patience = limits.stalled_seconds
        length = int.from_bytes(wire.exactly(5)[1:], "big")
        if length > limits.largest_pdu:
            raise ProtocolError("a PDU larger than any we allow")
        self._announced += length
        wire.until = self._begun + limits.stalled_seconds + self._announced / limits.slowest_bytes_per_second
        if first == p.P_DATA:
            self._data(length)
            return True
        if first == p.RELEASE_RQ:
            wire.exactly(length)
            wire.send(n.release_response())
            self.released = True
            return False
        if first == p.ABORT:
            self._lost("the peer aborted")
            return False
        known = p.ASSOCIATE_RQ <= first <= p.ABORT
        self._lost("a PDU that has no place here")
        self._abort(n.UNEXPECTED_PDU if known else n.UNRECOGNISED_PDU)
        return False

    def _data(self, remaining: int) -> None:
        while remaining:
            if remaining < p.PDV_HEAD:
                raise ProtocolError("a presentation data value is cut short")
            head = self._wire.exactly(p.PDV_HEAD)
            length = int.from_bytes(head[:4], "big")
            remaining -= 4 + length
            if length < 2 or remaining < 0:
                raise ProtocolError("a presentation data value of a wrong length")
            if head[4] not in self._accepted:
                raise ProtocolError("a presentation context that was never agreed")
            self._fragment(head[4], length - 2, command=bool(head[5] & 1), last=bool(head[5] & 2))

    def _fragment(self, context: int, length: int, *, command: bool, last: bool) -> None:
        if command:
            if self._command and context != self._context:
                raise ProtocolError("a command in two presentation contexts")
            self._context = context
            if self._request is not None or len(self._command) + length > _LARGEST_COMMAND:
                raise ProtocolError("a command in the middle of another message")
            self._command += self._wire.exactly(length)
            if last:
                self._begin(context, bytes(self._command))
            return
        if self._request is None or context != self._context:
            raise ProtocolError("data without a command")
        while length:
            piece = self._wire.some(length)
            length -= len(piece)
            if self._object is not None:
                self._pieces.append(piece)
            else:
                self._data_set += piece
                if len(self._data_set) > _LARGEST_IDENTIFIER:
                    raise ProtocolError("more data than any query has")
        if last:
            self._write_pieces()
            self._finish()

    def _write_pieces(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            if self._object is not None:
                self._object.write(*pieces)

    def _begin(self, context: int, command: bytes) -> None:
        self._command.clear()
        request, self._context = c.read_command_set(command), context
        if c.number_of(request.get(c.FIELD)) == c.C_STORE_RQ:
            self._object = ArrivingObject(
                self._spool,
                sop_class_uid=_uid(request, c.SOP_CLASS),
                sop_instance_uid=_uid(request, c.SOP_INSTANCE),
                transfer_syntax_uid=self._accepted[context][1],
            )
        self._request = request
        if c.number_of(request.get(c.DATA_SET_TYPE)) == c.NO_DATA_SET:
            self._finish()

    def _finish(self) -> None:
        """The message is whole: it is answered, and the next one may begin."""
        request, arriving, data_set = self._request or {}, self._object, bytes(self._data_set)
        # First: whoever stops the node must see at every moment that a message is under way.
        self._busy = True
        self._request = self._object = None
        self._data_set.clear()
        try:
            self._answer(request, arriving, data_set)
        finally:
            self._busy = False

    def _answer(self, request: dict[int, bytes], arriving: ArrivingObject | None, data_set: bytes) -> None:
        field = c.number_of(request.get(c.FIELD))
        if field is None:
            raise ProtocolError("a command that does not say which")
        if arriving is not None:
            self._respond(field, request, self._service.store(self.device, arriving))
        elif field == c.C_ECHO_RQ:
            self._respond(field, request, (Status.SUCCESS, ""))
        elif field == c.C_FIND_RQ and self._accepted[self._context][0] in self._finders:
            self._find(request, data_set)
        elif field != c.C_CANCEL_RQ and not field & c.RESPONSE:
            self._respond(field, request, (Status.UNRECOGNISED_OPERATION, ""))

    def _find(self, request: dict[int, bytes], identifier: bytes) -> None:
        abstract, transfer = self._accepted[self._context]
        query = Query(
            context_id=self._context,
            sop_class_uid=_uid(request, c.SOP_CLASS),
            message_id=c.number_of(request.get(c.MESSAGE_ID)) or 0,
            identifier=identifier,
            implicit=transfer == IMPLICIT_LITTLE,
        )
        serve_find(self, self._finders[abstract], query)

    def write(self, data: bytes) -> None:
        if self._ending:
            raise LineGone
        try:
            self._wire.send(data)
        except (LineEnded, LineSilent) as error:
            self._gone = True
            raise LineGone from error

    def is_gone(self) -> bool:
        return self._gone or self._ending

    def take_cancel(self, message_id: int) -> bool:
        """Looks at what arrived while answers are written; anything but a C-CANCEL waits for its turn."""
        try:
            while (cancelled := _cancel_in(self._wire.arrived())) is not None:
                number, length = cancelled
                self._wire.exactly(length)
                if number == message_id:
                    return True
        except LineEnded as error:
            self._gone = True
            raise LineGone from error
        return False

    def _respond(self, field: int, request: dict[int, bytes], outcome: Outcome) -> None:
        status, comment = outcome
        elements: dict[int, c.Value] = {
            c.FIELD: field | c.RESPONSE,
            c.ANSWERED_ID: c.number_of(request.get(c.MESSAGE_ID)) or 0,
            c.DATA_SET_TYPE: c.NO_DATA_SET,
            c.STATUS: int(status),
        }
        for number in (c.SOP_CLASS, c.SOP_INSTANCE):
            if number in request:
                elements[number] = _uid(request, number)
        if comment:
            elements[c.COMMENT] = comment
        pdus = p.data_pdus(self._context, c.command_set(elements), command=True, largest=self.largest_pdu)
        self._wire.send(b"".join(pdus))

    def _abort(self, reason: int) -> None:
        try:
            self._wire.send(n.provider_abort(reason))
        except (LineEnded, LineSilent):
            return
        self._wire.linger(min(1.0, self._limits.request_seconds))

    def _lost(self, why: str) -> None:
        log.warning("the association of %s ended before its release: %s", self.device.ae_title, why)


def _cancel_in(arrived: bytes) -> tuple[int, int] | None:
    """The number and the length of a C-CANCEL that has arrived whole and comes next; else None."""
    if len(arrived) < _PDU_HEAD or arrived[0] != p.P_DATA:
        return None
    length = _PDU_HEAD + int.from_bytes(arrived[2:6], "big")
    if len(arrived) < length:
        return None
    fragments = list(p.fragments(arrived[_PDU_HEAD:length]))
    if len(fragments) != 1 or not (fragments[0].command and fragments[0].last):
        return None
    command = c.read_command_set(fragments[0].data)
    if c.number_of(command.get(c.FIELD)) != c.C_CANCEL_RQ:
        return None
    return c.number_of(command.get(c.ANSWERED_ID)) or 0, length


def _uid(request: Mapping[int, bytes], number: int) -> str:
    return request.get(number, b"").decode("ascii", "replace").strip("\x00 ")
