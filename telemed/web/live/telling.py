"""What is told of some events: worked out once for all who see the same cases, then fitted to each reader."""

import json
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from telemed.application.ports import WorklistRow
from telemed.application.worklist import Change, changed, counted
from telemed.application.world import World
from telemed.domain.access import Actor, Scope, case_scope
from telemed.domain.events import Event
from telemed.web.api import convert

_NOBODY = 0


@dataclass(frozen=True)
class Audience:
    """Whoever sees the same cases and reads the same language is told the same rows."""

    scope: Scope
    places: tuple[int, ...]
    language: str

    @classmethod
    def of(cls, actor: Actor) -> "Audience":
        return cls(case_scope(actor.role), (actor.institution_id, *actor.reads_for), actor.language)


@dataclass(frozen=True)
class _Row:
    uid: str
    holder: int | None
    text: str
    # As its holder reads it: "mine".
    holders_text: str


@dataclass(frozen=True)
class Told:
    rows: Sequence[_Row]
    unseen: frozenset[str]
    counts: Mapping[str, int]
    held: Mapping[int, int]

    def to(self, user_id: int, shown: AbstractSet[str]) -> str | None:
        """The event's data for one reader; None where it would say nothing. `shown`: what he was told of before."""
        gone = sorted(self.unseen & shown)
        if not (self.rows or gone or self.counts):
            return None
        rows = ",".join(row.holders_text if row.holder == user_id else row.text for row in self.rows)
        counts = {**self.counts, "mine": self.held.get(user_id, 0)} if self.counts else {}
        return f'{{"rows":[{rows}],"gone":{json.dumps(gone)},"counts":{json.dumps(counts)}}}'


def tell(world: World, actor: Actor, events: Sequence[Event], holders: Collection[int]) -> Told | None:
    """`actor` stands for the whole audience; `holders` are its readers."""
    found = changed(world, actor=actor, events=events, holders=holders)
    return None if found is None else _told(found, actor)


def tell_counts(world: World, actor: Actor, holders: Collection[int]) -> Told:
    return _told(counted(world, actor=actor, holders=holders), actor)


def _told(found: Change, actor: Actor) -> Told:
    rows = [_row(row, actor.language) for row in found.rows]
    return Told(rows, found.unseen, found.counts, found.held)


def _row(found: WorklistRow, language: str) -> _Row:
    holder = found.case.claimed_by
    text = convert.row_for(found, _NOBODY, language).model_dump_json()
    mine = text if holder is None else convert.row_for(found, holder, language).model_dump_json()
    return _Row(found.case.uid, holder, text, mine)
