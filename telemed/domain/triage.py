"""What an AI finding may do to a case: raise it. There is no way down in this module."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from telemed.domain.order import Priority


@dataclass(eq=False, kw_only=True)
class TriageRule:
    """A flagged finding of this name raises a case to this priority; rows differ by consortium."""

    uid: str
    consortium_id: int
    modality: str
    finding: str
    priority: Priority
    active: bool = True
    id: int = field(init=False)


def raised_priority(
    current: Priority, modality: str, flagged: Iterable[str], rules: Sequence[TriageRule]
) -> tuple[Priority, str]:
    """The more urgent of the current priority and what the rules give, and the finding that raised it."""
    names = set(flagged)
    best, reason = current, ""
    for rule in rules:
        if rule.active and rule.modality == modality and rule.finding in names and rule.priority < best:
            best, reason = rule.priority, rule.finding
    return best, reason
