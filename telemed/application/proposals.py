"""Which lines of a list of critical values the machine's answers meet. It proposes; a doctor raises."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.domain.case import Case
from telemed.domain.critical import CriticalRule, Tier, lines_for

PROPOSED = "critical.proposed"
"""What a triage rule may name, to have a case raised when a line of the first tier is proposed."""


def rules_of(uow: UnitOfWork, case: Case) -> list[CriticalRule]:
    """The lines in force at the centre that reads the case, for its modality."""
    rules = lines_for(uow.critical.rules(case.consortium_id), case.reporting_institution_id)
    return [rule for rule in rules if rule.modality in ("", case.modality)]


def proposed(
    rules: Sequence[CriticalRule], answers: Iterable[tuple[str, Mapping[str, Any]]]
) -> frozenset[str]:
    """Codes of the lines met by the answers (SOP instance UID, answer as JSON) about one recording or another.

    A line may need a finding of one model and a measurement of another; both must be of the same recording.
    Flagged findings and statements count as findings, by their name and their code.
    """
    flags: dict[str, set[str]] = {}
    measured: dict[str, dict[str, Any]] = {}
    believed = [(place, answer) for place, answer in answers if answer.get("in_domain")]
    # Where several models give one measurement, that of the one which measured most counts: a network that only needs
    # the beats counts them as well as it can, and takes a tall T wave for one.
    for place, answer in sorted(believed, key=lambda one: len(one[1].get("measurements") or ())):
        names = flags.setdefault(place, set())
        names |= {finding["name"] for finding in answer.get("findings") or () if finding.get("flag")}
        names |= {statement["code"] for statement in answer.get("statements") or ()}
        measured.setdefault(place, {}).update(answer.get("measurements") or {})
    return frozenset(
        rule.code
        for place, names in flags.items()
        for rule in rules
        if rule.proposed_by(names, measured[place])
    )


def raises(uow: UnitOfWork, case: Case, answers: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """`PROPOSED` where a line of the first tier is met."""
    rules = [rule for rule in rules_of(uow, case) if rule.tier is Tier.CRITICAL]
    return [PROPOSED] if rules and proposed(rules, answers) else []
