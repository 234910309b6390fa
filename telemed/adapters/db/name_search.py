"""Whom a reader means: by characters, pinyin, initials, or a number. Never a scan of all cases."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select, text, union_all
from sqlalchemy.orm import Session

from telemed.adapters.db import tables as t
from telemed.adapters.db.scope import reading_places, visible_cases
from telemed.application.ports.worklist import Sought
from telemed.domain.access import Actor

_C, _KEY = t.reading_case.c, t.person_name_key.c
_HIGHEST = chr(0x10FFFF)
# So many names are followed to all their cases; a text that fits more is looked for in the newest only.
NAMES_FOLLOWED = 64
DONE_LOOKED_AT = 20_000
OPEN_LOOKED_AT = 5_000
_PERSONS = 1_000


@dataclass(frozen=True)
class Found:
    # The newest first.
    case_ids: Sequence[int]
    partial: bool = False


class NameSearch:
    def __init__(self, session: Session, actor: Actor, before: int | None, limit: int) -> None:
        self._session = session
        self._actor = actor
        self._limit = limit
        self._before: list[ColumnElement[bool]] = [] if before is None else [_C.id < before]
        places = reading_places(actor)
        self._seen = (
            [visible_cases(actor)]
            if places is None
            else [_C.reporting_institution_id == place for place in places]
        )

    def cases(self, sought: Sought) -> Found:
        ids: set[int] = set()
        partial = False
        if sought.name:
            named, partial = self._of_name(sought.name)
            ids.update(named)
        if sought.number or sought.card_hash:
            ids.update(self._of_number(sought))
        return Found(sorted(ids, reverse=True)[: self._limit], partial)

    def _of_name(self, name: str) -> tuple[list[int], bool]:
        exact = self._names(_KEY.key == name)
        begun = self._names(_begins(name))
        if len(begun) <= NAMES_FOLLOWED:
            return self._followed(begun), False
        if 0 < len(exact) <= NAMES_FOLLOWED:
            return self._followed(exact), True
        return self._newest(name), True

    def _names(self, where: ColumnElement[bool]) -> list[int]:
        # Not DISTINCT: it would read all that fit before the limit cuts them.
        statement = select(_KEY.name_id).where(where).limit(4 * NAMES_FOLLOWED)
        return list(dict.fromkeys(self._session.scalars(statement)))

    def _followed(self, names: Sequence[int]) -> list[int]:
        branches = [
            select(_C.id)
            .where(seen, _C.name_id == name, *self._before)
            .order_by(_C.id.desc())
            .limit(self._limit)
            for seen in self._seen
            for name in names
        ]
        return list(self._session.scalars(_together(branches))) if branches else []

    def _newest(self, name: str) -> list[int]:
        found: list[int] = []
        for seen in self._seen:
            for condition, order, limit in (
                (t.IS_DONE, (_C.id.desc(),), DONE_LOOKED_AT),
                (t.IS_OPEN, (_C.effective_priority, _C.deadline, _C.arrived_at, _C.id), OPEN_LOOKED_AT),
            ):
                some = (
                    select(_C.id, _C.name_id)
                    .where(seen, text(f"({condition})"), *self._before)
                    .order_by(*order)
                    .limit(limit)
                    .subquery()
                )
                # The names once, not for each case again.
                fits = some.c.name_id.in_(select(_KEY.name_id).where(_begins(name)))
                statement = select(some.c.id).where(fits).order_by(some.c.id.desc()).limit(self._limit)
                found += self._session.scalars(statement)
        return found

    def _of_number(self, sought: Sought) -> list[int]:
        number = (sought.number, sought.number.upper())
        here = t.patient.c.consortium_id == self._actor.consortium_id
        residents: list[ColumnElement[bool]] = []
        if sought.card_hash:
            residents.append(t.resident.c.id_card_keyed_hash == sought.card_hash)
        if len(sought.number) == 4:
            residents.append(t.resident.c.id_card_last4 == sought.number.upper())
        patients: set[int] = set()
        if residents:
            own = t.resident.c.consortium_id == self._actor.consortium_id
            persons = self._session.scalars(
                select(t.resident.c.id).where(own, or_(*residents)).limit(_PERSONS)
            ).all()
            patients |= self._patients(t.patient.c.resident_id.in_(persons)) if persons else set()
        found: list[int] = []
        if sought.number:
            patients |= self._patients(here & t.patient.c.patient_id.in_(number))
            sites = select(t.institution.c.id).where(
                t.institution.c.consortium_id == self._actor.consortium_id
            )
            orders = self._session.scalars(
                select(t.exam_order.c.id).where(
                    t.exam_order.c.institution_id.in_(sites), t.exam_order.c.accession_number.in_(number)
                )
            ).all()
            if orders:
                procedures = self._session.scalars(
                    select(t.procedure.c.id).where(t.procedure.c.order_id.in_(orders))
                ).all()
                found += self._cases(_C.procedure_id.in_(procedures))
        if patients:
            found += self._cases(_C.patient_id.in_(patients))
        return found

    def _patients(self, where: ColumnElement[bool]) -> set[int]:
        return set(self._session.scalars(select(t.patient.c.id).where(where).limit(_PERSONS)))

    def _cases(self, where: ColumnElement[bool]) -> list[int]:
        # Unsorted: few, and an engine asked for the newest might walk all cases to find them.
        statement = select(_C.id).where(where, visible_cases(self._actor), *self._before)
        return list(self._session.scalars(statement))


def _begins(name: str) -> ColumnElement[bool]:
    return (_KEY.key >= name) & (_KEY.key < name + _HIGHEST)


def _together(branches: Sequence[Select[tuple[int]]]) -> Select[tuple[int]]:
    every = union_all(*(branch.subquery().select() for branch in branches)).subquery()
    return select(every.c.id)
