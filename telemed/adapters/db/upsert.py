"""Insert, or find what another transaction was first to insert: the unique keys decide a race, not a look before."""

from typing import Any, TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

T = TypeVar("T")


def ensure(session: Session, row: T, *key: str) -> tuple[T, bool]:
    """Returns the row that now holds `key`, and whether it is the given one.

    `row` is a fresh object, not yet in the session. ON CONFLICT DO NOTHING waits for a rival's commit, so that
    afterwards the row is certainly there.
    """
    mapper = inspect(type(row))
    table = mapper.local_table
    values: dict[str, Any] = {}
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if column.name == "id":
            continue
        values[column.name] = 1 if column is mapper.version_id_col else getattr(row, attribute.key)
    dialect = session.get_bind().dialect.name
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    statement = insert.values(**values).on_conflict_do_nothing(index_elements=list(key))
    # Not by rowcount: an INSERT leaves it unset on PostgreSQL.
    created = session.connection().execute(statement.returning(table.c.id)).first() is not None
    where = [table.c[name] == values[name] for name in key]
    found = session.execute(select(type(row)).where(*where)).scalar_one()
    return found, created
