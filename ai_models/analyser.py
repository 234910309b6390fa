"""All models behind the one face that the use cases know: which there are for a modality, and what one answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_models.errors import EngineBusy, RemoteFailed
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis
from telemed.domain.errors import Unavailable
from telemed.imaging.waveform import Waveform


@dataclass(frozen=True)
class ModelInService:
    """A model as people are shown it; `sha256` is what an administrator approves."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def sha256(self) -> str:
        return self.manifest.sha256

    @property
    def task(self) -> str:
        return self.manifest.task

    def card(self, language: str) -> str:
        """The model card as Markdown, in "zh-CN" or "en"."""
        return self.manifest.card(language).read_text("utf-8")


class Analyser:
    """Satisfies the port of the same name. `runner` is an `Engine` or a `RemoteRunner`."""

    def __init__(self, runner: Runner, registry: Registry | None = None) -> None:
        self._runner = runner
        self._registry = registry if registry is not None else Registry()

    def models_for(self, modality: str) -> Sequence[ModelInService]:
        return [ModelInService(manifest) for manifest in self._registry.for_modality(modality)]

    def analyse(self, model: str, waveform: Waveform) -> Analysis:
        """Answer for (12, n) mV. Raises Unavailable where the engine is busy or does not answer."""
        # Its signal library costs a second and 60 MB: only a process that reads loads it.
        from ai_models.ecg.readers import reader_for

        try:
            return reader_for(self._runner, self._registry.get(model)).read(waveform)
        except (EngineBusy, RemoteFailed) as error:
            raise Unavailable(error.code, **error.params) from error

    def refuse(self, model: str, reason: str, params: dict[str, str | int]) -> Analysis:
        """Out of domain before the network was asked, because the object holds nothing it reads."""
        return Analysis(self._runner.identity(model), False, reason, params)

    def check(self) -> None:
        """Raises ModelRefused, RemoteFailed: a model, its digest or its provider is not what was asked for."""
        for manifest in self._registry.models():
            self._runner.identity(manifest.name)
