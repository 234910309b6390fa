"""A case as the list shows it: with its person, its order, what the machine said and what there was before."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, aliased

from telemed.adapters.db import tables as t
from telemed.adapters.db.scope import visible_cases
from telemed.application.ports.worklist import WorklistRow
from telemed.domain.access import Actor
from telemed.domain.case import Case, CaseState
from telemed.domain.order import Order
from telemed.domain.people import Institution
from telemed.domain.resident import Patient
from telemed.domain.study import Study

_C = t.reading_case.c
# Nobody compares more; who was examined more often than that is told the newest.
_EARLIER = 2000


def worklist_rows(
    session: Session, actor: Actor, *, ids: Sequence[int] = (), uids: Sequence[str] = ()
) -> list[WorklistRow]:
    """In no order: whoever asks by identifiers knows theirs."""
    statement = (_rows_by("uid") if uids else _rows_by("id")).where(visible_cases(actor))
    found = session.execute(statement, {"asked": list(uids or ids)}).all()
    flags = _flags(session, [row.Case.id for row in found])
    earlier = _Earlier(session, actor, [row.Patient for row in found])
    rows = []
    for case, patient, study, order, institution, holder, last4, exam in found:
        priors, prior_at = earlier.than(case)
        rows.append(
            WorklistRow(
                case=case,
                patient=patient,
                study=study,
                order=order,
                institution=institution,
                holder_name=holder or "",
                id_last4=last4 or "",
                flags=flags.get(case.id, ()),
                exam=exam,
                priors=priors,
                prior_at=prior_at,
            )
        )
    return rows


def persons_patients(session: Session, patients: Sequence[Patient]) -> dict[int, int]:
    """All local identities of these persons: of each the number of its person (negative: known nowhere else)."""
    persons = {patient.id: patient.resident_id or -patient.id for patient in patients}
    residents = {patient.resident_id for patient in patients} - {None}
    if residents:
        statement = select(t.patient.c.id, t.patient.c.resident_id).where(
            t.patient.c.resident_id.in_(residents)
        )
        persons.update({row.id: row.resident_id for row in session.execute(statement)})
    return persons


@cache
def _rows_by(column: str) -> Select[Any]:
    holder = aliased(t.user_account)
    return (
        select(
            Case,
            Patient,
            Study,
            Order,
            Institution,
            holder.c.display_name,
            t.resident.c.id_card_last4,
            t.procedure.c.description,
        )
        .join(t.patient, t.patient.c.id == _C.patient_id)
        .join(t.study, t.study.c.id == _C.study_id)
        .join(t.procedure, t.procedure.c.id == _C.procedure_id)
        .join(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
        .join(t.institution, t.institution.c.id == _C.institution_id)
        .outerjoin(holder, holder.c.id == _C.claimed_by)
        .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
        .where(_C[column].in_(bindparam("asked", expanding=True)))
    )


def _flags(session: Session, case_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    if not case_ids:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    statement = (
        select(t.analysis.c.case_id, t.analysis.c.answer)
        .where(t.analysis.c.case_id.in_(case_ids))
        .order_by(t.analysis.c.id)
    )
    for case_id, answer in session.execute(statement):
        names = [f["name"] for f in answer.get("findings", []) if f.get("flag")]
        found[case_id] = tuple(dict.fromkeys([*found.get(case_id, ()), *names]))
    return found


class _Earlier:
    """What the persons of a page were examined for before, as far as this reader may see it."""

    def __init__(self, session: Session, actor: Actor, patients: Sequence[Patient]) -> None:
        self._persons = persons_patients(session, patients)
        self._found: dict[tuple[int, str], list[tuple[datetime, int]]] = {}
        if not self._persons:
            return
        statement = (
            select(_C.patient_id, _C.modality, _C.arrived_at, _C.id)
            .where(_C.patient_id.in_(self._persons), _C.state != CaseState.CLOSED, visible_cases(actor))
            .limit(_EARLIER)
        )
        for patient_id, modality, arrived_at, case_id in session.execute(statement):
            key = (self._persons[patient_id], modality)
            self._found.setdefault(key, []).append((arrived_at, case_id))

    def than(self, case: Case) -> tuple[int, datetime | None]:
        same = self._found.get((self._persons[case.patient_id], case.modality), [])
        before = [arrived for arrived, case_id in same if (arrived, case_id) < (case.arrived_at, case.id)]
        return len(before), max(before, default=None)
