"""Where the networks looked on a case's films: fetched when a reader asks for it, never with the case."""

from dataclasses import dataclass

from telemed.application.read import find_case
from telemed.application.shown_answers import shown_answers
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.analysis import HeatMap

FIELD = "heat_map"
"""Its name in a stored answer."""


@dataclass(frozen=True)
class ShownHeatMap:
    sop_instance_uid: str
    model_name: str
    model_version: str
    heat_map: HeatMap


def heat_maps(world: World, *, actor: Actor, uid: str) -> list[ShownHeatMap]:
    """Of every answer that has one, in the order of the answers. Raises NotFound as the case itself does."""
    demand(actor, Action.SEE_CASE)
    with world.unit_of_work(write=False) as uow:
        case = find_case(uow, actor, uid)
        return [
            ShownHeatMap(
                row.sop_instance_uid, row.model_name, row.model_version, HeatMap.from_json(row.answer[FIELD])
            )
            for row in shown_answers(uow, case, FIELD)
        ]
