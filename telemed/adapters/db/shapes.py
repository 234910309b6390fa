"""A mapped class as one engine's driver sees it: its columns, their conversions, and the text of its statements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine

from telemed.adapters.db.types import EnumValue, UtcDateTime

Convert = Callable[[Any], Any] | None


class Column(NamedTuple):
    attribute: str
    quoted: str
    to_database: Convert
    from_database: Convert


@dataclass(frozen=True, eq=False)
class Shape:
    """A mapped class as the driver of one engine sees it; the key comes first."""

    mapper: Mapper[Any]
    table: str
    mark: str
    columns: tuple[Column, ...]
    by_attribute: Mapping[str, Column]
    versioned: bool
    # All but the key at once, and the few among them that the driver wants otherwise.
    _all: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    _converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    # All, and the few among them that the driver gives otherwise.
    names: tuple[str, ...]
    _restored: tuple[tuple[str, Callable[[Any], Any]], ...]

    def state(self, row: Sequence[Any]) -> dict[str, Any]:
        """Of a row of the database, in the order of `columns`: what an instance of it holds."""
        held = dict(zip(self.names, row, strict=True))
        for name, convert in self._restored:
            held[name] = convert(held[name])
        return held

    def values(self, row: Any) -> list[Any]:
        """Of a new row: all but its key."""
        values = row.__dict__
        if self.versioned:
            values["version"] = 1
        try:
            found = list(self._all(values))
        except KeyError:
            for column in self.columns[1:]:
                # What was not given is NULL, and the row holds it so.
                values.setdefault(column.attribute)
            found = list(self._all(values))
        for at, convert in self._converted:
            found[at] = convert(found[at])
        return found


# (class, engine's name)
_shapes: dict[tuple[type, str], Shape] = {}


def shape_of(kind: type, connection: Connection) -> Shape:
    key = (kind, connection.dialect.name)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = _shaped(kind, connection.dialect)
    return shape


def _shaped(kind: type, dialect: Dialect) -> Shape:
    mapper: Mapper[Any] = inspect(kind)
    prepare = dialect.identifier_preparer
    columns = [
        Column(
            attribute.key,
            prepare.format_column(column),
            _remembered(column.type, column.type.dialect_impl(dialect).bind_processor(dialect)),
            _remembered(column.type, column.type.dialect_impl(dialect).result_processor(dialect, None)),
        )
        for attribute in mapper.column_attrs
        for column in attribute.columns
    ]
    # Given by the database, and first in every answer.
    columns.sort(key=lambda column: column.attribute != "id")
    return Shape(
        mapper=mapper,
        table=prepare.format_table(mapper.local_table),
        mark="?" if dialect.paramstyle == "qmark" else "%s",
        columns=tuple(columns),
        by_attribute={column.attribute: column for column in columns},
        versioned=mapper.version_id_col is not None,
        _all=itemgetter(*(column.attribute for column in columns[1:])),
        _converted=tuple(
            (at, column.to_database)
            for at, column in enumerate(columns[1:])
            if column.to_database is not None
        ),
        names=tuple(column.attribute for column in columns),
        _restored=tuple(
            (column.attribute, column.from_database) for column in columns if column.from_database is not None
        ),
    )


def _remembered(type_: TypeEngine[Any], convert: Convert) -> Convert:
    """One instant stands in many columns of a batch, and an enum has few values."""
    pure = convert is not None and isinstance(type_, UtcDateTime | EnumValue)
    return lru_cache(maxsize=256)(convert) if pure else convert  # type: ignore[arg-type]


@cache
def insert_text(
    shape: Shape, count: int, returning: tuple[str, ...] = (), conflict: tuple[str, ...] | None = None
) -> str:
    given = shape.columns[1:]
    one = f"({', '.join([shape.mark] * len(given))})"
    names = ", ".join(column.quoted for column in given)
    text = f"INSERT INTO {shape.table} ({names}) VALUES "  # noqa: S608 - names of our own columns
    text += ", ".join([one] * count)
    if conflict is not None:
        text += f" ON CONFLICT ({', '.join(shape.by_attribute[name].quoted for name in conflict)}) DO NOTHING"
    if returning:
        answered = ("id", *returning)
        text += f" RETURNING {', '.join(shape.by_attribute[name].quoted for name in answered)}"
    return text


@cache
def update_text(shape: Shape, names: tuple[str, ...]) -> str:
    version, mark = shape.by_attribute["version"].quoted, shape.mark
    changes = ", ".join(f"{shape.by_attribute[name].quoted} = {mark}" for name in names)
    return (
        f"UPDATE {shape.table} SET {changes}, {version} = {version} + 1"  # noqa: S608 - names of our own columns
        f" WHERE {shape.by_attribute['id'].quoted} = {mark} AND {version} = {mark}"
    )


@cache
def find_text(shape: Shape, asked: tuple[tuple[str, int], ...]) -> str:
    """`asked`: attribute, and of how many values it is one (0: equal to a single one)."""
    conditions = [
        f"{shape.by_attribute[name].quoted} "
        + (f"IN ({', '.join([shape.mark] * count)})" if count else f"= {shape.mark}")
        for name, count in asked
    ]
    names = ", ".join(column.quoted for column in shape.columns)
    return (
        f"SELECT {names} FROM {shape.table}"  # noqa: S608 - names of our own columns
        f" WHERE {' AND '.join(conditions)} ORDER BY {shape.by_attribute['id'].quoted}"
    )


@cache
def value_text(shape: Shape, attribute: str) -> str:
    return (
        f"SELECT {shape.by_attribute[attribute].quoted} FROM {shape.table}"  # noqa: S608 - names of our own columns
        f" WHERE {shape.by_attribute['id'].quoted} = {shape.mark}"
    )
