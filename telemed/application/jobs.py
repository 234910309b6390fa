"""The table is the queue: what must still happen is a row, written in the transaction that made it necessary.

A dead broker or a killed worker delays work and never loses it; the broker only wakes somebody up.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

LEASE = timedelta(seconds=120)
LAST_ATTEMPT = 8


class JobKind(StrEnum):
    PLACE_OBJECT = "place_object"
    COMPLETE_STUDY = "complete_study"
    INFER_CASE = "infer_case"
    REINFER_CASE = "reinfer_case"
    FILE_MADE = "file_made"
    PREPARE_PICTURES = "prepare_pictures"
    APPLY_SIGNATURE = "apply_signature"
    DELIVER_REPORT = "deliver_report"
    ESCALATE_CRITICAL = "escalate_critical"
    REPORT_COMMITMENT = "report_commitment"
    FORWARD_OBJECTS = "forward_objects"


class JobState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    # After the last attempt: a notice tells an administrator, who can set it pending again.
    FAILED = "failed"


# Smaller runs first: what a reader waits for goes before moving bytes about.
RANK = {
    JobKind.ESCALATE_CRITICAL: 0,
    JobKind.COMPLETE_STUDY: 0,
    JobKind.APPLY_SIGNATURE: 1,
    JobKind.DELIVER_REPORT: 1,
    JobKind.INFER_CASE: 2,
    JobKind.PREPARE_PICTURES: 3,
    JobKind.REPORT_COMMITMENT: 4,
    JobKind.PLACE_OBJECT: 5,
    JobKind.FORWARD_OBJECTS: 6,
    JobKind.FILE_MADE: 7,
    # Reading an archive again with a new model waits for everything else.
    JobKind.REINFER_CASE: 9,
}


@dataclass(eq=False, kw_only=True)
class Job:
    kind: JobKind
    # One open job per kind and subject: asking again moves the due time, and makes no second one.
    subject_id: int
    due_at: datetime
    rank: int
    created_at: datetime
    state: JobState = JobState.PENDING
    attempts: int = 0
    lease_until: datetime | None = None
    lease_token: str = ""
    last_error: str = ""
    done_at: datetime | None = None
    id: int = field(init=False)


def back_off(attempts: int) -> timedelta:
    """1, 4, 16, 64 ... seconds, at most an hour."""
    return timedelta(seconds=min(4 ** max(attempts - 1, 0), 3600))
