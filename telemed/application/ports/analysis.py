"""Models, wherever they run."""

from collections.abc import Sequence
from typing import Protocol

from telemed.application.ports.film import FilmAnalyser
from telemed.application.ports.worklist import WorklistRow as WorklistRow
from telemed.domain.analysis import Analysis
from telemed.domain.inference import Urgency
from telemed.imaging.waveform import Waveform


class Analyser(FilmAnalyser, Protocol):
    def models_for(self, modality: str) -> Sequence["ModelDescription"]:
        """Every version of each model for a modality, the newest first."""

    def analyse(
        self,
        model: str,
        waveform: Waveform,
        *,
        version: str | None = None,
        urgency: Urgency = Urgency.ROUTINE,
    ) -> Analysis:
        """Out of domain is an answer; raises Unavailable where the engine does not answer, with code
        `TAKEN_OUT` where no further attempt would change that."""

    def refuse(
        self, model: str, reason: str, params: dict[str, str | int], *, version: str | None = None
    ) -> Analysis:
        """The answer about bytes that hold nothing the model reads: out of domain, with the reason."""

    def check(self) -> None:
        """Raises Unavailable where a model or its provider is not ready."""

    def metrics(self) -> bytes:
        """The engine's counters in Prometheus' text format; empty where it cannot be asked."""


class ModelDescription(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def task(self) -> str: ...
    def card(self, language: str) -> str:
        """The model card, as Markdown."""
