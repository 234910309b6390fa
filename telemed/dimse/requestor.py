"""The asking side of an association, plain or over TLS: open, send, hear the answer, release.

Synchronous and without threads: one call, one answer. Header and payload leave in one write and TCP_NODELAY is
set; else each object waits tens of milliseconds for Nagle's algorithm on both sides.
"""

import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.dimse.tls import TlsReason, reason_of

IMPLEMENTATION_CLASS_UID = "2.25.263421397860341518471027915068291503117"
IMPLEMENTATION_VERSION_NAME = "TELEMED"
# More contexts than these have no odd number left between 1 and 255.
MOST_CONTEXTS = 128
# Answers are small: whatever announces more is no answer.
_LARGEST_ANSWER = 4 << 20
# So many PDUs leave in one write: memory stays bounded whatever the object's size.
_PDUS_AT_ONCE = 8


class AssociationFailed(OSError):
    """No association, or it ended before its time. `reason` is a short English phrase for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TlsFailed(AssociationFailed):
    """One of both sides does not trust the other, or they share no version or cipher suite."""

    def __init__(self, tls_reason: TlsReason, detail: str) -> None:
        super().__init__(f"{tls_reason.value} ({detail})")
        self.tls_reason = tls_reason


@dataclass(frozen=True)
class Secure:
    context: ssl.SSLContext
    # The name that the other side's certificate must carry.
    server_name: str


class Requestor:
    """One association that we asked for. Use as a context manager: it is released, or aborted after an error."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        calling: str,
        called: str,
        contexts: Sequence[p.Context],
        provider_of: Sequence[str] = (),
        secure: Secure | None = None,
        connect_seconds: float = 10,
        answer_seconds: float = 60,
    ) -> None:
        if not 0 < len(contexts) <= MOST_CONTEXTS:
            raise ValueError(f"1 to {MOST_CONTEXTS} contexts, not {len(contexts)}")
        self._numbered = {2 * number + 1: context for number, context in enumerate(contexts)}
        self._message_id, self._heard = 0, False
        try:
            self._socket: socket.socket = socket.create_connection((host, port), timeout=connect_seconds)
        except OSError as error:
            raise AssociationFailed(f"no connection: {error.strerror or error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure is not None:
                self._secure(secure)
            self._socket.settimeout(answer_seconds)
            self._open(calling, called, provider_of)
        except AssociationFailed as error:
            self._socket.close()
            if secure is not None and not self._heard and not isinstance(error, TlsFailed):
                # TLS 1.3: we are through before the other side has looked at our certificate.
                raise TlsFailed(TlsReason.CLOSED, error.reason) from error
            raise
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._release()
            else:
                self._socket.sendall(p.abort())
        except (OSError, p.ProtocolError):
            # Nothing is owed any more: every answer that counts has been heard.
            pass
        finally:
            self._socket.close()

    def context_for(self, abstract_syntax: str, transfer_syntax: str) -> int | None:
        """The id of an accepted context for exactly this pair."""
        for number, syntax in self._accepted.contexts.items():
            context = self._numbered.get(number)
            if context and context.abstract_syntax == abstract_syntax and syntax == transfer_syntax:
                return number
        return None

    def any_context_for(self, abstract_syntax: str) -> tuple[int, str] | None:
        for number, syntax in self._accepted.contexts.items():
            context = self._numbered.get(number)
            if context and context.abstract_syntax == abstract_syntax:
                return number, syntax
        return None

    def ask(self, context_id: int, command: Mapping[int, c.Value], data: p.Pieces | None) -> dict[int, bytes]:
        """Sends one request and returns the command set of its answer. Raises AssociationFailed."""
        self._message_id = self._message_id % 65_535 + 1
        elements: dict[int, c.Value] = {
            **command,
            c.MESSAGE_ID: self._message_id,
            c.DATA_SET_TYPE: c.WITH_DATA_SET if data is not None else c.NO_DATA_SET,
        }
        largest = self._accepted.largest_pdu
        waiting = list(p.data_pdus(context_id, c.command_set(elements), command=True, largest=largest))
        try:
            if data is not None:
                for piece in p.data_pdus(context_id, data, command=False, largest=largest):
                    waiting.append(piece)
                    if len(waiting) >= _PDUS_AT_ONCE:
                        self._socket.sendall(b"".join(waiting))
                        waiting.clear()
            self._socket.sendall(b"".join(waiting))
            return self._answer()
        except p.ProtocolError as error:
            raise AssociationFailed(str(error)) from error
        except AssociationFailed:
            raise
        except OSError as error:
            raise _failed("the line broke", error) from error

    def _secure(self, secure: Secure) -> None:
        try:
            self._socket = secure.context.wrap_socket(self._socket, server_hostname=secure.server_name)
        except OSError as error:
            raise _failed("no TLS", error) from error

    def _open(self, calling: str, called: str, provider_of: Sequence[str]) -> None:
        try:
            self._socket.sendall(
                p.associate_request(
                    calling=calling,
                    called=called,
                    contexts=self._numbered,
                    largest_pdu=p.LARGEST_PDU,
                    implementation_uid=IMPLEMENTATION_CLASS_UID,
                    implementation_name=IMPLEMENTATION_VERSION_NAME,
                    provider_of=provider_of,
                )
            )
            kind, body = self._read_pdu()
            if kind == p.ASSOCIATE_RJ:
                raise AssociationFailed(
                    "rejected: result {}, source {}, reason {}".format(*body.ljust(4, b"\0")[1:4])
                )
            if kind != p.ASSOCIATE_AC:
                raise AssociationFailed("ended before it began")
            self._accepted = p.read_accept(body)
        except p.ProtocolError as error:
            raise AssociationFailed(str(error)) from error
        except AssociationFailed:
            raise
        except OSError as error:
            raise _failed("the line broke", error) from error

    def _answer(self) -> dict[int, bytes]:
        """The next answer; a data set that comes with it is read and dropped."""
        command, data_set_follows = b"", True
        answer: dict[int, bytes] | None = None
        while answer is None or data_set_follows:
            kind, body = self._read_pdu()
            if kind != p.P_DATA:
                raise AssociationFailed("ended before its answer")
            for fragment in p.fragments(body):
                if not fragment.command:
                    data_set_follows = data_set_follows and not fragment.last
                    continue
                command += fragment.data
                if fragment.last:
                    answer = c.read_command_set(command)
                    data_set_follows = c.number_of(answer.get(c.DATA_SET_TYPE)) not in (None, c.NO_DATA_SET)
        return answer

    def _release(self) -> None:
        self._socket.sendall(p.release_request())
        while self._read_pdu()[0] not in (p.RELEASE_RP, p.ABORT):
            pass

    def _read_pdu(self) -> tuple[int, bytes]:
        kind, _, length = struct.unpack(">BBL", self._read(6))
        self._heard = True
        if length > _LARGEST_ANSWER:
            raise p.ProtocolError("a PDU larger than any answer")
        return kind, self._read(length)

    def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count:
            piece = self._socket.recv(min(count, 1 << 16))
            if not piece:
                raise AssociationFailed("the other side closed the line")
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)


def _failed(what: str, error: OSError) -> AssociationFailed:
    """With TLS 1.3 the other side's refusal of our certificate arrives as late as with its first answer."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TlsFailed(reason_of(error), error.reason or str(error))
    return AssociationFailed(f"{what}: {error.strerror or error}")
