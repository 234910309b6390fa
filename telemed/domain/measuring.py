"""Intervals of a representative beat from the marks that stand in it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise

from telemed.domain.errors import InvalidInput

LONGEST_MS = 2000.0
"""Farther than this from the QRS no mark of the same beat stands."""


def qtc_bazett(qt_ms: float, rr_ms: float) -> float:
    """QT / sqrt(RR in s), ms. Bazett HC, Heart 1920;7:353-370."""
    return qt_ms / math.sqrt(rr_ms / 1000)


def qtc_fridericia(qt_ms: float, rr_ms: float) -> float:
    """QT / cube root of RR in s, ms. Fridericia LS, Acta Med Scand 1920;53:469-486."""
    return float(qt_ms / (rr_ms / 1000) ** (1 / 3))


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Milliseconds from the point that all beats share; None where there is no such wave."""

    p_onset_ms: float | None = None
    p_offset_ms: float | None = None
    qrs_onset_ms: float
    qrs_offset_ms: float
    t_offset_ms: float | None = None

    def __post_init__(self) -> None:
        """Raises InvalidInput where they do not follow each other as the waves of one beat do."""
        if (self.p_onset_ms is None) != (self.p_offset_ms is None):
            raise InvalidInput("error.marks_out_of_order", field="p_offset_ms")
        there = [value for value in asdict(self).values() if value is not None]
        if not all(abs(value) <= LONGEST_MS for value in there):
            raise InvalidInput("error.marks_out_of_order")
        if any(later <= earlier for earlier, later in pairwise(there)):
            raise InvalidInput("error.marks_out_of_order")

    def as_json(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, float]) -> "Marks":
        return cls(**{name: float(value) for name, value in data.items()})


def intervals(marks: Marks, rr_ms: float | None) -> dict[str, float]:
    """p_ms, pr_ms, qrs_ms, qt_ms; QTc and the rate where the mean RR is known. Rounded to 0.1."""
    found = {"qrs_ms": marks.qrs_offset_ms - marks.qrs_onset_ms}
    if marks.p_onset_ms is not None and marks.p_offset_ms is not None:
        found["p_ms"] = marks.p_offset_ms - marks.p_onset_ms
        found["pr_ms"] = marks.qrs_onset_ms - marks.p_onset_ms
    if marks.t_offset_ms is not None:
        found["qt_ms"] = marks.t_offset_ms - marks.qrs_onset_ms
    if rr_ms is not None:
        found["heart_rate_bpm"] = 60_000 / rr_ms
        if "qt_ms" in found:
            found["qtc_ms"] = qtc_bazett(found["qt_ms"], rr_ms)
            found["qtc_fridericia_ms"] = qtc_fridericia(found["qt_ms"], rr_ms)
    return {name: round(value, 1) for name, value in found.items()}
