"""Messages of ours on an association that somebody else opened, written past pynetdicom's queues.

Its way of sending copies each message three times and sleeps between steps: 0.8 ms for each answer of a query.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from telemed.dimse import command as c
from telemed.dimse import pdu as p

# So much of a data set leaves in one write.
_PDUS_AT_ONCE = 8


class LineGone(Exception):
    """The peer is away, has aborted, or does not read: there is nobody left to answer."""


def write_message(
    assoc: Any, context_id: int, command: Mapping[int, c.Value], data: bytes | memoryview | None = None
) -> None:
    """One DIMSE message. Raises LineGone."""
    waiting: list[bytes] = []
    for piece in message(assoc, context_id, command, data):
        waiting.append(piece)
        if len(waiting) >= _PDUS_AT_ONCE:
            write(assoc, b"".join(waiting))
            waiting.clear()
    write(assoc, b"".join(waiting))


def message(
    assoc: Any, context_id: int, command: Mapping[int, c.Value], data: bytes | memoryview | None = None
) -> Any:
    """The PDUs of one DIMSE message, no longer than the peer takes them."""
    largest = assoc.requestor.maximum_length or p.LARGEST_PDU
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
