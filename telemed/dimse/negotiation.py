"""An association as it is asked for and answered (PS3.8 section 9.3, PS3.7 annex D.3), on the accepting side."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from telemed.dimse import pdu as p
from telemed.dimse.pdu import ProtocolError

ACCEPTED, ABSTRACT_SYNTAX_NOT_SUPPORTED, TRANSFER_SYNTAXES_NOT_SUPPORTED = 0, 3, 4
# Of an A-ABORT by the provider (PS3.8 table 9-26).
NO_REASON, UNRECOGNISED_PDU, UNEXPECTED_PDU, INVALID_PARAMETER = 0, 1, 2, 6
# A result of an A-ASSOCIATE-RJ: (result, source, reason), PS3.8 table 9-21.
Refusal = tuple[int, int, int]
VERSION_NOT_SUPPORTED: Refusal = (1, 2, 2)
APPLICATION_CONTEXT_NOT_SUPPORTED: Refusal = (1, 1, 2)


@dataclass(frozen=True)
class Proposed:
    """One presentation context of a request."""

    number: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AssociationRequest:
    called: str
    calling: str
    contexts: tuple[Proposed, ...]
    # What one PDU to the requestor may hold at most, never 0.
    largest_pdu: int
    # SOP class -> (as user, as provider), as the requestor offers itself.
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    # Both titles and what is reserved behind them: they go back as they came.
    titles: bytes = b""
    refusal: Refusal | None = None


def read_request(body: bytes) -> AssociationRequest:
    """The body of an A-ASSOCIATE-RQ. Raises ProtocolError."""
    if len(body) < 68:
        raise ProtocolError("an association request is cut short")
    contexts: list[Proposed] = []
    roles: dict[str, tuple[bool, bool]] = {}
    largest, refusal = 0, None
    if not int.from_bytes(body[:2], "big") & 1:
        refusal = VERSION_NOT_SUPPORTED
    for kind, value in p.items(body, 68):
        if kind == 0x10 and value.rstrip(b"\x00 ") != p.APPLICATION_CONTEXT:
            refusal = refusal or APPLICATION_CONTEXT_NOT_SUPPORTED
        elif kind == 0x20:
            contexts.append(_proposed(value))
        elif kind == 0x50:
            for inner, text in p.items(value, 0):
                if inner == 0x51 and len(text) >= 4:
                    largest = int.from_bytes(text[:4], "big")
                elif inner == 0x54:
                    sop_class, roles_offered = _role(text)
                    roles[sop_class] = roles_offered
    if 0 < largest <= p.PDV_HEAD + 1:
        raise ProtocolError("a maximum PDU length that holds nothing")
    if len({context.number for context in contexts}) < len(contexts):
        raise ProtocolError("two presentation contexts of one number")
    return AssociationRequest(
        called=_title(body[4:20]),
        calling=_title(body[20:36]),
        contexts=tuple(contexts),
        largest_pdu=min(largest or p.LARGEST_PDU, p.LARGEST_PDU),
        roles=roles,
        titles=body[4:68],
        refusal=refusal,
    )


def associate_accept(
    request: AssociationRequest,
    accepted: Mapping[int, str],
    *,
    largest_pdu: int,
    implementation_uid: str,
    implementation_name: str,
) -> bytes:
    """An A-ASSOCIATE-AC. `accepted`: context number -> its transfer syntax; the requestor stays the user of each."""
    items = p.item(0x10, p.APPLICATION_CONTEXT)
    for context in request.contexts:
        syntax = accepted.get(context.number)
        refused = (
            TRANSFER_SYNTAXES_NOT_SUPPORTED if context.abstract_syntax else ABSTRACT_SYNTAX_NOT_SUPPORTED
        )
        result = ACCEPTED if syntax is not None else refused
        # A refused context still names a syntax, which nobody reads.
        named = p.item(0x40, (syntax or "1.2.840.10008.1.2").encode("ascii", "replace"))
        items += p.item(0x21, bytes([context.number, 0, result, 0]) + named)
    user = p.item(0x51, struct.pack(">L", largest_pdu))
    user += p.item(0x52, implementation_uid.encode("ascii"))
    for sop_class, (as_user, _) in request.roles.items():
        uid = sop_class.encode("ascii", "replace")
        user += p.item(0x54, struct.pack(">H", len(uid)) + uid + bytes([as_user, 0]))
    user += p.item(0x55, implementation_name.encode("ascii"))
    items += p.item(0x50, user)
    return p.pdu(p.ASSOCIATE_AC, struct.pack(">HH", 1, 0) + request.titles + items)


def associate_reject(refusal: Refusal) -> bytes:
    return p.pdu(p.ASSOCIATE_RJ, bytes([0, *refusal]))


def release_response() -> bytes:
    return p.pdu(p.RELEASE_RP, b"\x00" * 4)


def provider_abort(reason: int) -> bytes:
    return p.pdu(p.ABORT, bytes([0, 0, 2, reason]))


def _proposed(value: bytes) -> Proposed:
    if len(value) < 4:
        raise ProtocolError("a presentation context is cut short")
    if not value[0] & 1:
        raise ProtocolError("a presentation context of an even number")
    abstract, transfer = "", []
    for kind, text in p.items(value, 4):
        if kind == 0x30:
            abstract = _uid(text)
        elif kind == 0x40:
            transfer.append(_uid(text))
    return Proposed(value[0], abstract, tuple(transfer))


def _role(value: bytes) -> tuple[str, tuple[bool, bool]]:
    length = int.from_bytes(value[:2], "big")
    if len(value) < length + 4:
        raise ProtocolError("a role selection is cut short")
    return _uid(value[2 : 2 + length]), (bool(value[2 + length]), bool(value[3 + length]))


def _uid(text: bytes) -> str:
    return text.decode("ascii", "replace").strip("\x00 ")


def _title(text: bytes) -> str:
    return text.decode("ascii", "replace").replace("\x00", "").strip(" ")
