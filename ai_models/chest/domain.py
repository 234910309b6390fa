"""Which films a network may look at, as its manifest states it, held against a film's header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ai_models.manifest import Manifest
from telemed.imaging.film import FilmFacts

KINDS = ("adult", "child", "turned", "other")
"""What the learned gate tells apart, in the order of its output."""
Params = dict[str, str | int]


@dataclass(frozen=True)
class FilmDomain:
    """`age_years` from (included) to (excluded); `kind` one of `KINDS`, with at least `least_kind` of the gate's
    probability; `smallest_side` in pixels, `aspect` the width over the height."""

    modalities: tuple[str, ...]
    age_years: tuple[float, float]
    views: tuple[str, ...]
    body_parts: tuple[str, ...]
    smallest_side: int
    aspect: tuple[float, float]
    kind: str
    least_kind: float

    @classmethod
    def of(cls, manifest: Manifest) -> FilmDomain:
        """Raises KeyError, TypeError or ValueError where the manifest is not one of a film network."""
        data: Mapping[str, Any] = manifest.domain
        if data["kind"] not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}")
        return cls(
            modalities=tuple(data["modalities"]),
            age_years=(float(data["age_years"][0]), float(data["age_years"][1])),
            views=tuple(data["views"]),
            body_parts=tuple(data["body_parts"]),
            smallest_side=int(data["smallest_side"]),
            aspect=(float(data["aspect"][0]), float(data["aspect"][1])),
            kind=str(data["kind"]),
            least_kind=float(data["least_kind"]),
        )

    def header_reason(self, facts: FilmFacts) -> tuple[str, Params] | None:
        """Why the header rules the film out; None where it does not.

        Reasons: film.modality, film.body_part, film.no_age, film.age, film.no_view, film.view,
        film.for_processing, film.too_small, film.shape. A body part that nobody wrote is left to the learned gate;
        an age or a view that nobody wrote is not.
        """
        if not facts.bare and facts.modality not in self.modalities:
            return "film.modality", {"found": facts.modality or "-", "wanted": ", ".join(self.modalities)}
        if facts.body_part and not any(part in facts.body_part for part in self.body_parts):
            return "film.body_part", {"found": facts.body_part}
        if facts.age_years is None:
            return "film.no_age", {}
        first, last = self.age_years
        if not first <= facts.age_years < last:
            limits: Params = {"first": f"{first:g}", "last": f"{last:g}"}
            return "film.age", {"years": f"{facts.age_years:g}", **limits}
        if facts.view is None:
            return "film.no_view", {}
        if facts.view not in self.views:
            return "film.view", {"found": facts.view, "wanted": ", ".join(self.views)}
        return self._picture_reason(facts)

    def _picture_reason(self, facts: FilmFacts) -> tuple[str, Params] | None:
        if facts.for_processing:
            return "film.for_processing", {}
        size: Params = {"rows": facts.rows, "columns": facts.columns}
        if min(facts.rows, facts.columns) < self.smallest_side:
            return "film.too_small", {**size, "limit": self.smallest_side}
        if not self.aspect[0] <= facts.columns / facts.rows <= self.aspect[1]:
            return "film.shape", size
        return None

    def gate_reason(self, kinds: Sequence[float]) -> tuple[str, Params] | None:
        """Why the picture itself rules the film out, whatever its header says; None where it does not.

        Reasons: film.looks_adult, film.looks_child, film.turned, film.not_chest, film.unsure, each with the
        gate's probability in percent.
        """
        own = KINDS.index(self.kind)
        if kinds[own] >= self.least_kind:
            return None
        most = max(range(len(KINDS)), key=lambda index: kinds[index])
        if most == own:
            return "film.unsure", {"percent": round(100 * float(kinds[own]))}
        code = ("film.looks_adult", "film.looks_child", "film.turned", "film.not_chest")[most]
        return code, {"percent": round(100 * float(kinds[most]))}
