"""Who reads a study, and until when: a pure function of the study, rules (rows) and the roster."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from telemed.domain.order import Priority


@dataclass(eq=False, kw_only=True)
class ReadingGroup:
    uid: str
    institution_id: int
    consortium_id: int
    code: str
    name: str
    id: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class RoutingRule:
    """The first rule that fits, by rank. An empty field fits everything."""

    uid: str
    consortium_id: int
    rank: int
    reading_group_id: int
    # Used while nobody of the reading group is on duty.
    fallback_group_id: int | None = None
    modality: str = ""
    institution_id: int | None = None
    priority: Priority | None = None
    limit_minutes: int
    active: bool = True
    id: int = field(init=False)
    version: int = field(init=False)


@dataclass(eq=False, kw_only=True)
class Duty:
    """Somebody reads for a group; without an end it is a standing duty."""

    reading_group_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime | None
    id: int = field(init=False)

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant and (self.ends_at is None or instant < self.ends_at)


@dataclass(frozen=True, kw_only=True)
class Routable:
    institution_id: int
    modality: str
    priority: Priority
    arrived_at: datetime


@dataclass(frozen=True, kw_only=True)
class Route:
    rule_uid: str
    reading_group_id: int
    deadline: datetime
    on_duty: bool


def route(study: Routable, rules: Sequence[RoutingRule], roster: Sequence[Duty]) -> Route | None:
    """The reading group and the deadline, or None where no rule fits and an administrator must decide.

    A group nobody is on duty for gives way to the rule's fallback; where neither is manned the study still
    waits in the group's list, because a list that somebody opens later is better than no list.
    """
    for rule in sorted((r for r in rules if r.active), key=lambda r: (r.rank, r.id)):
        if not _fits(rule, study):
            continue
        group, manned = rule.reading_group_id, _manned(rule.reading_group_id, roster, study.arrived_at)
        fallback = rule.fallback_group_id
        if not manned and fallback is not None and _manned(fallback, roster, study.arrived_at):
            group, manned = fallback, True
        return Route(
            rule_uid=rule.uid,
            reading_group_id=group,
            deadline=study.arrived_at + timedelta(minutes=rule.limit_minutes),
            on_duty=manned,
        )
    return None


def _fits(rule: RoutingRule, study: Routable) -> bool:
    return (
        rule.modality in ("", study.modality)
        and rule.institution_id in (None, study.institution_id)
        and rule.priority in (None, study.priority)
    )


def _manned(group_id: int, roster: Sequence[Duty], instant: datetime) -> bool:
    return any(duty.reading_group_id == group_id and duty.covers(instant) for duty in roster)
