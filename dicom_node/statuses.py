"""DIMSE statuses by name, and which of them a failure becomes (PS3.4 B.2.3, PS3.7 annex C)."""

from enum import IntEnum

from pydicom.dataset import Dataset

from telemed.domain.errors import DomainError, OutOfResources, Unreadable
from telemed.i18n import text

COMMENT_LENGTH = 64  # Error Comment (0000,0902) is LO


class Status(IntEnum):
    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700
    DATA_SET_DOES_NOT_MATCH = 0xA900
    CANNOT_UNDERSTAND = 0xC000


def success() -> Dataset:
    return _answer(Status.SUCCESS)


def mismatch() -> Dataset:
    """Another object than the command announced."""
    return _answer(Status.DATA_SET_DOES_NOT_MATCH, _comment("dimse.mismatch"))


def failure(error: Exception) -> Dataset:
    """What the sender is told; an unforeseen error shows nothing of our inside."""
    if isinstance(error, OutOfResources):
        return _answer(Status.OUT_OF_RESOURCES, _comment("dimse.disk_full"))
    if isinstance(error, Unreadable):
        return _answer(Status.CANNOT_UNDERSTAND, _comment(f"dimse.{error.code}", "dimse.unreadable"))
    if isinstance(error, DomainError):
        return _answer(Status.PROCESSING_FAILURE, _comment("dimse.unavailable"))
    return _answer(Status.PROCESSING_FAILURE, _comment("dimse.internal"))


def _answer(status: Status, comment: str = "") -> Dataset:
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
