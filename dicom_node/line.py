"""Messages of ours on an association that somebody else opened, written past pynetdicom's queues.

Its way of sending copies each message three times and sleeps between steps: 0.8 ms for each answer of a query.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from telemed.dimse import command as c
from telemed.dimse import pdu as p
from telemed.domain.people import Device

# So much of a data set leaves in one write.
_PDUS_AT_ONCE = 8


class LineGone(Exception):
    """The peer is away, has aborted, or does not read: there is nobody left to answer."""


class AnswerLine(Protocol):
    """What a query needs of its association, whoever reads it."""

    @property
    def device(self) -> Device: ...

    @property
    def largest_pdu(self) -> int: ...

    def write(self, data: bytes) -> None:
        """Whole PDUs, as they are. Raises LineGone."""

    def take_cancel(self, message_id: int) -> bool:
        """Whether the request of this number was called off by a C-CANCEL, which has then done its work."""

    def is_gone(self) -> bool: ...


@dataclass(frozen=True)
class AssociationLine:
    """Of an association that pynetdicom reads."""

    assoc: Any

    @property
    def device(self) -> Device:
        device: Device = self.assoc.device
        return device

    @property
    def largest_pdu(self) -> int:
        return int(self.assoc.requestor.maximum_length or p.LARGEST_PDU)

    def write(self, data: bytes) -> None:
        write(self.assoc, data)

    def take_cancel(self, message_id: int) -> bool:
        return bool(self.assoc.dimse.take_cancel(message_id))

    def is_gone(self) -> bool:
        return is_gone(self.assoc)


def write_message(
    assoc: Any, context_id: int, command: Mapping[int, c.Value], data: p.Pieces | None = None
) -> None:
    """One DIMSE message. Raises LineGone."""
    waiting: list[bytes] = []
    largest = AssociationLine(assoc).largest_pdu
    for piece in message(largest, context_id, command, data):
        waiting.append(piece)
        if len(waiting) >= _PDUS_AT_ONCE:
            write(assoc, b"".join(waiting))
            waiting.clear()
    write(assoc, b"".join(waiting))


def message(
    largest: int, context_id: int, command: Mapping[int, c.Value], data: p.Pieces | None = None
) -> Iterator[bytes]:
    """The PDUs of one DIMSE message, none larger than `largest`."""
    kind = c.WITH_DATA_SET if data is not None else c.NO_DATA_SET
    yield from p.data_pdus(
        context_id, c.command_set({**command, c.DATA_SET_TYPE: kind}), command=True, largest=largest
    )
    if data is not None:
        yield from p.data_pdus(context_id, data, command=False, largest=largest)


def write(assoc: Any, data: bytes) -> None:
    """Whole PDUs, as they are. Raises LineGone."""
    line = assoc.dul.socket
    if line is None or line.socket is None or is_gone(assoc):
        raise LineGone
    if isinstance(line.socket, ssl.SSLSocket):
        # OpenSSL must not be read and written by two threads: the reading one writes.
        assoc.dul.write_later(data)
        return
    try:
        line.socket.sendall(data)
    except OSError as error:
        # Half a PDU may be out: nothing that follows could be understood.
        line.close()
        raise LineGone from error


def is_gone(assoc: Any) -> bool:
    return bool(
        not assoc.is_established
        or not assoc.dul.is_alive()
        or assoc.acse.is_aborted()
        or assoc.acse.is_release_requested()
    )
