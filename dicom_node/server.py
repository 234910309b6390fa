"""The listening side: one port for plain associations, one for TLS where a certificate is configured."""

import logging
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Protocol

from pynetdicom import _config, evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.presentation import build_context
from pynetdicom.transport import ThreadedAssociationServer

from dicom_node.association import ServiceAssociation
from dicom_node.commitment import on_action
from dicom_node.intake import Intake
from dicom_node.limits import Limits, Slots
from dicom_node.mpps import on_create, on_set
from dicom_node.policy import Policy
from dicom_node.reception import Reception, handler_class
from dicom_node.services import CONTEXTS, finders, services
from dicom_node.statuses import Outcome
from dicom_node.store import StoreService
from dicom_node.tls import TlsFiles
from telemed.application.world import World
from telemed.imaging.own_head import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Door:
    host: str
    port: int
    tls: TlsFiles | None = None
    # Several receiving processes of one installation may share the port: the system spreads connections over
    # them. Off otherwise: a second installation would silently get half of the first one's objects.
    shared: bool = False


class _Listener(ThreadedAssociationServer):  # type: ignore[misc, unused-ignore]
    # Carts open one association per image, several at once.
    request_queue_size = 128
    daemon_threads = True
    shared = False

    def server_bind(self) -> None:
        if self.shared and self.socket is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def service_actions(self) -> None:
        """Nothing: pynetdicom's collects all garbage here, and every line of the node waits for that."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning(
            "the line to %s failed before an association",
            client_address[0],
            exc_info=log.isEnabledFor(logging.DEBUG),
        )


class _SharedListener(_Listener):
    shared = True


class _Line(Protocol):
    @property
    def in_the_middle(self) -> bool: ...

    def end(self) -> None: ...


@dataclass
class DicomNode:
    """Runs until `stop`. Ports are known after `start` (0 lets the system choose)."""

    world: World
    ae_title: str
    doors: Sequence[Door]
    limits: Limits = field(default_factory=Limits)
    # Told before the answer to a C-STORE leaves.
    before_answer: Callable[[Outcome], None] | None = None

    def __post_init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._threads: list[Thread] = []

    @property
    def ports(self) -> list[int]:
        return [int(listener.server_address[1]) for listener in self._listeners]

    def start(self) -> None:
        # Module-wide switches of pynetdicom: every storage class in the sender's first transfer syntax, at the
        # cost of one context in the table (170 classes x 45 syntaxes cost 60 ms per association); no log of
        # messages, which hold names.
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        _config.LOG_HANDLER_LEVEL = "none"
        # It writes a stack trace for every broken line; ours says one sentence.
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        contexts = [build_context(uid, list(s)) for uid, s in CONTEXTS.items()]
        answered = finders(self.world, self.ae_title)
        store = StoreService(Intake(self.world), self.before_answer)
        self.reception = Reception(
            world=self.world,
            policy=Policy(self.world, self.ae_title),
            slots=Slots(self.limits),
            limits=self.limits,
            store=store,
            finders=answered,
            services=services(self.world, answered),
        )
        for door in self.doors:
            tls = door.tls.context() if door.tls else None
            listener = (_SharedListener if door.shared else _Listener)(
                self._entity(),
                (door.host, door.port),
                self.ae_title,
                contexts,
                evt_handlers=[
                    (evt.EVT_C_STORE, store.on_store),
                    (evt.EVT_N_ACTION, on_action, [self.world]),
                    (evt.EVT_N_CREATE, on_create, [self.world]),
                    (evt.EVT_N_SET, on_set, [self.world]),
                    (evt.EVT_ABORTED, _on_abort),
                ],
                request_handler=handler_class(self.reception, tls),
            )
            listener.ae._servers.append(listener)
            self._listeners.append(listener)
            thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            thread.start()
            self._threads.append(thread)
            log.info(
                "%s listens on %s:%d%s", self.ae_title, *listener.server_address[:2], " (TLS)" if tls else ""
            )

    def stop(self, grace_seconds: float = 10) -> None:
        """Takes no new association, lets objects in flight finish, then ends what is left."""
        for listener in self._listeners:
            listener.shutdown()
        for thread in self._threads:
            thread.join()
        serving = [line for listener in self._listeners for line in self._lines(listener)]
        storing = self.reception.close() if self._listeners else []
        lines: list[_Line] = [*serving, *storing]
        _wait_while(lambda: any(line.in_the_middle for line in lines), grace_seconds)
        for line in lines:
            line.end()
        for one in serving:
            one.join(timeout=self.limits.stalled_seconds)
        if storing:
            _wait_while(lambda: bool(self.reception.lines), self.limits.stalled_seconds)
        self._listeners.clear()
        self._threads.clear()

    @staticmethod
    def _lines(listener: _Listener) -> list[ServiceAssociation]:
        return [line for line in listener.active_associations if isinstance(line, ServiceAssociation)]

    def _entity(self) -> ApplicationEntity:
        entity = ApplicationEntity(self.ae_title)
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        entity.maximum_pdu_size = self.limits.maximum_pdu
        entity.acse_timeout = self.limits.request_seconds
        entity.network_timeout = self.limits.idle_seconds
        entity.dimse_timeout = self.limits.idle_seconds
        # Ours are counted by the policy's slots, which a mere connection does not take.
        entity.maximum_associations = 1_000_000
        return entity


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while condition() and time.monotonic() < deadline:
        time.sleep(0.01)


def _on_abort(event: Any) -> None:
    log.warning("the association of %s ended before its release", event.assoc.requestor.ae_title)
