"""What every table is made of."""

from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB

from telemed.adapters.db.types import BigKey

# Named constraints, so that a later migration can address them on every engine.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# Compared by code point on every engine: the beginning of a text is then a range of an index.
SearchText = String(120).with_variant(String(120, collation="C"), "postgresql")
Json = JSON().with_variant(JSONB(), "postgresql")


# Where nothing is said there is no value, and not the value "null".
NullJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def key() -> Column[Any]:
    return Column("id", BigKey, primary_key=True, autoincrement=True)


def uid() -> Column[Any]:
    return Column("uid", String(36), nullable=False, unique=True)


def version() -> Column[Any]:
    return Column("version", Integer, nullable=False)


def ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, BigKey, ForeignKey(f"{target}.id"), nullable=null, index=index)


def words(name: str, length: int = 0, default: str | None = "") -> Column[Any]:
    return Column(name, String(length) if length else Text(), nullable=False, server_default=default)
