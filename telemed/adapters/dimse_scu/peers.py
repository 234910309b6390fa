"""Calls remote nodes on associations of our own asking; what goes wrong on the way is Unavailable."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from telemed.adapters.dimse_scu.tls import OutgoingTls
from telemed.application.ports.dicom import CommitmentReport, SendingLine
from telemed.dimse import command as c
from telemed.dimse.identifier import Elements, Encoding, write_answer, write_ascii
from telemed.dimse.pdu import Context, Pieces
from telemed.dimse.requestor import MOST_CONTEXTS, AssociationFailed, Requestor, Secure, TlsFailed
from telemed.dimse.tls import TlsReason
from telemed.domain.errors import Unavailable
from telemed.domain.exchange import RemoteNode
from telemed.domain.study import StoredObject

log = logging.getLogger(__name__)

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
ALL_COMMITTED, SOME_FAILED = 1, 2
_TRANSACTION, _COMMITTED, _FAILED = 0x00081195, 0x00081199, 0x00081198
_CLASS, _INSTANCE, _REASON = 0x00081150, 0x00081155, 0x00081197


class DimsePeers:
    def __init__(
        self,
        ae_title: str,
        *,
        tls: OutgoingTls | None = None,
        connect_seconds: float = 10,
        answer_seconds: float = 60,
    ) -> None:
        self._ae_title, self._tls = ae_title, tls or OutgoingTls()
        self._connect_seconds, self._answer_seconds = connect_seconds, answer_seconds

    @contextmanager
    def sending_line(self, node: RemoteNode, kinds: Sequence[tuple[str, str]]) -> Iterator[SendingLine]:
        # One context per pair: the other side then answers for each transfer syntax by itself.
        contexts = [Context(sop_class, (syntax,)) for sop_class, syntax in kinds[:MOST_CONTEXTS]]
        with self._open(node, contexts, ()) as requestor:
            yield _Line(node, requestor)

    def verify(self, node: RemoteNode) -> None:
        with self._open(node, [Context(VERIFICATION, (EXPLICIT, IMPLICIT))], ()) as requestor:
            accepted = requestor.any_context_for(VERIFICATION)
            if accepted is None:
                raise Unavailable("error.peer_takes_no_echo", ae_title=node.ae_title)
            asked: dict[int, c.Value] = {c.SOP_CLASS: VERIFICATION, c.FIELD: c.C_ECHO_RQ}
            status = _status(node, _asked(node, requestor, accepted[0], asked, None))
            if status != 0:
                raise Unavailable("error.peer_takes_no_echo", ae_title=node.ae_title)

    def report_commitment(self, node: RemoteNode, report: CommitmentReport) -> int:
        context = Context(STORAGE_COMMITMENT, (EXPLICIT, IMPLICIT))
        # We call, and remain the provider: the device must agree to the roles (PS3.4 J.3.3).
        with self._open(node, [context], (STORAGE_COMMITMENT,)) as requestor:
            accepted = requestor.any_context_for(STORAGE_COMMITMENT)
            if accepted is None:
                raise Unavailable("error.peer_takes_no_commitment", ae_title=node.ae_title)
            number, syntax = accepted
            answer = _asked(
                node,
                requestor,
                number,
                {
                    c.SOP_CLASS: STORAGE_COMMITMENT,
                    c.FIELD: c.N_EVENT_REPORT_RQ,
                    c.SOP_INSTANCE: COMMITMENT_INSTANCE,
                    c.EVENT_TYPE: SOME_FAILED if report.failed else ALL_COMMITTED,
                },
                write_answer(_information(report), Encoding(syntax == IMPLICIT), write_ascii),
            )
        return _status(node, answer)

    @contextmanager
    def _open(
        self, node: RemoteNode, contexts: Sequence[Context], provider_of: Sequence[str]
    ) -> Iterator[Requestor]:
        try:
            requestor = Requestor(
                host=node.host,
                port=node.port,
                calling=self._ae_title,
                called=node.ae_title,
                contexts=contexts,
                provider_of=provider_of,
                secure=self._secure(node),
                connect_seconds=self._connect_seconds,
                answer_seconds=self._answer_seconds,
            )
        except TlsFailed as error:
            log.warning("no TLS with %s at %s:%d: %s", node.ae_title, node.host, node.port, error)
            raise _untrusted(node, error.tls_reason) from error
        except AssociationFailed as error:
            log.warning("no association with %s at %s:%d: %s", node.ae_title, node.host, node.port, error)
            raise Unavailable("error.peer_unavailable", ae_title=node.ae_title) from error
        with requestor:
            yield requestor

    def _secure(self, node: RemoteNode) -> Secure | None:
        if not node.tls:
            return None
        try:
            context = self._tls.context(node.certificate_authority)
        except OSError as error:
            log.error("no TLS with %s: our own files cannot be used: %s", node.ae_title, error)
            raise _untrusted(node, TlsReason.OWN_FILES) from error
        if context is None:
            raise _untrusted(node, TlsReason.NO_AUTHORITY)
        return Secure(context, node.server_name or node.host)


class _Line:
    def __init__(self, node: RemoteNode, requestor: Requestor) -> None:
        self._node, self._requestor = node, requestor

    def accepts(self, sop_class_uid: str, transfer_syntax_uid: str) -> bool:
        return self._requestor.context_for(sop_class_uid, transfer_syntax_uid) is not None

    def store(self, stored: StoredObject, data_set: Pieces, originator: tuple[str, int] | None = None) -> int:
        number = self._requestor.context_for(stored.sop_class_uid, stored.transfer_syntax_uid)
        if number is None:
            raise ValueError("nothing was agreed for this object")
        command: dict[int, c.Value] = {
            c.SOP_CLASS: stored.sop_class_uid,
            c.FIELD: c.C_STORE_RQ,
            c.PRIORITY: c.MEDIUM_PRIORITY,
            c.SOP_INSTANCE: stored.sop_instance_uid,
        }
        if originator is not None:
            command[c.ORIGINATOR], command[c.ORIGINATOR_ID] = originator
        return _status(self._node, _asked(self._node, self._requestor, number, command, data_set))


def _asked(
    node: RemoteNode,
    requestor: Requestor,
    number: int,
    command: dict[int, c.Value],
    data: Pieces | None,
) -> dict[int, bytes]:
    try:
        return requestor.ask(number, command, data)
    except AssociationFailed as error:
        log.warning("the association with %s failed: %s", node.ae_title, error)
        raise Unavailable("error.peer_unavailable", ae_title=node.ae_title) from error


def _untrusted(node: RemoteNode, reason: TlsReason) -> Unavailable:
    return Unavailable("error.peer_tls", ae_title=node.ae_title, error=reason.value)


def _status(node: RemoteNode, answer: dict[int, bytes]) -> int:
    status = c.number_of(answer.get(c.STATUS))
    if status is None:
        raise Unavailable("error.peer_unavailable", ae_title=node.ae_title)
    return status


def _information(report: CommitmentReport) -> Elements:
    committed: list[Elements] = [
        {_CLASS: ("UI", sop_class), _INSTANCE: ("UI", instance)} for sop_class, instance in report.committed
    ]
    failed: list[Elements] = [
        {_CLASS: ("UI", sop_class), _INSTANCE: ("UI", instance), _REASON: ("US", str(reason))}
        for sop_class, instance, reason in report.failed
    ]
    found: dict[int, tuple[str, str | Sequence[Elements]]] = {_TRANSACTION: ("UI", report.transaction_uid)}
    if committed:
        found[_COMMITTED] = ("SQ", committed)
    if failed:
        found[_FAILED] = ("SQ", failed)
    return found
