"""The reading task: one case stands in one list until its report is final."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from telemed.domain.critical import Tier
from telemed.domain.errors import Conflict
from telemed.domain.order import Priority

CLAIM_LEASE = timedelta(minutes=15)
CRITICAL = "critical"
"""Why a case was raised, where a doctor raised a critical value."""


class CaseState(StrEnum):
    WAITING = "waiting"
    READING = "reading"
    AWAITING_REVIEW = "awaiting_review"
    # Signed, and for some seconds not yet applied: nobody reads it, and nobody has it.
    SIGNING = "signing"
    FINAL = "final"
    REPEAT_REQUESTED = "repeat_requested"
    # Its recordings turned out to be somebody else's; what was written stays readable, and holds no longer.
    CLOSED = "closed"


READABLE = frozenset({CaseState.WAITING, CaseState.READING, CaseState.AWAITING_REVIEW})
"""Somebody will read it: it stands in a list, and its last word is not given."""


class AiState(StrEnum):
    """What the reader is told about the machine's part; AI never holds a case back."""

    PENDING = "pending"
    DONE = "done"
    OUT_OF_DOMAIN = "out_of_domain"
    NO_MODEL = "no_model"
    OFF = "off"
    FAILED = "failed"


@dataclass(eq=False, kw_only=True)
class Case:
    uid: str
    # The institution that asked, and the one that reads: every case has both.
    institution_id: int
    consortium_id: int
    reporting_institution_id: int | None
    reading_group_id: int | None
    study_id: int
    procedure_id: int
    patient_id: int
    modality: str
    priority: Priority
    effective_priority: Priority
    deadline: datetime
    arrived_at: datetime
    raised_because: str = ""
    state: CaseState = CaseState.WAITING
    ai_state: AiState = AiState.PENDING
    # The study's generation the reader was last shown; a later one means objects came after.
    generation: int = 1
    claimed_by: int | None = None
    lease_until: datetime | None = None
    repeat_reason: str = ""
    # Empty unless it waits to be made again; with the place in the picture, where one was marked.
    repeat_code: str = ""
    repeat_mark: dict[str, Any] | None = None
    repeat_asked_at: datetime | None = None
    repeat_asked_by: int | None = None
    # The study that came after it and is, or may be, what was asked for.
    repeat_answer_id: int | None = None
    # Until then the site is asked for it. By nobody, where the answer was certain.
    repeat_closed_at: datetime | None = None
    repeat_closed_by: int | None = None
    repeat_closed_because: str = ""
    follows_case_id: int | None = None
    # Sent back by the reviewing doctor, until it is signed again.
    returned_at: datetime | None = None
    # The most urgent of its critical values that are not closed.
    critical_tier: Tier | None = None
    # Somebody else would like to go on with it; its holder sees who.
    asked_by: int | None = None
    id: int = field(init=False)
    version: int = field(init=False)

    @property
    def is_emergency(self) -> bool:
        return self.effective_priority is Priority.STAT or self.critical_tier is not None

    def held_by_other(self, user_id: int, now: datetime) -> bool:
        return (
            self.claimed_by is not None
            and self.claimed_by != user_id
            and self.lease_until is not None
            and self.lease_until > now
        )

    def claim(self, user_id: int, now: datetime) -> None:
        """Takes the case, or renews the own lease; another's live lease is a conflict."""
        if self.state is CaseState.FINAL:
            raise Conflict("error.case_is_final")
        if self.state is CaseState.SIGNING:
            raise Conflict("error.case_is_signed")
        if self.state is CaseState.REPEAT_REQUESTED:
            raise Conflict("error.case_waits_for_repeat")
        if self.state is CaseState.CLOSED:
            raise Conflict("error.case_is_closed")
        if self.held_by_other(user_id, now):
            raise Conflict("error.case_is_claimed")
        if self.claimed_by != user_id:
            self.asked_by = None
        self.claimed_by = user_id
        self.lease_until = now + CLAIM_LEASE
        if self.state is CaseState.WAITING:
            self.state = CaseState.READING

    def ask(self, user_id: int, now: datetime) -> bool:
        """True if nobody, or somebody else, was asking before."""
        if not self.held_by_other(user_id, now):
            raise Conflict("error.case_is_free")
        before, self.asked_by = self.asked_by, user_id
        return before != user_id

    def take_over(self, user_id: int, now: datetime) -> int:
        """Out of another's hands. Returns whose."""
        holder = self.claimed_by
        if holder is None or not self.held_by_other(user_id, now):
            raise Conflict("error.case_is_free")
        self.claimed_by, self.lease_until, self.asked_by = None, None, None
        self.claim(user_id, now)
        return holder

    def demand_held_by(self, user_id: int, now: datetime) -> None:
        """Writing needs the own live lease: it is what keeps two doctors off one report."""
        if self.claimed_by != user_id or self.lease_until is None or self.lease_until <= now:
            raise Conflict("error.case_not_claimed_by_you")

    def release(self) -> None:
        self.claimed_by = None
        self.lease_until = None
        self.asked_by = None
        if self.state is CaseState.READING:
            self.state = CaseState.WAITING

    def raise_to(self, priority: Priority, because: str) -> bool:
        """Moves the case up, never down. True if it moved."""
        if priority >= self.effective_priority:
            return False
        self.effective_priority = priority
        # An order that comes later gives no reason of its own: what was found before it stays said.
        self.raised_because = because or self.raised_because
        return True

    def correct(self, *, patient_id: int, procedure_id: int, priority: Priority, deadline: datetime) -> None:
        """The same recordings, another person's: read again, under that person's order.

        An urgency that came from the other person's order does not stay. What machines found is found again by
        whoever calls this: what stands here does not tell it from the order's.
        """
        self.patient_id, self.procedure_id, self.priority = patient_id, procedure_id, priority
        self.stand_as_ordered(priority)
        self.move_deadline(deadline)
        self.take_back()

    def stand_as_ordered(self, priority: Priority) -> None:
        """As urgent as its order says, before anything else is said of what it shows now; a doctor's word stays."""
        if self.raised_because == CRITICAL:
            self.effective_priority = min(priority, self.effective_priority)
        else:
            self.effective_priority, self.raised_because = priority, ""

    def take_back(self) -> None:
        """Nobody's any more: whoever held it has to look again."""
        self.claimed_by = self.lease_until = None
        if self.state in (CaseState.READING, CaseState.AWAITING_REVIEW):
            self.state = CaseState.WAITING

    def close(self) -> None:
        self.claimed_by = self.lease_until = None
        self.state = CaseState.CLOSED

    @property
    def repeat_is_open(self) -> bool:
        return self.state is CaseState.REPEAT_REQUESTED and self.repeat_closed_at is None

    def answer_repeat(self, study_id: int, now: datetime, *, certain: bool) -> None:
        """A recording came that may be the one asked for; only a certain one settles it without a person."""
        self.repeat_answer_id = study_id
        if certain:
            self.repeat_closed_at = now

    def close_repeat(self, user_id: int, because: str, now: datetime) -> None:
        self.repeat_closed_at, self.repeat_closed_by, self.repeat_closed_because = now, user_id, because

    def reopen_repeat(self) -> None:
        """What had answered it turned out to be another recording, or another person's."""
        self.repeat_answer_id = self.repeat_closed_at = self.repeat_closed_by = None
        self.repeat_closed_because = ""

    def mark_critical(self, tier: Tier | None) -> bool:
        """Follows the open critical values. A raised one moves the case up; closing it moves nothing down."""
        self.critical_tier = tier
        if tier is None:
            return False
        urgent = Priority.STAT if tier is Tier.CRITICAL else Priority.URGENT
        return self.raise_to(urgent, CRITICAL)

    def move_deadline(self, deadline: datetime) -> None:
        """A deadline never moves later."""
        self.deadline = min(self.deadline, deadline)
