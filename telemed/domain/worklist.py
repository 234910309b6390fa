"""The readers' list: one order for all of it, and the saved views that cut it.

Adapters say the same in their statements; the functions here are what they are held against.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from telemed.domain.case import Case, CaseState
from telemed.domain.errors import InvalidInput
from telemed.domain.order import Priority


class View(StrEnum):
    CRITICAL = "critical"
    OVERDUE = "overdue"
    MINE = "mine"
    RETURNED = "returned"
    REVIEW = "review"
    WAITING = "waiting"
    ALL = "all"
    DONE = "done"


# What was done has no end: it is paged through, never counted.
COUNTED = tuple(view for view in View if view is not View.DONE)
# A count stops here: "999+" says enough, and stays cheap however long the list grows.
COUNT_LIMIT = 999

UNREAD = frozenset({CaseState.WAITING, CaseState.READING})
OPEN = UNREAD | {CaseState.SIGNING, CaseState.AWAITING_REVIEW}
DONE = frozenset(CaseState) - OPEN

ListKey = tuple[Priority, datetime, datetime, int]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSITION = re.compile(r"([0-9])\.([0-9]{18})\.([0-9]{18})\.([0-9]{19})", re.ASCII)
_LARGEST_ID = (1 << 63) - 1


def views_of(case: Case, user_id: int, now: datetime) -> frozenset[View]:
    """The views of this reader in which the case stands now."""
    late = case.state in OPEN and case.deadline < now
    return standing_views(case, user_id) | ({View.OVERDUE} if late else set())


def standing_views(case: Case, user_id: int) -> frozenset[View]:
    """Without the one that the mere passing of time brings a case into."""
    found = set()
    if case.state in OPEN:
        found.add(View.ALL)
    if case.state in UNREAD:
        found.add(View.WAITING)
        if case.claimed_by == user_id:
            found.add(View.MINE)
        if case.returned_at is not None:
            found.add(View.RETURNED)
    if case.state is CaseState.AWAITING_REVIEW:
        found.add(View.REVIEW)
    # Until it is closed, whatever became of the report.
    if case.critical_tier is not None:
        found.add(View.CRITICAL)
    if case.state in DONE:
        found.add(View.DONE)
    return frozenset(found)


def list_key(case: Case) -> ListKey:
    return case.effective_priority, case.deadline, case.arrived_at, case.id


def position(key: ListKey) -> str:
    """The key as text that sorts as the key does: a page of rows continues after it, and a screen that is told
    of one row knows where it goes."""
    priority, deadline, arrived_at, case_id = key
    return f"{int(priority)}.{_microseconds(deadline):018}.{_microseconds(arrived_at):018}.{case_id:019}"


def parse_position(text: str) -> ListKey:
    found = _POSITION.fullmatch(text)
    if found is None:
        raise InvalidInput("error.bad_cursor", field="cursor")
    try:
        priority, deadline, arrived_at, case_id = (int(part) for part in found.groups())
        if case_id > _LARGEST_ID:
            raise ValueError(case_id)
        return Priority(priority), _instant(deadline), _instant(arrived_at), case_id
    except (ValueError, OverflowError) as fault:
        raise InvalidInput("error.bad_cursor", field="cursor") from fault


def parse_id(text: str) -> int:
    """The cursor of what is listed by its number, the newest first."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or int(text) > _LARGEST_ID:
        raise InvalidInput("error.bad_cursor", field="cursor")
    return int(text)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
