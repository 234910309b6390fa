"""An association with other services than storage, as pynetdicom runs it, with our rules at the door and our own way
of reading the line."""

import logging
import socket
import time
from collections.abc import Callable, Mapping
from queue import Empty, Full, Queue
from typing import Any, cast

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE, A_P_ABORT
from pynetdicom.transport import AssociationSocket

from dicom_node.limits import Limits, Slots
from dicom_node.line import LineGone
from dicom_node.opening import certificate_sha256
from dicom_node.policy import Caller, Policy, Rejection
from dicom_node.streaming import StreamingDimse, discard_of
from dicom_node.wire import has_come
from telemed.application.faults import trace_of
from telemed.application.world import World
from telemed.dimse.pdu import abort
from telemed.domain.people import Device

log = logging.getLogger(__name__)

# (association, request, presentation context) by the kind of request.
Services = Mapping[type, Callable[[Any, Any, Any], None]]


class LineSocket(AssociationSocket):  # type: ignore[misc, unused-ignore]
    """As OwnLine's wire, a message comes within `stalled_seconds` and beyond them at `slowest_bytes_per_second`."""

    # Read before pynetdicom took over: it comes first.
    ahead = b""
    limits = Limits()
    # When the message that is arriving began, and how many bytes it has announced so far.
    _begun, _announced = 0.0, 0

    @property
    def ready(self) -> bool:
        """As the original, whose `select` knows no descriptor beyond 1023 and would end the line."""
        line = self.socket
        if self.ahead:
            return True
        if line is None or not self._is_connected:
            return False
        try:
            return has_come(line, 0)
        except (OSError, ValueError):
            # Closed meanwhile.
            self.event_queue.put("Evt17")
            return False

    def begin_pdu(self, *, goes_on: bool) -> None:
        """`goes_on`: of a message whose beginning has been read; its time is not given anew."""
        if not goes_on:
            self._begun, self._announced = time.monotonic(), 0

    def recv(self, nr_bytes: int) -> bytearray:
        """As the original, with a few large reads in place of thousands of small ones (2500 for a DR)."""
        line = self.socket
        if nr_bytes > self.limits.largest_pdu or line is None:
            return bytearray()
        self._announced += nr_bytes
        buffer = bytearray(nr_bytes)
        view, read = memoryview(buffer), min(len(self.ahead), nr_bytes)
        buffer[:read], self.ahead = self.ahead[:read], self.ahead[read:]
        while read < nr_bytes:
            self._await(line)
            count = line.recv_into(view[read:])
            if not count:
                break
            read += count
        return buffer[:read] if read < nr_bytes else buffer

    def _await(self, line: socket.socket) -> None:
        """The next byte. Raises TimeoutError. The socket's own time limit is left alone: another thread writes."""
        limits = self.limits
        until = self._begun + limits.stalled_seconds + self._announced / limits.slowest_bytes_per_second
        patience = min(limits.stalled_seconds, until - time.monotonic())
        if patience <= 0 or not has_come(line, patience):
            raise TimeoutError("the peer sends too slowly")


class Line(DULServiceProvider):  # type: ignore[misc, unused-ignore]
    def __init__(self, assoc: Association) -> None:
        super().__init__(assoc)
        # At most one piece waits: whoever writes waits with it, and memory stays bounded.
        self._later: Queue[bytes] = Queue(maxsize=1)

    def run_reactor(self) -> None:
        """What a peer writes ends its line at worst: pynetdicom fails on commands that lack what it expects."""
        try:
            super().run_reactor()
        except Exception as error:  # noqa: BLE001 whatever it is, nobody reads this line any more
            log.warning("what a peer wrote could not be read, its line ends:\n%s", trace_of(error))
            if self.socket is not None:
                self.socket.send(abort())
                self.socket.close()
            self.to_user_queue.put(A_P_ABORT())

    def _read_pdu_data(self) -> None:
        if isinstance(self.socket, LineSocket):
            self.socket.begin_pdu(goes_on=self.assoc.dimse.message is not None)
        super()._read_pdu_data()

    def write_later(self, data: bytes) -> None:
        """Hands whole PDUs to the thread that reads the line. Raises LineGone."""
        while True:
            try:
                self._later.put(data, timeout=0.1)
                return
            except Full:
                if not self.is_alive():
                    raise LineGone from None

    def _process_recv_primitive(self) -> bool:
        try:
            data = self._later.get_nowait()
        except Empty:
            return bool(super()._process_recv_primitive())
        if self.socket is not None:
            self.socket.send(data)
        return True

    def kill_dul(self) -> None:
        super().kill_dul()
        if self.assoc.requestor.primitive is None:
            # The line ended before a request: whoever waits for one need not wait for ARTIM.
            self.to_user_queue.put(cast("Any", None))


class Gate(ACSE):  # type: ignore[misc, unused-ignore]
    """Negotiation, after the policy has agreed."""

    def __init__(self, assoc: "ServiceAssociation") -> None:
        super().__init__(assoc)
        self._guarded = assoc

    def _negotiate_as_acceptor(self) -> None:
        rejection = self._guarded.admit()
        if rejection is None:
            super()._negotiate_as_acceptor()
            return
        self.send_reject(*rejection.value)
        evt.trigger(self.assoc, evt.EVT_REJECTED, {})
        self.assoc.kill()


class ServiceAssociation(Association):  # type: ignore[misc, unused-ignore]
    device: Device

    def __init__(self, ae: Any, world: World, policy: Policy, slots: Slots, services: Services) -> None:
        super().__init__(ae, MODE_ACCEPTOR)
        self.dul = Line(self)
        # They are kept by the provider, which is a new one.
        self.acse_timeout, self.network_timeout = self.ae.acse_timeout, self.ae.network_timeout
        self.acse = Gate(self)
        self._streaming = self.dimse = StreamingDimse(self, world.spool)
        self._policy, self._slots, self._has_slot = policy, slots, False
        self._services = services
        self.busy = False

    def admit(self) -> Rejection | None:
        request, line = cast("A_ASSOCIATE", self.requestor.primitive), self.dul.socket
        caller = Caller(
            calling_ae_title=str(request.calling_ae_title).strip(),
            called_ae_title=str(request.called_ae_title).strip(),
            address=str(self.requestor.address),
            certificate_sha256=certificate_sha256(line.socket if line else None),
        )
        decision = self._policy.admit(caller)
        if isinstance(decision, Rejection):
            return decision
        if not self._slots.take(decision.institution_id):
            return self._policy.over_limit(caller, decision)
        self._has_slot, self.device = True, decision
        return None

    @property
    def in_the_middle(self) -> bool:
        return self.busy or self._streaming.in_the_middle

    def end(self) -> None:
        """Ends the line from another thread: by A-ABORT, or by closing it where nothing was agreed yet."""
        if self.requestor.primitive is not None:
            self.abort()
        elif self.dul.socket is not None:
            self.dul.socket._shutdown_socket()

    def _serve_request(self, msg: Any, context_id: int) -> None:
        self.busy = True
        try:
            if not self._serve_here(msg, context_id):
                super()._serve_request(msg, context_id)
        finally:
            self.busy = False
            # Of a request that was refused before its object was looked at.
            discard_of(msg)

    def _serve_here(self, msg: Any, context_id: int) -> bool:
        """The services that are answered past pynetdicom's own; False for all others."""
        service = self._services.get(type(msg))
        context = self._accepted_cx.get(context_id)
        if service is None or context is None or not msg.is_valid_request or self._sent_release:
            return False
        service(self, msg, context)
        # A peer that waited for its answers was not idle.
        self.dul._idle_timer.restart()
        return True

    def run_reactor(self) -> None:
        try:
            super().run_reactor()
        finally:
            # The reading thread may still be at its last bytes.
            self.dul.join()
            self._streaming.discard_unfinished()
            if self._has_slot:
                self._slots.give(self.device.institution_id)
