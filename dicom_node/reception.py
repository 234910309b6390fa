"""A new connection, in a thread of its own: TLS, the request, and then either way of serving it."""

import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from pynetdicom.association import Association
from pynetdicom.transport import RequestHandler

from dicom_node.association import LineSocket, ServiceAssociation, Services
from dicom_node.find import Finder
from dicom_node.limits import Limits, Slots
from dicom_node.opening import (
    await_request,
    certificate_sha256,
    own_contexts,
    read_or_refuse,
    refuse,
)
from dicom_node.own_line import OwnLine
from dicom_node.policy import Caller, Policy, Rejection
from dicom_node.store import StoreService
from dicom_node.wire import LineEnded, LineSilent, Wire
from telemed.application.world import World
from telemed.dimse import pdu as p
from telemed.dimse.negotiation import AssociationRequest, associate_accept
from telemed.imaging.own_head import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

log = logging.getLogger(__name__)


@dataclass
class Reception:
    """What all lines of the node share."""

    world: World
    policy: Policy
    slots: Slots
    limits: Limits
    store: StoreService
    finders: Mapping[str, Finder]
    services: Services
    lines: set[OwnLine] = field(default_factory=set)
    closing: bool = False
    _lock: Lock = field(default_factory=Lock)

    def serve(self, wire: Wire, address: str, request: AssociationRequest, contexts: dict[int, str]) -> None:
        """One association that stores or asks, from the answer to its request until it is over."""
        caller = Caller(
            calling_ae_title=request.calling,
            called_ae_title=request.called,
            address=address,
            certificate_sha256=certificate_sha256(wire.line),
        )
        device = self.policy.admit(caller)
        if not isinstance(device, Rejection) and not self.slots.take(device.institution_id):
            device = self.policy.over_limit(caller, device)
        if isinstance(device, Rejection):
            refuse(wire, device.value)
            return
        line = OwnLine(
            wire,
            device=device,
            accepted={
                context.number: (context.abstract_syntax, contexts[context.number])
                for context in request.contexts
                if context.number in contexts
            },
            largest_pdu=request.largest_pdu,
            spool=self.world.spool,
            service=self.store,
            finders=self.finders,
            limits=self.limits,
        )
        try:
            if not self._enter(line):
                refuse(wire, Rejection.NOT_ANSWERING_NOW.value)
                return
            wire.send(
                associate_accept(
                    request,
                    contexts,
                    largest_pdu=self.limits.maximum_pdu,
                    implementation_uid=IMPLEMENTATION_CLASS_UID,
                    implementation_name=IMPLEMENTATION_VERSION_NAME,
                )
            )
            line.run()
        finally:
            with self._lock:
                self.lines.discard(line)
            self.slots.give(device.institution_id)
        if line.released:
            # Its place is free already, however long it takes to close.
            wire.linger(self.limits.request_seconds)

    def close(self) -> list[OwnLine]:
        """From now on nobody enters; the lines that are open."""
        with self._lock:
            self.closing = True
            return list(self.lines)

    def _enter(self, line: OwnLine) -> bool:
        with self._lock:
            if self.closing:
                return False
            self.lines.add(line)
            return True


def handler_class(reception: Reception, tls: ssl.SSLContext | None) -> Callable[..., RequestHandler]:
    limits = reception.limits

    class Handler(RequestHandler):  # type: ignore[misc, unused-ignore]
        ahead = b""

        def handle(self) -> None:
            self.request.settimeout(limits.stalled_seconds)
            # Answers are small and whole: nothing is gained by holding them back.
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                # Here, in this line's own thread: a silent peer must not keep others from being accepted.
                self.request = tls.wrap_socket(self.request, server_side=True)
            handed_on = False
            try:
                handed_on = self._open()
            finally:
                if not handed_on:
                    with suppress(OSError):
                        self.request.shutdown(socket.SHUT_RDWR)
                    self.request.close()

        def _open(self) -> bool:
            """True if pynetdicom has the line from now on."""
            wire = Wire(self.request, limits.stalled_seconds)
            body = await_request(wire, limits)
            request = read_or_refuse(wire, body) if body is not None else None
            if body is None or request is None:
                return False
            if reception.closing:
                refuse(wire, Rejection.NOT_ANSWERING_NOW.value)
                return False
            wire.widen()
            contexts = own_contexts(request, reception.finders)
            if contexts is None:
                self.ahead = p.pdu(p.ASSOCIATE_RQ, body) + wire.unread
                self.request.settimeout(limits.stalled_seconds)
                super().handle()
                return True
            try:
                reception.serve(wire, str(self.client_address[0]), request, contexts)
            except (LineEnded, LineSilent):
                log.warning("the line to %s ended at its beginning", self.client_address[0])
            return False

        def _create_association(self) -> Association:
            assoc = ServiceAssociation(
                self.ae, reception.world, reception.policy, reception.slots, reception.services
            )
            assoc._server = self.server
            assoc.name = f"AcceptorThread@{self.client_address[0]}:{self.client_address[1]}"
            line = LineSocket(assoc, client_socket=self.request)
            line.ahead, line.limits = self.ahead, limits
            assoc.set_socket(line)
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
