"""The beat that a case's measurements were taken from: fetched when it is drawn, never with the case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telemed.application.read import find_case
from telemed.application.shown_answers import shown_answers
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.analysis import RepresentativeBeat

FIELD = "median_beat"
"""Its name in a stored answer."""


@dataclass(frozen=True)
class ShownBeat:
    analysis: str
    sop_instance_uid: str
    rr_ms: float | None
    beat: RepresentativeBeat


def median_beats(world: World, *, actor: Actor, uid: str) -> list[ShownBeat]:
    """Of every answer that has one, in the order of the answers. Raises NotFound as the case itself does."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, uid)
        return [
            ShownBeat(
                row.uid,
                row.sop_instance_uid,
                mean_rr(row.answer),
                RepresentativeBeat.from_json(row.answer[FIELD]),
            )
            for row in shown_answers(uow, case, FIELD)
        ]


def mean_rr(answer: Mapping[str, Any]) -> float | None:
    """Milliseconds; None where the recording has too few beats for one."""
    value = (answer.get("measurements") or {}).get("rr_mean_ms")
    return float(value) if value else None
