"""Instances of mapped classes, made and kept past the bookkeeping SQLAlchemy does for every single attribute.

A row that arrives is written once as it stands: nobody asks what it was a moment before. What is assigned to it
later is tracked like any other change. A row that is only shown is followed by nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import ClassManager, Session, class_mapper
from sqlalchemy.orm.attributes import instance_state


def construct_plainly(kind: type) -> None:
    """From now on a new instance of the mapped dataclass holds the values it is given, and that is all.

    Only for classes of plain columns, with nobody who listens to the history of a new instance.
    """
    given = [field for field in fields(kind) if field.init]
    if hasattr(kind, "__post_init__") or not all(field.kw_only for field in given):
        raise TypeError(f"{kind.__name__} is more than its columns")
    manager: ClassManager[Any] = class_mapper(kind).class_manager
    kind.__init__ = _holding(kind, given, manager)  # type: ignore[misc]


def _holding(kind: type, given: list[Field[Any]], manager: ClassManager[Any]) -> Callable[..., None]:
    # The columns of every mapped class are descriptors by now: what a field defaults to is its own knowledge.
    factories = [
        (field.name, field.default_factory) for field in given if field.default_factory is not MISSING
    ]
    defaults = {field.name: field.default for field in given if field.default is not MISSING}
    names = frozenset(field.name for field in given)
    needed = names - defaults.keys() - {name for name, _ in factories}
    attach = manager.setup_instance

    def hold(row: Any, **values: Any) -> None:
        if not needed <= values.keys() <= names:
            wrong = sorted((needed - values.keys()) | (values.keys() - names))
            raise TypeError(f"{kind.__name__}: missing or unknown {', '.join(wrong)}")
        attach(row)
        held = row.__dict__
        held.update(defaults)
        held.update(values)
        for name, make in factories:
            if name not in held:
                held[name] = make()

    return hold


def columns_of(kind: type) -> list[Column[Any]]:
    """In the order in which `shown` takes their values."""
    return list(class_mapper(kind).columns)


def shown(kind: type, names: Sequence[str], values: Sequence[Any]) -> Any:
    """An instance to be looked at. No session knows it: whoever assigns to it is refused."""
    row: Any = object.__new__(kind)
    row.__dict__.update(zip(names, values, strict=True))
    return row


def keep(session: Session, row: Any, id_: int) -> None:
    """`row` holds every column: from now on it is the session's, as if that had loaded it."""
    state = instance_state(row)
    state.key = _identity(type(row), id_)
    if state.modified or state.committed_state or state.expired:
        state._commit_all(state.dict)
    state.session_id = session.hash_key
    session.identity_map.add(state)


def held(session: Session, kind: type, id_: int) -> Any:
    """What the session has of this row; None where it has nothing."""
    return session.identity_map.get(_identity(kind, id_))


def _identity(kind: type, id_: int) -> Any:
    """As `sqlalchemy.orm.util.identity_key` builds it, for a class that inherits from no other mapped one."""
    return (kind, (id_,), None)
