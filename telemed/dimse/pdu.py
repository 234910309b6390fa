"""The Upper Layer's PDUs, as bytes (PS3.8 section 9.3): what is written, and what an answer says."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
PDV_HEAD = 6
# A peer may leave its own limit open (0); we then take this much, and no PDU of ours is ever larger.
LARGEST_PDU = 131_072


class ProtocolError(ValueError):
    """The other side wrote bytes that are no PDU, or one that has no place here."""


@dataclass(frozen=True)
class Context:
    """A presentation context: one abstract syntax, and the transfer syntaxes offered for it."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """What came of an association request."""

    largest_pdu: int
    # Context id -> its transfer syntax, of the accepted ones alone.
    contexts: Mapping[int, str] = field(default_factory=dict)


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBL", kind, 0, len(body)) + body


def associate_request(
    *,
    calling: str,
    called: str,
    contexts: Mapping[int, Context],
    largest_pdu: int,
    implementation_uid: str,
    implementation_name: str,
    provider_of: Sequence[str] = (),
) -> bytes:
    """An A-ASSOCIATE-RQ. `provider_of` are the SOP classes for which the requestor takes the provider's role."""
    body = item(0x10, APPLICATION_CONTEXT)
    for number, context in contexts.items():
        syntaxes = item(0x30, context.abstract_syntax.encode("ascii"))
        syntaxes += b"".join(item(0x40, syntax.encode("ascii")) for syntax in context.transfer_syntaxes)
        body += item(0x20, bytes([number, 0, 0, 0]) + syntaxes)
    user = item(0x51, struct.pack(">L", largest_pdu)) + item(0x52, implementation_uid.encode("ascii"))
    for sop_class in provider_of:
        uid = sop_class.encode("ascii")
        user += item(0x54, struct.pack(">H", len(uid)) + uid + b"\x00\x01")
    user += item(0x55, implementation_name.encode("ascii"))
    body += item(0x50, user)
    titles = _title(called) + _title(calling)
    return pdu(ASSOCIATE_RQ, struct.pack(">HH", 1, 0) + titles + b"\x00" * 32 + body)


def read_accept(body: bytes) -> Accepted:
    """The body of an A-ASSOCIATE-AC. Raises ProtocolError."""
    contexts: dict[int, str] = {}
    largest = LARGEST_PDU
    for kind, value in items(body, 68):
        if kind == 0x21 and len(value) >= 4 and value[2] == 0:
            for inner, syntax in items(value, 4):
                if inner == 0x40:
                    contexts[value[0]] = syntax.decode("ascii", "replace").strip("\x00 ")
        if kind == 0x50:
            for inner, text in items(value, 0):
                if inner == 0x51 and len(text) >= 4:
                    largest = int.from_bytes(text[:4], "big") or LARGEST_PDU
    if largest <= PDV_HEAD + 1:
        raise ProtocolError("a maximum PDU length that holds nothing")
    return Accepted(min(largest, LARGEST_PDU), contexts)


def release_request() -> bytes:
    return pdu(RELEASE_RQ, b"\x00" * 4)


def abort() -> bytes:
    return pdu(ABORT, b"\x00" * 4)


class Pieces(Protocol):
    """Bytes, wherever they lie: in memory, or in a file that is read slice by slice."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes | memoryview: ...


def data_pdus(context_id: int, data: Pieces, *, command: bool, largest: int) -> Iterator[bytes]:
    """P-DATA-TF PDUs of one fragment each; the last one says so. Empty data is one empty fragment."""
    view: Pieces = memoryview(data) if isinstance(data, bytes) else data
    room = min(largest, LARGEST_PDU) - PDV_HEAD
    for start in range(0, max(len(view), 1), room):
        piece = view[start : start + room]
        last = start + room >= len(view)
        head = struct.pack(
            ">BBLLBB", P_DATA, 0, len(piece) + PDV_HEAD, len(piece) + 2, context_id, command | last << 1
        )
        yield b"".join((head, piece))


@dataclass(frozen=True)
class Fragment:
    context_id: int
    command: bool
    last: bool
    data: bytes


def fragments(body: bytes) -> Iterator[Fragment]:
    """The presentation data values of a P-DATA-TF. Raises ProtocolError."""
    position = 0
    while position < len(body):
        if position + PDV_HEAD > len(body):
            raise ProtocolError("a presentation data value is cut short")
        length, context_id, flags = struct.unpack_from(">LBB", body, position)
        end = position + 4 + length
        if length < 2 or end > len(body):
            raise ProtocolError("a presentation data value of a wrong length")
        yield Fragment(context_id, bool(flags & 1), bool(flags & 2), body[position + PDV_HEAD : end])
        position = end


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value


def items(data: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    while position < len(data):
        if position + 4 > len(data):
            raise ProtocolError("an item is cut short")
        kind, _, length = struct.unpack_from(">BBH", data, position)
        position += 4
        if position + length > len(data):
            raise ProtocolError("an item of a wrong length")
        yield kind, data[position : position + length]
        position += length


def _title(text: str) -> bytes:
    return text.encode("ascii", "replace")[:16].ljust(16)
