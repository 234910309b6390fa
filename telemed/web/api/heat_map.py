"""A film's heat map as the page draws it."""

from telemed.application.heat_maps import ShownHeatMap
from telemed.web.api.shapes import Body


class HeatMapOut(Body):
    """`cells` row by row from the top left, 0 to 1; `region` is what they cover: left, top, right, bottom as shares
    of the picture as stored."""

    sop_instance_uid: str
    model: str
    version: str
    finding: str
    cells: list[list[float]]
    region: list[float]


def convert_heat_map(found: ShownHeatMap) -> HeatMapOut:
    return HeatMapOut(
        sop_instance_uid=found.sop_instance_uid,
        model=found.model_name,
        version=found.model_version,
        finding=found.heat_map.finding,
        cells=[list(row) for row in found.heat_map.cells],
        region=list(found.heat_map.region),
    )
