"""What machines found moves a case up, never down: said anew from their answers, never from what it once was."""

from collections.abc import Iterable, Mapping
from typing import Any

from telemed.application.ports import UnitOfWork
from telemed.application.proposals import raises
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.events import Kind
from telemed.domain.triage import raised_priority

Answers = Iterable[tuple[str, Mapping[str, Any]]]
"""SOP instance UID, and the answer as JSON."""


def raise_by(world: World, uow: UnitOfWork, case: Case, answers: Answers) -> None:
    """By the consortium's rules; a case that nobody reads any more is left as it is."""
    if case.state in (CaseState.FINAL, CaseState.CLOSED):
        return
    found = [(sop, answer) for sop, answer in answers if answer.get("in_domain")]
    flagged = [one["name"] for _, answer in found for one in answer.get("findings") or () if one.get("flag")]
    rules = uow.rules.triage(case.consortium_id)
    named = flagged + raises(uow, case, found)
    priority, because = raised_priority(case.effective_priority, case.modality, named, rules)
    if case.raise_to(priority, because):
        record(world, uow, Kind.CASE_RAISED, case=case, priority=int(priority), because=because)


def raise_by_stored(world: World, uow: UnitOfWork, case: Case, *, of: Case | None = None) -> None:
    """By the answers that the case, or the one before it, has."""
    uow.flush()
    stored = uow.analyses.of_case((of or case).id)
    raise_by(world, uow, case, [(row.sop_instance_uid, row.answer) for row in stored])
