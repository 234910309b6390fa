"""What the other side's answer to a C-STORE means for the object (PS3.4 B.2.3, PS3.7 9.1.1.1.9 and annex C)."""

from enum import StrEnum


class Answer(StrEnum):
    TAKEN = "taken"
    # It has no room now, whatever the object: asked until it has.
    NO_ROOM = "no_room"
    # Something went wrong over there; it may be this object, and may be over by the next time.
    NOT_NOW = "not_now"
    # The object, or its kind, is not for this destination: asking again changes nothing.
    NEVER = "never"


SOP_CLASS_NOT_SUPPORTED, NOT_AUTHORISED, NO_SUCH_CLASS = 0x0122, 0x0124, 0x0118
# What hangs on how the destination is set up, and not on the object; None: no context was accepted for it.
BY_ITS_SETTINGS = frozenset({None, SOP_CLASS_NOT_SUPPORTED, NOT_AUTHORISED, NO_SUCH_CLASS})

_RESOURCE_LIMITATION = 0x0213
_NEVER = frozenset(
    {
        SOP_CLASS_NOT_SUPPORTED,
        NOT_AUTHORISED,
        NO_SUCH_CLASS,
        0x0105,  # no such attribute
        0x0106,  # invalid attribute value
        0x0112,  # no such SOP instance
        0x0115,  # invalid argument value
        0x0117,  # invalid SOP instance
        0x0119,  # class and instance conflict
        0x0120,  # missing attribute
        0x0121,  # missing attribute value
        0x0211,  # unrecognised operation
        0x0212,  # mistyped argument
    }
)
# About a day, and half an hour, by the pauses of `ForwardItem`.
_MOST_ATTEMPTS, _MOST_NOT_UNDERSTOOD = 28, 6


def is_warning(status: int) -> bool:
    return status >> 12 == 0xB or status in (0x0001, 0x0107, 0x0116)


def is_taken(status: int) -> bool:
    return status == 0 or is_warning(status)


def answer_of(status: int, attempts: int) -> Answer:
    """`attempts`, this one among them: what failed again and again is not sent for ever."""
    if is_taken(status):
        return Answer.TAKEN
    if status >> 8 == 0xA7 or status == _RESOURCE_LIMITATION:
        return Answer.NO_ROOM
    # 0xA9xx: data set and SOP class do not fit each other.
    if status in _NEVER or status >> 8 == 0xA9:
        return Answer.NEVER
    # 0xCxxx: not understood. It is said of the object, yet some say it of their own troubles.
    most = _MOST_NOT_UNDERSTOOD if status >> 12 == 0xC else _MOST_ATTEMPTS
    return Answer.NOT_NOW if attempts < most else Answer.NEVER
