"""Insert, or find what another transaction was first to insert: the unique keys decide a race, not a look before."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from telemed.adapters.db.direct import find, insert_new

T = TypeVar("T")


def ensure(session: Session, row: T, *key: str) -> tuple[T, bool]:
    """Returns the row that now holds `key`, and whether it is the given one, which the session must not have yet."""
    if insert_new(session, [row], key):
        return row, True
    (found,) = find(session, type(row), **{name: getattr(row, name) for name in key})
    return found, False


def ensure_all(session: Session, rows: Sequence[T], shared: tuple[str, ...], key: str) -> Sequence[T]:
    """The rows that now hold the keys (`shared`, `key`) of these fresh objects, in the order of their ids.

    One statement inserts all that are new; objects of different `shared` values may be mixed.
    """
    names = (*shared, key)
    held = insert_new(session, rows, names)
    if len(held) < len(rows):
        taken = {_key(row, names) for row in rows} - {_key(row, names) for row in held}
        among = {name: sorted({one[at] for one in taken}) for at, name in enumerate(names)}
        found = find(session, type(rows[0]), names, **among)
        held += [row for row in found if _key(row, names) in taken]
    return sorted(held, key=_id)


def _id(row: Any) -> int:
    return int(row.id)


def _key(row: object, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)
