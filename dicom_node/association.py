"""One association, as pynetdicom runs it, with our rules at the door and our own way of reading the line."""

import hashlib
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Lock
from typing import Any, cast

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.transport import AssociationSocket, RequestHandler

from dicom_node.line import LineGone
from dicom_node.policy import Caller, Policy, Rejection
from dicom_node.streaming import StreamingDimse
from telemed.application.world import World
from telemed.domain.people import Device

log = logging.getLogger(__name__)

# (association, request, presentation context) by the kind of request.
Services = Mapping[type, Callable[[Any, Any, Any], None]]

# Far above any PDU we allow and any association request: garbage may announce four gigabytes.
_LARGEST_PDU = 4 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    maximum_associations: int = 64
    maximum_pdu: int = 131_072
    # ARTIM (PS3.8 9.1.5): how long an opened line may stay without an association request.
    request_seconds: float = 10
    # A peer that stands still in the middle of a PDU, or in TLS's handshake.
    stalled_seconds: float = 30
    # A peer that holds an association and sends nothing.
    idle_seconds: float = 120


class Slots:
    """Associations of this process; a lone connection takes none, so a port probe blocks nobody."""

    def __init__(self, limit: int) -> None:
        self._limit, self._taken, self._lock = limit, 0, Lock()

    def take(self) -> bool:
        with self._lock:
            if self._taken >= self._limit:
                return False
            self._taken += 1
            return True

    def give(self) -> None:
        with self._lock:
            self._taken -= 1


class LineSocket(AssociationSocket):  # type: ignore[misc, unused-ignore]
    def recv(self, nr_bytes: int) -> bytearray:
        """As the original, with a few large reads in place of thousands of small ones (2500 for a DR)."""
        if nr_bytes > _LARGEST_PDU or self.socket is None:
            return bytearray()
        buffer = bytearray(nr_bytes)
        view, read = memoryview(buffer), 0
        while read < nr_bytes:
            count = self.socket.recv_into(view[read:])
            if not count:
                break
            read += count
        return buffer[:read] if read < nr_bytes else buffer


class Line(DULServiceProvider):  # type: ignore[misc, unused-ignore]
    def __init__(self, assoc: Association) -> None:
        super().__init__(assoc)
        # At most one piece waits: whoever writes waits with it, and memory stays bounded.
        self._later: Queue[bytes] = Queue(maxsize=1)

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

    def __init__(self, assoc: "StoringAssociation") -> None:
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


class StoringAssociation(Association):  # type: ignore[misc, unused-ignore]
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
            certificate_sha256=_certificate(line.socket if line else None),
        )
        decision = self._policy.admit(caller)
        if isinstance(decision, Rejection):
            return decision
        self._has_slot = self._slots.take()
        if not self._has_slot:
            return self._policy.over_limit(caller, decision)
        self.device = decision
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
                self._slots.give()


def handler_class(
    world: World,
    policy: Policy,
    slots: Slots,
    limits: Limits,
    tls: ssl.SSLContext | None,
    services: Services,
) -> Callable[..., RequestHandler]:
    class Handler(RequestHandler):  # type: ignore[misc, unused-ignore]
        def handle(self) -> None:
            self.request.settimeout(limits.stalled_seconds)
            if tls is not None:
                # Here, in this line's own thread: a silent peer must not keep others from being accepted.
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().handle()

        def _create_association(self) -> Association:
            assoc = StoringAssociation(self.ae, world, policy, slots, services)
            assoc._server = self.server
            assoc.name = f"AcceptorThread@{self.client_address[0]}:{self.client_address[1]}"
            assoc.set_socket(LineSocket(assoc, client_socket=self.request))
            assoc.acceptor.maximum_length = self.ae.maximum_pdu_size
            assoc.acceptor.ae_title = self.server.ae_title
            assoc.acceptor.address_info = self.local
            assoc.acceptor.implementation_class_uid = self.ae.implementation_class_uid
            assoc.acceptor.implementation_version_name = self.ae.implementation_version_name
            # Not copied, as pynetdicom does (1.7 ms for ten contexts): negotiation only reads them.
            assoc.acceptor.supported_contexts = self.server.contexts
            assoc.requestor.address_info = self.remote
            for event, handlers in self.server._handlers.items():
                bound: Any = handlers
                if event.is_intervention:
                    assoc.bind(event, *bound)
                else:
                    for handler, arguments in bound:
                        assoc.bind(event, handler, arguments)
            return assoc

    return Handler


def _certificate(line: socket.socket | None) -> str | None:
    if not isinstance(line, ssl.SSLSocket):
        return None
    certificate = line.getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest() if certificate else None
