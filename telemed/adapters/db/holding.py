"""A session that holds new rows back until something is flushed, and then inserts each kind in one statement."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from telemed.adapters.db.direct import insert, insert_blind, update
from telemed.adapters.db.search_keys import stand_under_name
from telemed.domain.case import Case
from telemed.domain.events import Event
from telemed.domain.study import Study

# Written, and never looked at again by whoever wrote it.
_BLIND = (Event,)
# Changed for every object that arrives or is answered for; with the columns whose change others follow, left
# to SQLAlchemy (`search_keys`).
_DIRECT: dict[type, frozenset[str]] = {Study: frozenset(), Case: frozenset({"patient_id"})}


def _is_plain(row: Any) -> bool:
    followed = _DIRECT.get(type(row))
    return followed is not None and followed.isdisjoint(inspect(row).committed_state)


class HoldingSession(Session):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._held_back: list[Any] = []
        self._current: Connection | None = None

    def insert_later(self, row: Any) -> None:
        """With the next flush, and so before whatever is asked; `row` points to rows that have their ids."""
        self._held_back.append(row)

    def connection(self, *args: Any, **options: Any) -> Connection:
        # Asked for by every statement of ours; SQLAlchemy looks for it anew each time.
        if args or options:
            return super().connection(*args, **options)
        if self._current is None:
            self._current = super().connection()
        return self._current

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        changed = [] if self._new or self._deleted else list(self.dirty)
        if changed and all(_is_plain(row) for row in changed):
            for row in changed:
                update(self, row)
        else:
            super().flush(objects)
        if self._held_back:
            rows, self._held_back = self._held_back, []
            for kind, same in groupby(sorted(rows, key=lambda row: type(row).__name__), type):
                if kind in _BLIND:
                    insert_blind(self.connection(), list(same))
                    continue
                fresh = list(same)
                for row in fresh if kind is Case else ():
                    stand_under_name(self, row)
                insert(self, fresh)

    def commit(self) -> None:
        # A session with nothing else to write would not flush.
        self.flush()
        self._current = None
        super().commit()

    def rollback(self) -> None:
        self._current = None
        super().rollback()

    def close(self) -> None:
        self._held_back.clear()
        self._current = None
        super().close()
