"""One version of a model at work: it counts its failures, and is taken out when they do not end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from ai_models.errors import ModelFailed, ModelRefused
from ai_models.ladder import Rung
from ai_models.manifest import Manifest
from ai_models.runner import Tensor
from ai_models.session import OrtSession, Session
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import TAKEN_OUT

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many runs in a row that fail take a model out: what then comes of it is more likely wrong than not."""


class InService:
    """One version of a model, ready to run."""

    def __init__(self, manifest: Manifest, rung: Rung) -> None:
        self.manifest, self.rung = manifest, rung
        self.session: Session = rung.session
        self.wide: OrtSession | None = None
        self.measured = False
        self.outputs = [spec.name for spec in manifest.outputs]
        self.cost_s = 0.0
        self.failures = 0
        self.fault = ""
        self.identity = ModelIdentity(
            name=manifest.name,
            version=manifest.version,
            sha256=rung.sha256,
            preprocessing=manifest.preprocessing,
            precision=rung.precision,
            provider=rung.session.provider,
            runtime=rung.session.runtime,
            device=rung.session.device,
        )

    def run(self, inputs: Mapping[str, Tensor], session: Session) -> dict[str, Tensor]:
        """Raises ModelFailed("model.run_failed", "model.bad_output") and, the third time, "model.taken_out"."""
        try:
            values = session.run(self.outputs, inputs)
            if not all(value.dtype.kind != "f" or np.isfinite(value).all() for value in values):
                raise ModelFailed(
                    "model.bad_output", name=self.manifest.name, shape=str([list(v.shape) for v in values])
                )
        except Exception as error:
            raise self._failed(error) from error
        self.failures = 0
        return dict(zip(self.outputs, values, strict=True))

    def demand(self) -> None:
        if self.fault:
            raise ModelRefused(TAKEN_OUT, name=self.manifest.name, reason=self.fault)

    def _failed(self, error: Exception) -> ModelFailed | ModelRefused:
        self.failures += 1
        detail = str(error)[:200] or type(error).__name__
        if self.failures < MOST_FAILURES:
            if isinstance(error, ModelFailed):
                return error
            return ModelFailed("model.run_failed", name=self.manifest.name, detail=detail)
        self.fault = detail
        log.error("model %s %s taken out: %s", self.manifest.name, self.manifest.version, detail)
        return ModelRefused(TAKEN_OUT, name=self.manifest.name, reason=detail)
