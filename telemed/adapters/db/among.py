"""`column` is one of the given values, in a statement whose text does not depend on how many there are.

A list of placeholders is another statement for each length: compiled anew, prepared anew, and by PostgreSQL planned
anew, which for a page of the list takes longer than reading it.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

from telemed.adapters.db.types import BigKey


class _Values(TypeDecorator[Sequence[Any]]):
    """An array where there are arrays, else their JSON."""

    impl = Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(BigKey))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


_PARTS = [("column", InternalTraversal.dp_clauseelement), ("values", InternalTraversal.dp_clauseelement)]


class among(ColumnElement[bool]):
    """`among(column, "name")`: of these ids, given at execution as `name`, an empty list included."""

    type = Boolean()
    # SQLite would be asked whether it equals 1, and walk the whole table to find out.
    _is_implicitly_boolean = True
    # By these SQLAlchemy tells one statement from another: it is compiled once.
    _traverse_internals = _PARTS

    def __init__(self, column: ColumnElement[int], name: str) -> None:
        self.column = column
        self.values: BindParameter[Sequence[int]] = bindparam(name, type_=_Values())


@compiles(among, "postgresql")
def _any(element: among, compiler: Any, **how: Any) -> str:
    return f"{compiler.process(element.column, **how)} = ANY ({compiler.process(element.values, **how)})"


@compiles(among, "sqlite")
def _each(element: among, compiler: Any, **how: Any) -> str:
    column, values = compiler.process(element.column, **how), compiler.process(element.values, **how)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are SQLAlchemy's own text
