"""What a reader measured in a picture: where, and what came out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from telemed.domain.errors import InvalidInput

# A picture has no more pixels a side; a mark may begin a little outside of it.
_FARTHEST = 100_000.0


class MarkKind(StrEnum):
    LENGTH = "length"
    ANGLE = "angle"
    ELLIPSE = "ellipse"
    RECTANGLE = "rectangle"


POINTS: Mapping[MarkKind, int] = {
    MarkKind.LENGTH: 2,
    MarkKind.ANGLE: 3,
    # The ends of both axes: bottom, top, left, right.
    MarkKind.ELLIPSE: 4,
    # Its corners.
    MarkKind.RECTANGLE: 4,
}
# What each kind may say, in the order in which it is said.
VALUES: Mapping[MarkKind, tuple[str, ...]] = {
    MarkKind.LENGTH: ("length",),
    MarkKind.ANGLE: ("angle",),
    MarkKind.ELLIPSE: ("area", "mean", "spread", "low", "high"),
    MarkKind.RECTANGLE: ("area", "mean", "spread", "low", "high"),
}
# Of lengths and areas: the patient's millimetres, those at the detector, or pixels where nothing says how large.
UNITS = ("mm", "detector", "pixels")


@dataclass(frozen=True, kw_only=True)
class PictureMark:
    """`points` (x, y) in pixels from the upper left corner of the picture; `values` by their names.

    `unit` is one of UNITS, `hounsfield` whether grey values are in HU. Raises InvalidInput where these do not fit.
    """

    uid: str
    kind: MarkKind
    sop_instance_uid: str
    frame: int
    points: tuple[tuple[float, float], ...]
    values: Mapping[str, float]
    unit: str
    hounsfield: bool = False

    def __post_init__(self) -> None:
        numbers = [number for point in self.points for number in point]
        if len(self.points) != POINTS[self.kind] or not all(abs(one) <= _FARTHEST for one in numbers):
            raise InvalidInput("error.picture_mark", field="points")
        known = set(self.values) <= set(VALUES[self.kind])
        if not known or not all(math.isfinite(one) for one in self.values.values()):
            raise InvalidInput("error.picture_mark", field="values")
        if self.unit not in UNITS:
            raise InvalidInput("error.picture_mark", field="unit")

    def facts(self) -> dict[str, Any]:
        """As an event keeps it."""
        return {
            "mark": self.uid,
            "mark_kind": self.kind.value,
            "sop_instance_uid": self.sop_instance_uid,
            "frame": self.frame,
            "points": [list(point) for point in self.points],
            "values": dict(self.values),
            "unit": self.unit,
            "hounsfield": self.hounsfield,
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        return cls(
            uid=facts["mark"],
            kind=MarkKind(facts["mark_kind"]),
            sop_instance_uid=facts["sop_instance_uid"],
            frame=facts["frame"],
            points=tuple((point[0], point[1]) for point in facts["points"]),
            values=facts["values"],
            unit=facts["unit"],
            hounsfield=facts["hounsfield"],
        )
