"""The list as statements: each page is the beginning of an index, in the order of `telemed.domain.worklist`.

First the keys of a page, from indexes alone; then its rows by their keys. A reader of several institutions has one
branch for each, cut to a page before they are merged: no branch is ever sorted whole.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    Subquery,
    TextClause,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
)

from telemed.adapters.db import tables as t
from telemed.adapters.db.name_search import NameSearch
from telemed.adapters.db.repositories import Repository
from telemed.adapters.db.scope import reading_places, visible_cases
from telemed.adapters.db.types import BigKey
from telemed.adapters.db.worklist_rows import persons_patients, worklist_rows
from telemed.application.ports.worklist import EVERYTHING, Filter, Prior, Sought, WorklistPage, WorklistRow
from telemed.domain.access import Actor
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import InvalidInput
from telemed.domain.order import Priority
from telemed.domain.people import Institution
from telemed.domain.report import Report, ReportState
from telemed.domain.resident import Patient
from telemed.domain.study import Study
from telemed.domain.worklist import COUNT_LIMIT, COUNTED, View, list_key, parse_id, parse_position, position

_C = t.reading_case.c
_ORDER = (_C.effective_priority, _C.deadline, _C.arrived_at, _C.id)
_SIZE: Any = bindparam("size", type_=Integer)
_DUTIES = (
    select(t.reading_group.c.institution_id)
    .join(t.duty, t.duty.c.reading_group_id == t.reading_group.c.id)
    .where(
        t.duty.c.user_id == bindparam("user"),
        t.reading_group.c.consortium_id == bindparam("consortium"),
        t.duty.c.starts_at <= bindparam("now"),
        or_(t.duty.c.ends_at.is_(None), t.duty.c.ends_at > bindparam("now")),
    )
    .distinct()
)
_CONDITIONS = {
    View.WAITING: t.IS_UNREAD,
    View.MINE: t.IS_UNREAD,
    View.REVIEW: t.IS_IN_REVIEW,
    View.OVERDUE: t.IS_OPEN,
    View.ALL: t.IS_OPEN,
    View.RETURNED: t.IS_RETURNED,
    View.CRITICAL: t.IS_CRITICAL,
    View.DONE: t.IS_DONE,
}

# Looked up once: the page still is the beginning of the view's index.
_SITE = _C.institution_id == (
    select(t.institution.c.id).where(t.institution.c.uid == bindparam("site")).scalar_subquery()
)

Where = list[ColumnElement[bool] | TextClause]


class SqlWorklist(Repository):
    def worklist(
        self,
        actor: Actor,
        view: str,
        cursor: str | None,
        limit: int,
        now: datetime,
        only: Filter = EVERYTHING,
    ) -> WorklistPage:
        if view not in list(View):
            raise InvalidInput("error.unknown_view", field="view")
        chosen = View(view)
        if chosen is View.DONE:
            return self._page(actor, self._done(actor, cursor, limit + 1, now, only), limit, by_id=True)
        key = parse_position(cursor) if cursor else None
        values = _values(actor, now, only, limit + 1)
        if key is not None:
            values |= {column.name: value for column, value in zip(_ORDER, key, strict=True)}
        statement = _for(
            actor, _page_statement, chosen, bool(only.modality), bool(only.site), key is not None
        )
        return self._page(actor, [row.id for row in self._session.execute(statement, values)], limit)

    def _done(self, actor: Actor, cursor: str | None, limit: int, now: datetime, only: Filter) -> list[int]:
        """What came last is looked for first."""
        values = _values(actor, now, only, limit)
        if cursor:
            values["before"] = parse_id(cursor)
        statement = _for(actor, _done_statement, bool(only.modality), bool(only.site), bool(cursor))
        return list(self._session.scalars(statement, values))

    def search(self, actor: Actor, sought: Sought, cursor: str | None, limit: int) -> WorklistPage:
        before = parse_id(cursor) if cursor else None
        found = NameSearch(self._session, actor, before, limit + 1).cases(sought)
        return self._page(actor, found.case_ids, limit, by_id=True, partial=found.partial)

    def _page(
        self, actor: Actor, ids: Sequence[int], limit: int, *, by_id: bool = False, partial: bool = False
    ) -> WorklistPage:
        rows = self._in_order(actor, ids[:limit])
        if len(ids) <= limit or not rows:
            return WorklistPage(rows=rows, next_cursor=None, partial=partial)
        last = rows[-1].case
        cursor = str(ids[limit - 1]) if by_id else position(list_key(last))
        return WorklistPage(rows=rows, next_cursor=cursor, partial=partial)

    def _in_order(self, actor: Actor, ids: Sequence[int]) -> list[WorklistRow]:
        rows = {row.case.id: row for row in self.rows_of(actor, ids)}
        return [rows[case_id] for case_id in ids if case_id in rows]

    def row(self, actor: Actor, uid: str) -> WorklistRow | None:
        case_id = self._session.scalar(select(_C.id).where(_C.uid == uid))
        rows = [] if case_id is None else worklist_rows(self._session, actor, [case_id])
        return rows[0] if rows else None

    def rows_of(self, actor: Actor, case_ids: Sequence[int]) -> Sequence[WorklistRow]:
        return worklist_rows(self._session, actor, case_ids) if case_ids else []

    def duty_places(self, user_id: int, consortium_id: int, now: datetime) -> Sequence[int]:
        values = {"user": user_id, "consortium": consortium_id, "now": now}
        return self._session.scalars(_DUTIES, values).all()

    def counts(self, actor: Actor, now: datetime) -> dict[str, int]:
        statement = _for(actor, _counts_statement)
        row = self._session.execute(statement, _values(actor, now, EVERYTHING, COUNT_LIMIT + 1)).one()
        return {view.value: int(getattr(row, view.value)) for view in COUNTED}

    def uids(self, case_ids: Collection[int]) -> frozenset[str]:
        return frozenset(self._session.scalars(select(_C.uid).where(_C.id.in_(case_ids))))

    def held(self, user_ids: Collection[int]) -> Mapping[int, int]:
        statement = (
            select(_C.claimed_by, func.count())
            .where(text(f"({t.IS_UNREAD})"), _C.claimed_by.in_(user_ids))
            .group_by(_C.claimed_by)
        )
        return {row[0]: row[1] for row in self._session.execute(statement)}

    def priors(self, actor: Actor, case: Case, limit: int) -> Sequence[Prior]:
        patient = self._session.get(Patient, case.patient_id)
        patients = persons_patients(self._session, [patient] if patient else [])
        report = (
            select(func.max(t.report.c.id))
            .where(t.report.c.case_id == _C.id, t.report.c.state == ReportState.FINAL)
            .correlate(t.reading_case)
            .scalar_subquery()
        )
        statement = (
            select(Case, Study, Institution, t.procedure.c.description, Report)
            .join(t.study, t.study.c.id == _C.study_id)
            .join(t.procedure, t.procedure.c.id == _C.procedure_id)
            .join(t.institution, t.institution.c.id == _C.institution_id)
            .outerjoin(t.report, t.report.c.id == report)
            .where(
                _C.patient_id.in_(patients),
                _C.id != case.id,
                # Its recordings turned out to be another person's.
                _C.state != CaseState.CLOSED,
                visible_cases(actor),
            )
            .order_by(_C.arrived_at.desc(), _C.id.desc())
            .limit(limit)
        )
        return [
            Prior(case=one, study=study, institution=institution, exam=exam, report=report)
            for one, study, institution, exam, report in self._session.execute(statement)
        ]


# --- statements, built once and bound again and again ------------------------------------------------------------

Seen = tuple[ColumnElement[bool], ...]


@cache
def _of_places(build: Callable[..., Select[Any]], places: int, *choice: Any) -> Select[Any]:
    seen = tuple(_C.reporting_institution_id == bindparam(f"place_{n}", type_=BigKey) for n in range(places))
    return build(seen, *choice)


def _for(actor: Actor, build: Callable[..., Select[Any]], *choice: Any) -> Select[Any]:
    """Of a reader the places are bound; of everybody else (no page asks for them) it is built anew."""
    places = reading_places(actor)
    if places is None:
        return build((visible_cases(actor),), *choice)
    return _of_places(build, len(places), *choice)


def _values(actor: Actor, now: datetime, only: Filter, size: int) -> dict[str, Any]:
    places = {f"place_{number}": place for number, place in enumerate(reading_places(actor) or ())}
    return {
        **places,
        "user": actor.user_id,
        "now": now,
        "modality": only.modality,
        "site": only.site,
        "size": size,
    }


def _branches(seen: Seen, view: View) -> list[Where]:
    """What a view holds, as conditions that are each one range of one index."""
    condition = text(f"({_CONDITIONS[view]})")
    if view is View.MINE:
        return [[_C.claimed_by == bindparam("user"), condition, or_(*seen)]]
    if view is View.RETURNED:
        condition = text(f"({_CONDITIONS[view]}) AND ({t.IS_UNREAD})")
    if view is View.OVERDUE:
        late = _C.deadline < bindparam("now")
        return [
            [one, condition, _C.effective_priority == urgency, late] for one in seen for urgency in Priority
        ]
    return [[one, condition] for one in seen]


def _page_statement(seen: Seen, view: View, modality: bool, site: bool, continued: bool) -> Select[Any]:
    branches = []
    for where in _branches(seen, view):
        if modality:
            where.append(_C.modality == bindparam("modality"))
        if site:
            where.append(_SITE)
        if continued:
            # A row comparison walks the list's index; the values go through the columns' own types.
            where.append(tuple_(*_ORDER) > tuple_(*(bindparam(c.name, type_=c.type) for c in _ORDER)))
        branches.append(select(*_ORDER).where(*where).order_by(*_ORDER).limit(_SIZE))
    every = _together(branches)
    return select(every).order_by(*(every.c[column.name] for column in _ORDER)).limit(_SIZE)


def _done_statement(seen: Seen, modality: bool, site: bool, continued: bool) -> Select[Any]:
    branches = []
    for where in _branches(seen, View.DONE):
        if modality:
            where.append(_C.modality == bindparam("modality"))
        if site:
            where.append(_SITE)
        if continued:
            where.append(_C.id < bindparam("before"))
        branches.append(select(_C.id).where(*where).order_by(_C.id.desc()).limit(_SIZE))
    every = _together(branches)
    return select(every.c.id).order_by(every.c.id.desc()).limit(_SIZE)


def _counts_statement(seen: Seen) -> Select[Any]:
    return select(*(_count(seen, view).label(view.value) for view in COUNTED))


def _count(seen: Seen, view: View) -> Any:
    one: Label[int] = literal_column("1", Integer).label("one")
    every = _together(
        [
            select(one).select_from(t.reading_case).where(*where).limit(_SIZE)
            for where in _branches(seen, view)
        ]
    )
    counted = select(every.c.one).limit(_SIZE).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


def _together(branches: Sequence[Select[Any]]) -> Subquery:
    # Each in brackets of its own: SQLite takes no ORDER BY inside of a compound.
    return union_all(*(branch.subquery().select() for branch in branches)).subquery()
