"""Keeps the search beside what it searches: a case stands under its patient's name, whoever writes either.

Inside the flush, because these are the only two places where a patient's cases and their name meet.
"""

from typing import Any

from sqlalchemy import Connection, event, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapper, Session

from telemed.adapters.db import tables as t
from telemed.adapters.db.direct import find
from telemed.domain.case import Case
from telemed.domain.name_keys import name_keys, search_text
from telemed.domain.resident import Patient


def name_id(connection: Connection, name: str, readings: str, initials: str) -> int | None:
    """The number of a name, which is entered with all its keys where it is new. None for no name."""
    plain = search_text(name)
    if not plain:
        return None
    wanted = select(t.person_name.c.id).where(t.person_name.c.name == plain)
    known = connection.execute(wanted).scalar()
    if known is not None:
        return int(known)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    entered = insert(t.person_name).values(name=plain).on_conflict_do_nothing(index_elements=["name"])
    fresh = connection.execute(entered.returning(t.person_name.c.id)).scalar()
    if fresh is None:
        # Another transaction was first, and has entered the keys.
        return int(connection.execute(wanted).scalar_one())
    keys = [{"key": key, "name_id": fresh} for key in sorted(name_keys(name, readings, initials))]
    connection.execute(t.person_name_key.insert(), keys)
    return int(fresh)


def stand_under_name(session: Session, case: Any) -> None:
    """A new case that is inserted without SQLAlchemy's flush, which is what `follow` listens to."""
    (patient,) = find(session, Patient, id=case.patient_id)
    case.name_id = name_id(session.connection(), patient.name, patient.name_pinyin, patient.name_initials)


def follow() -> None:
    """Called once, when the classes are mapped."""
    event.listen(Case, "before_insert", _case_written)
    event.listen(Case, "before_update", _case_written)
    event.listen(Patient, "after_update", _patient_written)


def _case_written(_mapper: Mapper[Any], connection: Connection, case: Any) -> None:
    if not inspect(case).attrs.patient_id.history.has_changes():
        return
    patient = t.patient.c
    row = connection.execute(
        select(patient.name, patient.name_pinyin, patient.name_initials).where(patient.id == case.patient_id)
    ).one()
    case.name_id = name_id(connection, *row)


def _patient_written(_mapper: Mapper[Any], connection: Connection, patient: Any) -> None:
    if not inspect(patient).attrs.name.history.has_changes():
        return
    number = name_id(connection, patient.name, patient.name_pinyin, patient.name_initials)
    cases = t.reading_case
    connection.execute(cases.update().where(cases.c.patient_id == patient.id).values(name_id=number))
