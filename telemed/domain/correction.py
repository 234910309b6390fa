"""Whose recording it is: what a person may decide about a doubtful one, and what is remembered of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from telemed.domain.errors import Conflict, InvalidInput

MAX_REASON = 400


class Decision(StrEnum):
    """What a person answers to a mismatch. Nothing is ever merged without one of these."""

    # Both sides are the same person: what was held back joins the study.
    SAME_PERSON = "same_person"
    # It belongs to somebody else, who is named.
    REASSIGN = "reassign"
    # It stays as it is: kept, and shown as before or to nobody as before.
    LEAVE = "leave"


_ALL = (Decision.SAME_PERSON, Decision.REASSIGN, Decision.LEAVE)
# By the notice that told of the mismatch.
DECISIONS: Mapping[str, tuple[Decision, ...]] = {
    "notice.patient_conflict": _ALL,
    "notice.patient_differs": (Decision.SAME_PERSON, Decision.REASSIGN),
    "notice.patient_id_missing": (Decision.REASSIGN, Decision.LEAVE),
    "notice.order_mismatch": (Decision.SAME_PERSON, Decision.REASSIGN),
    # Two objects of one UID cannot both be shown: the first stays.
    "notice.object_conflict": (Decision.LEAVE, Decision.REASSIGN),
}


def demand_possible(code: str, decision: Decision) -> None:
    if decision not in DECISIONS.get(code, ()):
        raise InvalidInput("error.decision_impossible", field="decision")


@dataclass(eq=False, kw_only=True)
class Reassignment:
    """One correction of identity: who, when, why, from whom to whom. The stored bytes stay as received."""

    uid: str
    institution_id: int
    consortium_id: int
    # Where it was filed, and where it is filed now: the same study unless single recordings moved.
    from_study_id: int
    study_id: int
    # None: the whole study.
    object_id: int | None
    from_patient_id: int
    to_patient_id: int
    # The patient number under which machines go on sending this study; empty where none is to be expected.
    received_as: str
    reason: str
    made_by: int
    made_at: datetime
    id: int = field(init=False)


def accepted_numbers(study_id: int, own: str, made: Iterable[Reassignment]) -> frozenset[str]:
    """The patient numbers that contradict nothing in this study: its person's, and those machines write."""
    written = {one.received_as for one in made if one.from_study_id == study_id and one.study_id == study_id}
    return frozenset({own, *written} - {""})


def written_number(study_id: int, own: str, made: Iterable[Reassignment]) -> str:
    """What machines write into this study: the number it came under, however often it was reassigned since."""
    whole = [one for one in made if one.study_id == study_id and one.object_id is None]
    return whole[0].received_as if whole else own


def checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise InvalidInput("error.comment_required", field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidInput("error.field_too_long", field="reason", limit=MAX_REASON)
    return reason


def demand_as_shown(current: str, shown: str) -> None:
    """Whoever corrects says whose it was on their page: a second correction must not undo the first unseen."""
    if current != shown:
        raise Conflict("error.patient_changed_since_shown")
