"""Something a person has to look at: every fault that the software cannot settle ends as one of these."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False, kw_only=True)
class Notice:
    uid: str
    institution_id: int
    consortium_id: int
    code: str  # catalogue key "notice...."
    # One notice per cause: raising it again changes nothing.
    cause_key: str
    created_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)
    study_id: int | None = None
    case_id: int | None = None
    object_id: int | None = None
    # Told to one person; None where it is for whoever can act at the institution.
    user_id: int | None = None
    resolved_at: datetime | None = None
    resolved_by: int | None = None
    id: int = field(init=False)
