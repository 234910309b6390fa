"""Rows inserted and found by the driver's own statements, for what is done for every object that arrives.

The ORM builds, caches and compiles a statement for each question; that costs many times what the database needs to
answer it. Here the text is put together once, and rows become the session's own as if it had loaded them: changed
afterwards, they are updated with their version like any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, Select, Update, inspect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from telemed.adapters.db.instances import held, keep
from telemed.adapters.db.shapes import (
    Convert,
    Shape,
    find_text,
    insert_text,
    shape_of,
    update_text,
    value_text,
)

T = TypeVar("T")
# Both engines take far more parameters; one statement need not be longer.
_PARAMETERS = 4000


def insert(session: Session, rows: Sequence[T], key: tuple[str, ...] = ("uid",)) -> None:
    """New rows; each gets its id and is the session's from now on."""
    if len(insert_new(session, rows, key, passing_over=False)) != len(rows):
        raise RuntimeError("a row was inserted and not answered")


def insert_blind(connection: Connection, rows: Sequence[Any]) -> None:
    """New rows of one class that nobody needs afterwards: they get no id and are no session's."""
    shape = shape_of(type(rows[0]), connection)
    for some in _portions(rows, len(shape.columns)):
        _run(connection, insert_text(shape, len(some)), _flat(shape, some))


def insert_new(
    session: Session, rows: Sequence[T], key: tuple[str, ...], *, passing_over: bool = True
) -> list[T]:
    """Those of the fresh `rows` whose unique `key` was free; they get their ids and are the session's from now on.

    ON CONFLICT DO NOTHING waits for a rival's commit: whoever is not among them is certainly there.
    """
    connection = session.connection()
    shape = shape_of(type(rows[0]), connection)
    by_key = {tuple([row.__dict__[name] for name in key]): row for row in rows}
    conflict = key if passing_over else None
    new: list[T] = []
    for some in _portions(list(by_key.values()), len(shape.columns)):
        text = insert_text(shape, len(some), returning=key, conflict=conflict)
        # In no promised order: an id finds its row by the key.
        for id_, *found in _run(connection, text, _flat(shape, some)):
            row = by_key[tuple(found)]
            # All its columns are known: nothing is gained by reading back what was just written.
            row.__dict__["id"] = id_
            keep(session, row, id_)
            new.append(row)
    return new


def update(session: Session, row: Any) -> None:
    """What was changed in a row of the session, under the version in which it was read.

    Raises StaleDataError where another transaction was first.
    """
    state = inspect(row)
    changed = {name: row.__dict__[name] for name, old in state.committed_state.items()}
    changed = {name: new for name, new in changed.items() if new != state.committed_state[name]}
    if changed:
        connection = session.connection()
        shape = shape_of(type(row), connection)
        text = update_text(shape, tuple(changed))
        values = [_converted(shape.by_attribute[name].to_database, value) for name, value in changed.items()]
        with _Cursor(connection, text) as cursor:
            cursor.execute(text, [*values, row.id, row.version])
            if cursor.rowcount != 1:
                raise StaleDataError(f"another version of {shape.table}")
        row.__dict__["version"] = row.version + 1
    # As after a flush of the session's own.
    state._commit_all(state.dict, session.identity_map)


def run_each(
    connection: Connection, kind: type, statement: Insert, rows: Sequence[Mapping[str, Any]]
) -> None:
    """`statement`, kept by the caller, for each of `rows`: its parameters by name, those of the class's columns."""
    plan = _plan(kind, connection, statement, rows[0])
    parameters = [plan.parameters(row) for row in rows]
    if plan.order is None:
        with _Cursor(connection, plan.text) as cursor:
            cursor.executemany(plan.text, parameters)
        return
    # In one statement: each that runs lets every other thread of the process go first.
    for some in _portions(parameters, len(plan.order)):
        _run(connection, plan.for_rows(len(some)), [value for row in some for value in row])


def run_kept(
    connection: Connection, kind: type, statement: Update, values: Mapping[str, Any]
) -> tuple[int, list[dict[str, Any]]]:
    """`statement`, kept by the caller: how many rows it touched, and by column name what it returned of `kind`.

    Its parameters are named after the column whose type they have, a number behind it where there are several.
    """
    plan = _plan(kind, connection, statement, values)
    with _Cursor(connection, plan.text) as cursor:
        cursor.execute(plan.text, plan.parameters(values))
        found = cursor.fetchall() if cursor.description else []
        told = [column[0] for column in cursor.description or ()]
        count = cursor.rowcount
    columns = shape_of(kind, connection).by_attribute
    converts = [columns[name].from_database for name in told]
    return count, [
        {name: _converted(convert, value) for name, convert, value in zip(told, converts, row, strict=True)}
        for row in found
    ]


@dataclass(frozen=True, eq=False)
class _Plan:
    """A compiled statement, and how its parameters come of a row: by their place, or by name where that is None."""

    text: str
    constants: Mapping[str, Any]
    given: Sequence[tuple[str, Convert]]
    order: Sequence[str] | None

    def parameters(self, row: Mapping[str, Any]) -> Any:
        named = dict(self.constants)
        for name, convert in self.given:
            named[name] = row[name] if convert is None else convert(row[name])
        return named if self.order is None else [named[name] for name in self.order]

    def for_rows(self, count: int) -> str:
        """An insert whose parameters go by their place, and all of them into its row, for so many rows at once."""
        row = f"({', '.join('?' * len(self.order or ()))})"
        if self.text.count(row) != 1:
            raise ValueError(f"a statement with parameters beside its row: {self.text}")
        return self.text.replace(row, ", ".join([row] * count))


_Kept = Insert | Update | Select[Any]


def _plan(kind: type, connection: Connection, statement: _Kept, values: Mapping[str, Any]) -> _Plan:
    names = tuple(values)
    key = (statement, connection.dialect.name, names)
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = _planned(kind, connection, statement, names)
    return plan


def _planned(kind: type, connection: Connection, statement: _Kept, names: Sequence[str]) -> _Plan:
    shape, compiled = shape_of(kind, connection), statement.compile(dialect=connection.dialect)
    return _Plan(
        text=str(compiled),
        constants=dict(compiled.params),
        given=[(name, _to_database(shape, name)) for name in names],
        order=getattr(compiled, "positiontup", None),
    )


def find(session: Session, kind: type[T], among: tuple[str, ...] = (), /, **where: Any) -> list[T]:
    """Rows in the order of their ids: equal to what is given, or one of it for the names in `among`.

    What the session has already is given as it stands there.
    """
    session.flush()
    connection = session.connection()
    shape = shape_of(kind, connection)
    if not all(where[name] for name in among):
        return []
    parameters: list[Any] = []
    asked: list[tuple[str, int]] = []
    for name, value in where.items():
        values = list(value) if name in among else [value]
        convert = shape.by_attribute[name].to_database
        parameters += [_converted(convert, one) for one in values]
        asked.append((name, len(values) if name in among else 0))
    rows = _run(connection, find_text(shape, tuple(asked)), parameters)
    return [_loaded(session, shape, row) for row in rows]


def find_kept(
    session: Session,
    kind: type[T],
    statement: Select[Any],
    values: Mapping[str, Any],
    *,
    afresh: bool = False,
) -> list[T]:
    """As `find`, by a `statement` kept by the caller: it selects the table of `kind`; its parameters as `run_kept`'s.

    `afresh`: what the session has already becomes what the database holds now.
    """
    session.flush()
    connection = session.connection()
    shape, plan = shape_of(kind, connection), _plan(kind, connection, statement, values)
    with _Cursor(connection, plan.text) as cursor:
        cursor.execute(plan.text, plan.parameters(values))
        found = cursor.fetchall()
        told = tuple([column[0] for column in cursor.description or ()])
    if told != shape.names:
        raise ValueError(f"a statement that selects something else than {shape.table}: {plan.text}")
    if afresh:
        for row in found:
            _renew(session, shape, row)
    return [_loaded(session, shape, row) for row in found]


def value(session: Session, kind: type, attribute: str, id_: int) -> Any:
    """One column of the row of this id; None where there is no row."""
    connection = session.connection()
    shape = shape_of(kind, connection)
    column = shape.by_attribute[attribute]
    rows = _run(connection, value_text(shape, attribute), [id_])
    return _converted(column.from_database, rows[0][0]) if rows else None


def get(session: Session, kind: type[T], id_: int) -> T | None:
    """The row of this id; where the session has it already, nothing is asked."""
    found = held(session, kind, id_)
    return found if found is not None else next(iter(find(session, kind, id=id_)), None)


def _renew(session: Session, shape: Shape, row: Sequence[Any]) -> None:
    found = held(session, shape.mapper.class_, row[0])
    if found is not None:
        found.__dict__.update(shape.state(row))
        keep(session, found, row[0])


def _loaded(session: Session, shape: Shape, row: Sequence[Any]) -> Any:
    found = held(session, shape.mapper.class_, row[0])
    if found is not None:
        return found
    instance = shape.mapper.class_manager.new_instance()
    instance.__dict__.update(shape.state(row))
    keep(session, instance, row[0])
    return instance


class _Cursor:
    """The driver's own, in the connection's transaction; failures are SQLAlchemy's, without the values."""

    __slots__ = ("_connection", "_cursor", "_text")

    def __init__(self, connection: Connection, text: str) -> None:
        self._connection, self._text = connection, text

    def __enter__(self) -> DBAPICursor:
        self._cursor: DBAPICursor = self._connection.connection.cursor()
        return self._cursor

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor.close()
        if error is None:
            return
        dialect = self._connection.dialect
        base = dialect.loaded_dbapi.Error
        if isinstance(error, base):
            raise DBAPIError.instance(
                self._text, None, error, base, hide_parameters=True, dialect=dialect
            ) from error


def _run(connection: Connection, text: str, parameters: Sequence[Any]) -> Sequence[Any]:
    with _Cursor(connection, text) as cursor:
        cursor.execute(text, parameters)
        return cursor.fetchall() if cursor.description else []


def _flat(shape: Shape, rows: Sequence[Any]) -> list[Any]:
    return [value for row in rows for value in shape.values(row)]


def _portions(rows: Sequence[T], columns: int) -> Iterable[Sequence[T]]:
    size = max(1, _PARAMETERS // columns)
    return (rows[at : at + size] for at in range(0, len(rows), size))


def _converted(convert: Convert, value: Any) -> Any:
    return value if convert is None else convert(value)


def _to_database(shape: Shape, name: str) -> Convert:
    column = shape.by_attribute.get(name) or shape.by_attribute.get(name.rstrip("0123456789"))
    return None if column is None else column.to_database


_plans: dict[tuple[_Kept, str, tuple[str, ...]], _Plan] = {}
