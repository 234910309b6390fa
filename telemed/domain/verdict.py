"""What a reader says of one finding of a model: the floor of every figure about the machine's use."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    # Taken back: nothing is said of it.
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class FindingVerdict:
    """`analysis` is the answer's identifier, `finding` the name or code of a finding or statement in it."""

    analysis: str
    finding: str
    verdict: Verdict
    by: int | None
    at: datetime


def findings_of(answer: dict[str, Any]) -> frozenset[str]:
    """Names and codes in a stored answer that a reader can judge."""
    findings = {str(one["name"]) for one in answer.get("findings") or ()}
    return frozenset(findings | {str(one["code"]) for one in answer.get("statements") or ()})
