"""Alembic's entry: the connection is handed over by `telemed.adapters.db.upgrade`."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from telemed.adapters.db.tables import metadata
from telemed.adapters.db.types import EnumValue, IntEnumValue, UtcDateTime


def _plain(kind: str, item: Any, generation: Any) -> str | Literal[False]:
    """A migration names plain column types: it must read the same when our own types have changed."""
    if kind == "type":
        if isinstance(item, UtcDateTime):
            return "sa.DateTime(timezone=True)"
        if isinstance(item, EnumValue):
            return "sa.String(length=32)"
        if isinstance(item, IntEnumValue):
            return "sa.Integer()"
        if isinstance(item, JSON):
            generation.imports.add("from sqlalchemy.dialects import postgresql")
            return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter a column in place: alembic copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_plain,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
