"""DIMSE statuses by name, and which of them a failure becomes (PS3.4 B.2.3, PS3.7 annex C)."""

from enum import IntEnum

from pydicom.dataset import Dataset

from telemed.dimse.pdu import ProtocolError
from telemed.domain.errors import DomainError, InvalidInput, OutOfResources, Unreadable
from telemed.i18n import text

COMMENT_LENGTH = 64  # Error Comment (0000,0902) is LO


class Status(IntEnum):
    SUCCESS = 0x0000
    # MPPS, in its own words: "may no longer be updated" has the same number.
    INVALID_ATTRIBUTE_VALUE = 0x0106
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_INSTANCE = 0x0111
    NO_SUCH_INSTANCE = 0x0112
    INVALID_ARGUMENT = 0x0115
    MISSING_ATTRIBUTE = 0x0120
    NO_SUCH_ACTION = 0x0123
    UNRECOGNISED_OPERATION = 0x0211
    OUT_OF_RESOURCES = 0xA700
    CANNOT_COUNT_MATCHES = 0xA701
    CANNOT_PERFORM_SUB_OPERATIONS = 0xA702
    UNKNOWN_DESTINATION = 0xA801
    DATA_SET_DOES_NOT_MATCH = 0xA900
    SOME_SUB_OPERATIONS_FAILED = 0xB000
    LIMIT_REACHED = 0xB001
    CANNOT_UNDERSTAND = 0xC000
    CANCELLED = 0xFE00
    PENDING = 0xFF00
    PENDING_SOME_IGNORED = 0xFF01


# A status, and its Error Comment ("" for none).
Outcome = tuple[Status, str]
STORED: Outcome = (Status.SUCCESS, "")


def mismatch() -> Outcome:
    """Another object than the command announced."""
    return Status.DATA_SET_DOES_NOT_MATCH, _comment("dimse.mismatch")


def failure(error: Exception) -> Outcome:
    """What the sender is told; an unforeseen error shows nothing of our inside."""
    if isinstance(error, OutOfResources):
        return Status.OUT_OF_RESOURCES, _comment("dimse.disk_full")
    if isinstance(error, Unreadable):
        return Status.CANNOT_UNDERSTAND, _comment(f"dimse.{error.code}", "dimse.unreadable")
    if isinstance(error, DomainError):
        return Status.PROCESSING_FAILURE, _comment("dimse.unavailable")
    return Status.PROCESSING_FAILURE, _comment("dimse.internal")


def query_failure(error: Exception) -> tuple[Status, str]:
    """Of C-FIND, C-GET and C-MOVE: what the asking machine is told (PS3.4 C.4.1.1.4)."""
    if isinstance(error, InvalidInput):
        return Status.DATA_SET_DOES_NOT_MATCH, _comment(f"dimse.{error.code}", "dimse.query_invalid")
    if isinstance(error, ProtocolError):
        return Status.CANNOT_UNDERSTAND, _comment("dimse.query_unreadable")
    if isinstance(error, DomainError):
        return Status.OUT_OF_RESOURCES, _comment("dimse.unavailable")
    return Status.CANNOT_UNDERSTAND, _comment("dimse.internal")


def answer(status: Status, comment_key: str = "") -> Dataset:
    return as_dataset((status, _comment(comment_key) if comment_key else ""))


def as_dataset(outcome: Outcome) -> Dataset:
    """As pynetdicom takes it."""
    status, comment = outcome
    answer = Dataset()
    answer.Status = int(status)
    if comment:
        answer.ErrorComment = comment
    return answer


def _comment(key: str, otherwise: str = "") -> str:
    """English, because a command set has no character set but the default repertoire."""
    try:
        return text(key, "en")[:COMMENT_LENGTH]
    except KeyError:
        if not otherwise:
            raise
        return text(otherwise, "en")[:COMMENT_LENGTH]
