"""A runner for one request: the readers ask for a model by name, and whom they ask for is settled here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ai_models.runner import Runner, Tensor
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import Urgency


@dataclass(frozen=True)
class BoundRunner:
    """`runner` with a fixed urgency and version."""

    runner: Runner
    urgency: Urgency
    version: str

    def run(
        self,
        model: str,
        inputs: Mapping[str, Tensor],
        *,
        urgency: Urgency | None = None,
        within: float | None = None,
        version: str | None = None,
    ) -> dict[str, Tensor]:
        return self.runner.run(
            model, inputs, urgency=urgency or self.urgency, within=within, version=version or self.version
        )

    def identity(self, model: str, version: str | None = None) -> ModelIdentity:
        return self.runner.identity(model, version or self.version)

    def check(self, model: str) -> None:
        self.runner.check(model)

    def core(
        self, urgency: Urgency | None = None, *, model: str = "", within: float = 60.0
    ) -> AbstractContextManager[None]:
        return self.runner.core(urgency or self.urgency, model=model, within=within)

    def metrics_text(self) -> bytes:
        return self.runner.metrics_text()
