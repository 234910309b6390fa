"""Critical values (危急值): the list as rows, the second check, the ten-minute clock, the call card, the ladder.

Two tiers: *critical* is told by telephone with a read-back, under a clock; *warning* (预警) goes to a priority
inbox. Lists, minutes and ladders differ by province and hospital: they are rows, never constants here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from telemed.domain.errors import Conflict, InvalidInput
from telemed.domain.people import Role


class Tier(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"


class CriticalState(StrEnum):
    AWAITING_CHECK = "awaiting_check"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    ACTED = "acted"
    CLOSED = "closed"
    # Taken back before anyone outside the reading room was told.
    WITHDRAWN = "withdrawn"


class Check(StrEnum):
    """How the second look came about."""

    ANOTHER_DOCTOR = "another_doctor"
    SAME_DOCTOR_AT_NIGHT = "same_doctor_at_night"
    NOT_REQUIRED = "not_required"


class How(StrEnum):
    PHONE = "phone"
    SCREEN = "screen"


class ActionKind(StrEnum):
    CALLED_RESIDENT = "called_resident"
    CALLED_120 = "called_120"
    REFERRED = "referred"
    OTHER = "other"


class Milestone(StrEnum):
    """What a step of the ladder waits for; once it is reached, the step has nothing to say."""

    ACKNOWLEDGED = "acknowledged"
    ACTED = "acted"


_ORDER = (
    CriticalState.AWAITING_CHECK,
    CriticalState.RELEASED,
    CriticalState.ACKNOWLEDGED,
    CriticalState.ACTED,
    CriticalState.CLOSED,
)


@dataclass(eq=False, kw_only=True)
class CriticalRule:
    """One line of a consortium's list, or of one reading centre's. A changed line is a new edition: what was raised
    keeps its own."""

    uid: str
    consortium_id: int
    code: str
    edition: int
    modality: str
    tier: Tier
    text_zh: str
    text_en: str
    created_at: datetime
    # Findings of models that stand for this line, and measurements with {"at_least": x} or {"at_most": x}.
    findings: list[str] = field(default_factory=list)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    # A centre's own line stands in the place of the consortium's of the same code.
    institution_id: int | None = None
    # Set when a later edition took its place, or the line was taken off the list.
    ended_at: datetime | None = None
    id: int = field(init=False)

    def proposed_by(self, flags: Collection[str], measurements: Mapping[str, Any]) -> bool:
        """Whether a machine's answer meets everything this line names. A doctor decides all the same."""
        if not self.findings and not self.limits:
            return False
        if self.findings and not any(name in flags for name in self.findings):
            return False
        return all(_within(measurements.get(name), limit) for name, limit in self.limits.items())


def _within(value: Any, limit: Mapping[str, float]) -> bool:
    if not isinstance(value, int | float):
        return False
    return limit.get("at_least", value) <= value <= limit.get("at_most", value)


@dataclass(eq=False, kw_only=True)
class CriticalPolicy:
    """How one consortium, or one reading institution of it, handles the clock and the second check."""

    uid: str
    consortium_id: int
    institution_id: int | None = None
    tell_minutes: int = 10
    # At night one doctor may look twice, where no second one is in the house.
    same_doctor_at_night: bool = False
    night_from: str = "22:00"
    night_to: str = "06:00"
    id: int = field(init=False)

    def is_night(self, instant: datetime, zone: str) -> bool:
        clock = instant.astimezone(ZoneInfo(zone)).time()
        start, end = time.fromisoformat(self.night_from), time.fromisoformat(self.night_to)
        return start <= clock < end if start <= end else clock >= start or clock < end


@dataclass(eq=False, kw_only=True)
class EscalationStep:
    """Who is told besides, so many minutes after the raise, while `waits_for` is not reached."""

    uid: str
    consortium_id: int
    rank: int
    code: str
    minutes: int
    tier: Tier = Tier.CRITICAL
    waits_for: Milestone = Milestone.ACKNOWLEDGED
    # A person; or everyone of a role, at an institution (none named: the one that asked).
    user_id: int | None = None
    role: Role | None = None
    institution_id: int | None = None
    # Told even while the second check is missing: for those who can see to the check itself.
    before_check: bool = False
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class CriticalAlert:
    """One recipient of one critical value; no report is needed for it."""

    uid: str
    critical_value_id: int
    consortium_id: int
    institution_id: int
    user_id: int | None
    role: Role | None
    recipient_key: str
    # Empty for the first recipients; else the code of the ladder's step.
    step: str
    before_check: bool
    created_at: datetime
    # Told to the family doctor of a resident who turned out to be somebody else.
    taken_back_at: datetime | None = None
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class CriticalAction:
    uid: str
    critical_value_id: int
    kind: ActionKind
    note: str
    taken_by: int
    taken_at: datetime
    id: int = field(init=False)


@dataclass(frozen=True, kw_only=True)
class ReadBack:
    """What the call (or the receiver at the screen) adds to the card."""

    received_by: str
    received_at: datetime
    how: How
    words: str


@dataclass(eq=False, kw_only=True)
class CriticalValue:
    uid: str
    case_id: int
    # The institution that asked; it hears of it always.
    institution_id: int
    consortium_id: int
    reporting_institution_id: int | None
    rule_id: int
    code: str
    tier: Tier
    finding_zh: str
    finding_en: str
    note: str
    raised_by: int
    raised_at: datetime
    # The end of the clock, which runs from the raise and does not wait for the second check.
    due_at: datetime | None
    proposed_by_ai: bool = False
    state: CriticalState = CriticalState.AWAITING_CHECK
    checked_by: int | None = None
    checked_at: datetime | None = None
    check_kind: Check | None = None
    released_at: datetime | None = None
    # Of the six fields, finding, found at and by whom stand above; these are the other three.
    received_by: str = ""
    received_at: datetime | None = None
    how: How | None = None
    read_back: str = ""
    acknowledged_by: int | None = None
    acknowledged_at: datetime | None = None
    acted_at: datetime | None = None
    closed_by: int | None = None
    # Also set by a withdrawal: one value per case and line is open at a time.
    closed_at: datetime | None = None
    closing_note: str = ""
    # The rank of the last step of the ladder that was taken.
    escalated: int = 0
    id: int = field(init=False)
    version: int = field(init=False)

    def demand_open(self) -> None:
        if self.closed_at is not None:
            raise Conflict("error.critical_closed")

    def check_kind_for(self, user_id: int, policy: CriticalPolicy, now: datetime, zone: str) -> Check:
        """How this doctor's confirmation counts; raises where it does not."""
        if user_id != self.raised_by:
            return Check.ANOTHER_DOCTOR
        if policy.same_doctor_at_night and policy.is_night(now, zone):
            return Check.SAME_DOCTOR_AT_NIGHT
        raise Conflict("error.critical_needs_another_doctor")

    def release(
        self, user_id: int | None, kind: Check, now: datetime, *, checked_at: datetime | None = None
    ) -> None:
        """`checked_at`: when the second look was, if it was not now."""
        self.demand_open()
        if self.state is not CriticalState.AWAITING_CHECK:
            raise Conflict("error.critical_already_checked")
        self.state, self.released_at = CriticalState.RELEASED, now
        self.check_kind = kind
        if user_id is not None:
            self.checked_by, self.checked_at = user_id, checked_at or now

    def withdraw(self, user_id: int, reason: str, now: datetime) -> None:
        self.demand_open()
        if self.state is not CriticalState.AWAITING_CHECK:
            raise Conflict("error.critical_already_told")
        if not reason.strip():
            raise InvalidInput("error.comment_required", field="reason")
        self.state = CriticalState.WITHDRAWN
        self.closed_by, self.closed_at, self.closing_note = user_id, now, reason.strip()

    def retract(self, user_id: int, reason: str, now: datetime) -> None:
        """The recording is another person's: told or not, done with or not, it is no longer said of this one.

        Of one that was done with stays on the card who closed it and when; who took it back is in the trail.
        """
        if self.closed_at is None:
            self.closed_by, self.closed_at, self.closing_note = user_id, now, reason
        self.state = CriticalState.WITHDRAWN

    def acknowledge(self, user_id: int, read_back: ReadBack, now: datetime) -> None:
        """Completes the card. Critical ones need the receiver's own words; a warning needs the receiver alone."""
        self.demand_open()
        if self.state is CriticalState.AWAITING_CHECK:
            raise Conflict("error.critical_not_checked")
        if self.acknowledged_at is not None:
            raise Conflict("error.critical_already_acknowledged")
        if not read_back.received_by.strip():
            raise InvalidInput("error.critical_receiver_required", field="received_by")
        if self.tier is Tier.CRITICAL and not read_back.words.strip():
            raise InvalidInput("error.critical_read_back_required", field="read_back")
        if not self.raised_at <= read_back.received_at <= now:
            raise InvalidInput("error.critical_received_at", field="received_at")
        self.received_by, self.received_at = read_back.received_by.strip(), read_back.received_at
        self.how, self.read_back = read_back.how, read_back.words.strip()
        self.acknowledged_by, self.acknowledged_at = user_id, now
        self.state = CriticalState.ACKNOWLEDGED

    def act(self, now: datetime) -> None:
        self.demand_open()
        if self.acknowledged_at is None:
            raise Conflict("error.critical_not_acknowledged")
        if self.acted_at is None:
            self.state, self.acted_at = CriticalState.ACTED, now

    def close(self, user_id: int, note: str, now: datetime) -> None:
        self.demand_open()
        if self.acted_at is None:
            raise Conflict("error.critical_not_acted")
        self.state = CriticalState.CLOSED
        self.closed_by, self.closed_at, self.closing_note = user_id, now, note.strip()

    def reached(self, milestone: Milestone) -> bool:
        """True also for what is over: nobody is woken for it any more."""
        if self.closed_at is not None:
            return True
        return _ORDER.index(self.state) >= _ORDER.index(CriticalState(milestone.value))


def recipient_key(step: EscalationStep, institution_id: int) -> str:
    if step.user_id is not None:
        return f"user:{step.user_id}"
    return f"role:{step.role.value if step.role else 'any'}@{institution_id}"


def due_steps(
    value: CriticalValue, steps: Sequence[EscalationStep], now: datetime
) -> tuple[list[EscalationStep], datetime | None]:
    """The steps to take now, in their order, and when the next one may come due.

    However late this is asked (a worker was down), every step whose time has passed is among them.
    """
    ladder = sorted((step for step in steps if step.tier is value.tier), key=lambda s: (s.minutes, s.rank))
    # Climbed by minutes, whatever the ranks: after the step that was taken last. Of a ladder that no longer has it
    # every step counts: to be told twice is nothing, not to be told at all is.
    last = next((at for at, step in enumerate(ladder, start=1) if step.rank == value.escalated), 0)
    open_ = [step for step in ladder[last:] if not value.reached(step.waits_for)]
    due = [step for step in open_ if value.raised_at + timedelta(minutes=step.minutes) <= now]
    later = [value.raised_at + timedelta(minutes=step.minutes) for step in open_ if step not in due]
    return due, min(later, default=None)


def lines_for(rules: Sequence[CriticalRule], institution_id: int | None) -> list[CriticalRule]:
    """The list of one reading centre: its own lines, and of the consortium's those it has none of its own for."""
    own = {
        rule.code for rule in rules if institution_id is not None and rule.institution_id == institution_id
    }
    return [
        rule
        for rule in rules
        if (rule.institution_id == institution_id if rule.code in own else rule.institution_id is None)
    ]


def rank_for(steps: Sequence[EscalationStep], minutes: int) -> int:
    """Where a new step stands: after all that come due no later. Those behind it move up by one.

    A value that climbed past a place takes the step there again rather than none: whoever was told is told once.
    """
    return 1 + max((step.rank for step in steps if step.minutes <= minutes), default=0)


def policy_for(policies: Sequence[CriticalPolicy], institution_id: int | None) -> CriticalPolicy | None:
    """The reading institution's own row before the consortium's."""
    own = [p for p in policies if p.institution_id is not None and p.institution_id == institution_id]
    common = [p for p in policies if p.institution_id is None]
    return next(iter([*own, *common]), None)
