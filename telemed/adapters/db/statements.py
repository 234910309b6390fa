"""Statements built once and bound again and again.

Building one and finding its compiled form costs more than SQLite needs to run it; receiving asks the same few
questions for every object.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Insert, Select, Table, bindparam, inspect, select
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def rows_by(kind: type[T], *names: str, among: tuple[str, ...] = ()) -> Select[T]:
    """Rows of `kind` in the order of their ids: `names` equal the parameters of the same names, and the columns
    `among` each are one of the parameter of that name."""
    found: Select[T] = _rows_by(cast("Hashable", kind), names, among)
    return found


@cache
def _rows_by(kind: Any, names: tuple[str, ...], among: tuple[str, ...]) -> Select[Any]:
    columns = inspect(kind).local_table.c
    where: list[Any] = [columns[name] == bindparam(name) for name in names]
    where += [columns[name].in_(bindparam(name, expanding=True)) for name in among]
    return select(kind).where(*where).order_by(columns.id)


@cache
def insert_if_new(table: Table, dialect: str, names: tuple[str, ...], key: tuple[str, ...]) -> Insert:
    """Gives the new row's id, or no row where `key` is taken."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    statement = insert.values({name: bindparam(name) for name in names})
    statement = statement.on_conflict_do_nothing(index_elements=list(key))
    return cast("Insert", statement.returning(table.c.id))


@cache
def insert_ignoring(table: Table, dialect: str, names: tuple[str, ...], key: tuple[str, ...]) -> Insert:
    """For many rows at once: those whose `key` is taken are passed over."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    statement = insert.values({name: bindparam(name) for name in names})
    return cast("Insert", statement.on_conflict_do_nothing(index_elements=list(key)))
