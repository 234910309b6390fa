"""The first word on a new line: what is asked for, within ARTIM, and who goes on to serve it."""

import hashlib
import re
import socket
import ssl
import time
from collections.abc import Collection

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID
from pynetdicom import sop_class
from pynetdicom.sop_class import _STORAGE_CLASSES

from dicom_node.limits import Limits
from dicom_node.wire import LineEnded, LineSilent, Wire
from telemed.dimse import negotiation as n
from telemed.dimse import pdu as p
from telemed.dimse.negotiation import AssociationRequest
from telemed.dimse.pdu import ProtocolError

# What is no UID is not agreed on.
_UID = re.compile("[0-9.]{1,64}")
_VERIFICATION = "1.2.840.10008.1.1"
# Explicit and Implicit VR little endian: what queries are written in, the better one first.
_PLAIN = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
# As pynetdicom's unrestricted storage service decides it: whatever is no other known service is storage, private and
# future classes too.
_OTHER_SERVICES = frozenset(
    str(uid)
    for uid, entry in UID_dictionary.items()
    if entry[4] and hasattr(sop_class, entry[4]) and uid not in set(_STORAGE_CLASSES.values())
)


def is_storage(abstract_syntax: str) -> bool:
    return abstract_syntax not in _OTHER_SERVICES or UID(abstract_syntax).is_private


def await_request(wire: Wire, limits: Limits) -> bytes | None:
    """The body of the A-ASSOCIATE-RQ; None, and the peer has been told, where nothing usable came."""
    wire.until = time.monotonic() + limits.request_seconds
    try:
        kind, length = wire.pdu_head()
        if kind != p.ASSOCIATE_RQ or length > limits.largest_pdu:
            known = p.ASSOCIATE_RQ <= kind <= p.ABORT
            _tell(wire, n.provider_abort(n.UNEXPECTED_PDU if known else n.UNRECOGNISED_PDU))
            return None
        body = wire.exactly(length)
    except (LineEnded, LineSilent):
        return None
    wire.until = None
    return body


def read_or_refuse(wire: Wire, body: bytes) -> AssociationRequest | None:
    try:
        request = n.read_request(body)
    except ProtocolError:
        _tell(wire, n.provider_abort(n.INVALID_PARAMETER))
        return None
    if request.refusal is not None:
        refuse(wire, request.refusal)
        return None
    return request


def refuse(wire: Wire, refusal: n.Refusal) -> None:
    _tell(wire, n.associate_reject(refusal))


def own_contexts(request: AssociationRequest, queries: Collection[str]) -> dict[int, str] | None:
    """Context number -> transfer syntax, if only storage, verification and queries are asked for; else None."""
    if not request.contexts or any(
        context.abstract_syntax != _VERIFICATION
        and context.abstract_syntax not in queries
        and not is_storage(context.abstract_syntax)
        for context in request.contexts
    ):
        return None
    found = {context.number: _syntax(context, queries) for context in request.contexts}
    return {number: syntax for number, syntax in found.items() if syntax}


def _syntax(context: n.Proposed, queries: Collection[str]) -> str:
    """The one agreed on, "" for none."""
    if not context.abstract_syntax or not context.transfer_syntaxes:
        return ""
    if context.abstract_syntax in queries or context.abstract_syntax == _VERIFICATION:
        return next((syntax for syntax in _PLAIN if syntax in context.transfer_syntaxes), "")
    # The sender's first choice is what it has; every transfer syntax is stored as received.
    return next((syntax for syntax in context.transfer_syntaxes if _UID.fullmatch(syntax)), "")


def certificate_sha256(line: socket.socket | None) -> str | None:
    if not isinstance(line, ssl.SSLSocket):
        return None
    certificate = line.getpeercert(binary_form=True)
    return hashlib.sha256(certificate).hexdigest() if certificate else None


def _tell(wire: Wire, pdu: bytes) -> None:
    try:
        wire.send(pdu)
    except (LineEnded, LineSilent):
        return
    wire.linger(1)
