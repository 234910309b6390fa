"""Insert, or find what another transaction was first to insert: the unique keys decide a race, not a look before."""

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper, Session, make_transient_to_detached

from telemed.adapters.db.statements import insert_if_new, rows_by

T = TypeVar("T")


def ensure(session: Session, row: T, *key: str) -> tuple[T, bool]:
    """Returns the row that now holds `key`, and whether it is the given one.

    `row` is a fresh object, not yet in the session. ON CONFLICT DO NOTHING waits for a rival's commit, so that
    afterwards the row is certainly there.
    """
    kind = type(row)
    mapper = inspect(kind)
    attributes = _columns(mapper)
    version = "version" if mapper.version_id_col is not None else None
    values: dict[str, Any] = {
        column: 1 if name == version else getattr(row, name) for name, column in attributes
    }
    dialect = session.get_bind().dialect.name
    statement = insert_if_new(mapper.local_table, dialect, tuple(values), key)
    # Not by rowcount: an INSERT leaves it unset on PostgreSQL.
    created = session.connection().execute(statement, values).scalar()
    if created is None:
        where = {name: values[name] for name in key}
        return session.execute(rows_by(kind, *key), where).scalar_one(), False
    row.id = created  # type: ignore[attr-defined]
    if version is not None:
        setattr(row, version, 1)
    # All its columns are known: nothing is gained by reading back what was just written.
    make_transient_to_detached(row)
    session.add(row)
    return row, True


@cache
def _columns(mapper: Mapper[Any]) -> tuple[tuple[str, str], ...]:
    """(attribute, column) of every column but the id, which the database gives."""
    named = ((attribute.key, attribute.columns[0].name) for attribute in mapper.column_attrs)
    return tuple((key, name) for key, name in named if name != "id")
