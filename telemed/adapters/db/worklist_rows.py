"""A case as the list shows it: with its person, its order, what the machine said and what there was before.

A page of fifty is two hundred and fifty rows of five tables that nobody is going to change: of them is read what a
glance needs, as plain values, and what a list only counts (what there was before) is counted by the database.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import accumulate, pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, func, select, tuple_
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from telemed.adapters.db import tables as t
from telemed.adapters.db.among import among
from telemed.adapters.db.instances import columns_of, shown
from telemed.adapters.db.scope import same_sight, visible_cases
from telemed.application.ports.worklist import (
    ListedOrder,
    ListedPatient,
    ListedSite,
    ListedStudy,
    WorklistRow,
)
from telemed.domain.access import Actor
from telemed.domain.case import Case, CaseState
from telemed.domain.resident import Patient

_C = t.reading_case.c
_BEFORE, _SAME = t.reading_case.alias("before"), t.patient.alias("same_person")
# Nobody compares more; who was examined more often than that is told so many.
_MOST_EARLIER = 2000
_FLAGS = (
    select(t.analysis.c.case_id, t.analysis.c.flags)
    .where(among(t.analysis.c.case_id, "cases"))
    .order_by(t.analysis.c.id)
)


def worklist_rows(session: Session, actor: Actor, ids: Sequence[int]) -> list[WorklistRow]:
    """In no order: whoever asks by identifiers knows theirs."""
    found = session.execute(_of_cases(same_sight(actor)), {"asked": ids}).all()
    # The first column of all is the number of the case.
    flags = _flags(session, [row[0] for row in found])
    return [_row(row, flags) for row in found]


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


# What a row holds of everything around its case, and where from.
_AROUND: tuple[tuple[Any, Table], ...] = (
    (ListedPatient, t.patient),
    (ListedStudy, t.study),
    (ListedOrder, t.exam_order),
    (ListedSite, t.institution),
)
_WIDTHS = [len(kind._fields) for kind, _ in _AROUND]


@lru_cache(maxsize=256)
def _of_cases(actor: Actor) -> Select[Any]:
    """Kept, because putting it together takes as long as asking it."""
    return (
        select(
            *columns_of(Case),
            *(table.c[name] for kind, table in _AROUND for name in kind._fields),
            t.user_account.c.display_name.label("holder"),
            t.resident.c.id_card_last4,
            t.procedure.c.description.label("exam"),
            *_earlier(actor),
        )
        .join(t.patient, t.patient.c.id == _C.patient_id)
        .join(t.study, t.study.c.id == _C.study_id)
        .join(t.procedure, t.procedure.c.id == _C.procedure_id)
        .join(t.exam_order, t.exam_order.c.id == t.procedure.c.order_id)
        .join(t.institution, t.institution.c.id == _C.institution_id)
        .outerjoin(t.user_account, t.user_account.c.id == _C.claimed_by)
        .outerjoin(t.resident, t.resident.c.id == t.patient.c.resident_id)
        .where(among(_C.id, "asked"), visible_cases(actor))
    )


@cache
def _places() -> tuple[tuple[str, ...], Sequence[tuple[Any, slice]], slice]:
    """Of the case's columns the names, of what is around it the kinds, and where each of them stands in a row."""
    names = tuple(column.key for column in columns_of(Case))
    ends = [*accumulate(_WIDTHS, initial=len(names))]
    around = [(kind, slice(*ends)) for (kind, _), ends in zip(_AROUND, pairwise(ends), strict=True)]
    return names, around, slice(ends[-1], None)


def _row(row: Row[Any], flags: dict[int, tuple[str, ...]]) -> WorklistRow:
    values = tuple(row)
    names, around, rest = _places()
    found = shown(Case, names, values[: len(names)])
    patient, study, order, institution = (kind._make(values[at]) for kind, at in around)
    holder, last4, exam, priors, prior_at = values[rest]
    return WorklistRow(
        case=found,
        patient=patient,
        study=study,
        order=order,
        institution=institution,
        holder_name=holder or "",
        id_last4=last4 or "",
        flags=flags.get(found.id, ()),
        exam=exam,
        priors=priors,
        prior_at=prior_at,
    )


def _flags(session: Session, case_ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    if not case_ids:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    for case_id, flags in session.execute(_FLAGS, {"cases": case_ids}):
        found[case_id] = tuple(dict.fromkeys([*found.get(case_id, ()), *flags]))
    return found


def _earlier(actor: Actor) -> tuple[ColumnElement[int], ColumnElement[datetime]]:
    """How often the person of a row was examined so before, as far as this reader may see it, and when last."""
    before = (
        select(_BEFORE.c.arrived_at)
        .where(
            _BEFORE.c.modality == _C.modality,
            _BEFORE.c.state != CaseState.CLOSED,
            tuple_(_BEFORE.c.arrived_at, _BEFORE.c.id) < tuple_(_C.arrived_at, _C.id),
            visible_cases(actor, _BEFORE),
        )
        .limit(_MOST_EARLIER)
        .correlate(t.reading_case, t.patient)
    )
    # Known at several places under one card, or here alone: each is one range of one index.
    of_card = before.join(_SAME, _SAME.c.id == _BEFORE.c.patient_id).where(
        _SAME.c.resident_id == t.patient.c.resident_id
    )
    of_number = before.where(_BEFORE.c.patient_id == _C.patient_id)
    known = t.patient.c.resident_id.is_not(None)
    return (
        sql_case((known, _over(of_card, func.count)), else_=_over(of_number, func.count)).label("priors"),
        sql_case((known, _over(of_card, func.max)), else_=_over(of_number, func.max)).label("prior_at"),
    )


def _over(found: Select[tuple[datetime]], what: Callable[..., Any]) -> Any:
    every = found.subquery()
    return select(what(every.c.arrived_at)).scalar_subquery()
