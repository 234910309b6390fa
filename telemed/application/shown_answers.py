"""The answers of a case that carry something to be drawn: fetched when it is drawn, never with the case."""

from telemed.application.ports import UnitOfWork
from telemed.domain.case import Case, CaseState
from telemed.domain.inference import AnalysisRecord


def shown_answers(uow: UnitOfWork, case: Case, field: str) -> list[AnalysisRecord]:
    """Those that have `field`, in their order. None of a closed case: its recordings are another person's."""
    if case.state is CaseState.CLOSED:
        return []
    return [row for row in uow.analyses.of_case(case.id) if row.answer.get(field)]
