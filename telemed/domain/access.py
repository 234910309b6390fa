"""Who may do what, and whose data they see. The only place where this is decided.

Two questions: may this role do this at all (`may`), and within which rows (`case_scope`). Adapters turn a
scope into the statement itself, so that a row outside it is never fetched.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telemed.domain.errors import Forbidden
from telemed.domain.people import Role


class Action(StrEnum):
    SEE_SELF = "see_self"
    ORDER = "order"
    UPLOAD = "upload"
    SEE_EXAMS = "see_exams"
    SEE_CASE = "see_case"
    SEE_WORKLIST = "see_worklist"
    WRITE_REPORT = "write_report"
    REVIEW_REPORT = "review_report"
    SEE_INBOX = "see_inbox"
    SEE_CRITICAL = "see_critical"
    # Receive, act and close: a person's doing, never a program's.
    ANSWER_CRITICAL = "answer_critical"
    # Whose recording it is: decided by a person where it was made, never by a program.
    CORRECT = "correct"
    # To be made again, or why not: decided by a person where the patient is, never by a program.
    SETTLE_REPEAT = "settle_repeat"
    ADMINISTER = "administer"


class Scope(StrEnum):
    """Which cases (and the studies, pictures and reports behind them) someone sees."""

    APPLIED_BY_OWN_INSTITUTION = "applied_by_own_institution"
    READ_BY_OWN_INSTITUTION = "read_by_own_institution"
    DELIVERED_TO_ME = "delivered_to_me"
    NOTHING = "nothing"


_CRITICAL = {Action.SEE_CRITICAL, Action.ANSWER_CRITICAL}
_READER = {Action.SEE_SELF, Action.SEE_CASE, Action.SEE_WORKLIST, Action.WRITE_REPORT, *_CRITICAL}

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.TECHNICIAN: frozenset(
        {
            Action.SEE_SELF,
            Action.ORDER,
            Action.UPLOAD,
            Action.SEE_EXAMS,
            Action.SEE_CASE,
            Action.SEE_INBOX,
            Action.CORRECT,
            Action.SETTLE_REPEAT,
            *_CRITICAL,
        }
    ),
    Role.REPORTING_DOCTOR: frozenset(_READER),
    Role.REVIEWING_DOCTOR: frozenset({*_READER, Action.REVIEW_REPORT}),
    Role.FAMILY_DOCTOR: frozenset({Action.SEE_SELF, Action.SEE_CASE, Action.SEE_INBOX, *_CRITICAL}),
    Role.ADMINISTRATOR: frozenset({Action.SEE_SELF, Action.ADMINISTER}),
    Role.SYSTEM: frozenset(
        {
            Action.SEE_SELF,
            Action.ORDER,
            Action.UPLOAD,
            Action.SEE_EXAMS,
            Action.SEE_CASE,
            Action.SEE_INBOX,
            Action.SEE_CRITICAL,
        }
    ),
}

_SCOPES: dict[Role, Scope] = {
    Role.TECHNICIAN: Scope.APPLIED_BY_OWN_INSTITUTION,
    Role.SYSTEM: Scope.APPLIED_BY_OWN_INSTITUTION,
    Role.REPORTING_DOCTOR: Scope.READ_BY_OWN_INSTITUTION,
    Role.REVIEWING_DOCTOR: Scope.READ_BY_OWN_INSTITUTION,
    Role.FAMILY_DOCTOR: Scope.DELIVERED_TO_ME,
    # An administrator keeps the house and reads no patient's data.
    Role.ADMINISTRATOR: Scope.NOTHING,
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person (or system) on whose behalf something happens."""

    user_id: int
    user_uid: str
    username: str
    display_name: str
    role: Role
    institution_id: int
    consortium_id: int
    license_number: str
    language: str
    authenticated_at: datetime
    # Other institutions for whose reading groups this person is on duty now.
    reads_for: tuple[int, ...] = ()

    def reads_at(self, institution_id: int | None) -> bool:
        """Among the readers of that institution, by belonging to it or by being on duty for it."""
        return institution_id is not None and institution_id in (self.institution_id, *self.reads_for)


def may(role: Role, action: Action) -> bool:
    return action in ALLOWED[role]


def demand(actor: Actor, action: Action) -> None:
    if not may(actor.role, action):
        raise Forbidden("error.forbidden", role=actor.role.value)


def case_scope(role: Role) -> Scope:
    return _SCOPES[role]
