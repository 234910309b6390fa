"""What a model's manifest says of how it is to be run; every value has a default that needs no tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telemed.domain.inference import Urgency

WITHIN_S = {Urgency.STAT: 10.0, Urgency.ROUTINE: 30.0, Urgency.BACKFILL: 120.0}


@dataclass(frozen=True)
class RunSettings:
    """`engine` of a manifest.

    `within_s`: seconds in which a request of each class must be answered, where it does not say itself.
    `wide`: may a lone urgent request run on all cores: True, False, or None, measured when the model is loaded.
    `typical`: shapes of one usual request by input name, used to warm and to time; a free dimension left out is 1.
    """

    within_s: Mapping[Urgency, float] = field(default_factory=lambda: dict(WITHIN_S))
    wide: bool | None = None
    typical: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSettings:
        """Raises KeyError, TypeError, ValueError for what makes no sense; unknown names are refused."""
        unknown = set(data) - {"within_s", "wide", "typical"}
        if unknown:
            raise ValueError(f"engine has no setting {', '.join(sorted(unknown))}")
        within = {Urgency(name): float(value) for name, value in data.get("within_s", {}).items()}
        if not all(math.isfinite(value) and value > 0 for value in within.values()):
            raise ValueError("within_s must be seconds above 0")
        wide = data.get("wide")
        if not isinstance(wide, bool | None):
            raise TypeError("wide must be true, false or null")
        typical = {
            str(name): tuple(int(size) for size in shape) for name, shape in data.get("typical", {}).items()
        }
        return cls({**WITHIN_S, **within}, wide, typical)
