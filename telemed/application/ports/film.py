"""What the use cases need of the models that read films."""

from typing import Protocol

from telemed.domain.analysis import Analysis
from telemed.domain.inference import Urgency
from telemed.imaging.film import Film

FILM_TASK = "film-finding"
"""The task of a model that reads a film instead of a waveform."""


class FilmAnalyser(Protocol):
    def fits(self, model: str, film: Film, *, version: str | None = None) -> bool:
        """Whether the film's header is in the model's domain; nothing is decoded."""

    def analyse_film(
        self, model: str, film: Film, *, version: str | None = None, urgency: Urgency = Urgency.ROUTINE
    ) -> Analysis:
        """Out of domain is an answer; raises as `Analyser.analyse`."""
