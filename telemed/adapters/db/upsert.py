"""Insert, or find what another transaction was first to insert: the unique keys decide a race, not a look before."""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, Session, make_transient_to_detached

from telemed.adapters.db.statements import insert_if_new, insert_ignoring, rows_by

T = TypeVar("T")


def ensure(session: Session, row: T, *key: str) -> tuple[T, bool]:
    """Returns the row that now holds `key`, and whether it is the given one.

    `row` is a fresh object, not yet in the session. ON CONFLICT DO NOTHING waits for a rival's commit, so that
    afterwards the row is certainly there.
    """
    kind = type(row)
    mapper = inspect(kind)
    values = _values(mapper, row)
    dialect = session.get_bind().dialect.name
    statement = insert_if_new(mapper.local_table, dialect, tuple(values), key)
    # Not by rowcount: an INSERT leaves it unset on PostgreSQL.
    created = session.connection().execute(statement, values).scalar()
    if created is None:
        where = {name: values[name] for name in key}
        return session.execute(rows_by(kind, *key), where).scalar_one(), False
    row.id = created  # type: ignore[attr-defined]
    if mapper.version_id_col is not None:
        row.version = 1  # type: ignore[attr-defined]
    # All its columns are known: nothing is gained by reading back what was just written.
    make_transient_to_detached(row)
    session.add(row)
    return row, True


def ensure_all(session: Session, rows: Sequence[T], shared: tuple[str, ...], key: str) -> Sequence[T]:
    """The rows that now hold the keys (`shared`, `key`) of these fresh objects, in the order of their ids.

    One statement inserts all that are new, one finds them; objects of different `shared` values may be mixed.
    """
    kind = type(rows[0])
    mapper = inspect(kind)
    statement = insert_ignoring(
        mapper.local_table,
        session.get_bind().dialect.name,
        tuple(name for _, name in _columns(mapper)),
        (*shared, key),
    )
    session.connection().execute(statement, [_values(mapper, row) for row in rows])
    wanted = {(*(getattr(row, name) for name in shared), getattr(row, key)) for row in rows}
    keys = {name: sorted({getattr(row, name) for row in rows}) for name in (*shared, key)}
    found = session.execute(rows_by(kind, among=(*shared, key)), keys).scalars().all()
    return [row for row in found if (*(getattr(row, name) for name in shared), getattr(row, key)) in wanted]


def _values(mapper: Mapper[Any], row: Any) -> dict[str, Any]:
    version = "version" if mapper.version_id_col is not None else None
    return {column: 1 if name == version else getattr(row, name) for name, column in _columns(mapper)}


@cache
def _columns(mapper: Mapper[Any]) -> tuple[tuple[str, str], ...]:
    """(attribute, column) of every column but the id, which the database gives."""
    named = ((attribute.key, attribute.columns[0].name) for attribute in mapper.column_attrs)
    return tuple((key, name) for key, name in named if name != "id")
