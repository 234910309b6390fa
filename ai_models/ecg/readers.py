"""Which reader belongs to a model, by the task its manifest states."""

from __future__ import annotations

from typing import Protocol

from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.reader import EcgReader
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis, ModelIdentity
from telemed.imaging.waveform import Waveform


class WaveformReader(Protocol):
    """Answers for a 12-lead recording with one model's identity."""

    @property
    def identity(self) -> ModelIdentity: ...

    def read(self, waveform: Waveform) -> Analysis: ...


def reader_for(runner: Runner, manifest: Manifest) -> WaveformReader:
    """The reader of an ECG model. Raises ModelRefused for a task that no reader has."""
    if manifest.task == "ecg-classification":
        return EcgReader(runner, manifest)
    if manifest.task == "ecg-delineation":
        return DelineationReader(runner, manifest)
    raise ModelRefused("model.no_reader", name=manifest.name, task=manifest.task)
