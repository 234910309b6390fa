"""One version of a model at work: it counts its failures, and is taken out when they do not end."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from ai_models import ladder
from ai_models.errors import InvalidTensor, ModelFailed, ModelRefused
from ai_models.ladder import Rung
from ai_models.manifest import Manifest
from ai_models.runner import Tensor
from ai_models.session import OrtSession, Session
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import TAKEN_OUT

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""So many runs in a row that fail take a model out: what then comes of it is more likely wrong than not."""
OUTLIER = 4.0
"""A run that took so many times longer than usual counts as this: the machine was away, not the model slower."""
WEIGHT, DOUBT = 0.1, 0.8


class InService:
    """One version of a model, ready to run."""

    def __init__(self, manifest: Manifest, rung: Rung) -> None:
        self.manifest, self.rung = manifest, rung
        self.session: Session = rung.session
        self.wide: OrtSession | None = None
        self.measured = False
        self.outputs = [spec.name for spec in manifest.outputs]
        self._value_s = 0.0
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

    def seconds(self, inputs: Mapping[str, Tensor]) -> float:
        """How long a run of `inputs` is expected to take; 0 before the first one told."""
        return self._value_s * _values(inputs)

    def took(self, inputs: Mapping[str, Tensor], seconds: float) -> None:
        """A moving mean over some ten runs, by value: a batch, or a long recording, takes longer by its size."""
        found = seconds / _values(inputs)
        if self._value_s:
            found = self._value_s + WEIGHT * (min(found, OUTLIER * self._value_s) - self._value_s)
        self._value_s = found

    def doubt(self) -> None:
        """Somebody was refused for its cost alone: only a run can tell whether that is still true."""
        self._value_s *= DOUBT

    def run(self, inputs: Mapping[str, Tensor], session: Session) -> dict[str, Tensor]:
        """Raises ModelFailed("model.run_failed", "model.bad_output") and, the third time, "model.taken_out".

        InvalidTensor("tensor.fails") where only this input fails and the usual one is answered: that is its
        sender's fault, and takes nothing from others.
        """
        try:
            values = self._answer(inputs, session)
        except Exception as error:
            if self._answers_the_usual(session):
                raise InvalidTensor("tensor.fails", name=self.manifest.name, detail=_told(error)) from error
            raise self._failed(error) from error
        self.failures = 0
        return dict(zip(self.outputs, values, strict=True))

    def demand(self) -> None:
        if self.fault:
            raise ModelRefused(TAKEN_OUT, name=self.manifest.name, reason=self.fault)

    def _answer(self, inputs: Mapping[str, Tensor], session: Session) -> list[Tensor]:
        values = session.run(self.outputs, inputs)
        if not all(value.dtype.kind != "f" or np.isfinite(value).all() for value in values):
            shape = str([list(value.shape) for value in values])
            raise ModelFailed("model.bad_output", name=self.manifest.name, shape=shape)
        return values

    def _answers_the_usual(self, session: Session) -> bool:
        try:
            self._answer(ladder.typical_inputs(self.manifest), session)
        except Exception as error:  # noqa: BLE001 the fault that is told is the one before it
            log.warning("model %s fails on its usual input too: %s", self.manifest.name, _told(error))
            return False
        return True

    def _failed(self, error: Exception) -> ModelFailed | ModelRefused:
        self.failures += 1
        detail = _told(error)
        if self.failures < MOST_FAILURES:
            if isinstance(error, ModelFailed):
                return error
            return ModelFailed("model.run_failed", name=self.manifest.name, detail=detail)
        self.fault = detail
        log.error("model %s %s taken out: %s", self.manifest.name, self.manifest.version, detail)
        return ModelRefused(TAKEN_OUT, name=self.manifest.name, reason=detail)


def _values(inputs: Mapping[str, Tensor]) -> int:
    return sum(value.size for value in inputs.values())


def _told(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
