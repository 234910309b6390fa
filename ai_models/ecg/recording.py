"""One recording before several models: what two of them need is computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from ai_models.ecg.delineation.measure import Measured
from ai_models.ecg.delineation.reader import MODEL as DELINEATION
from ai_models.ecg.delineation.reader import DelineationReader
from ai_models.ecg.gate import Verdict, judge
from ai_models.ecg.interpretation.reader import interpret
from ai_models.ecg.interpretation.rules import RuleSet
from ai_models.ecg.reader import MODEL as CLASSIFICATION
from ai_models.ecg.reader import EcgReader
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis
from telemed.imaging.waveform import Waveform


class Recording:
    """Answers about one waveform, each model asked at most once.

    `runner_for` gives the runner of one model's version. Raises what the runner raises, and ModelRefused for a
    task that no reader has.
    """

    def __init__(
        self, waveform: Waveform, runner_for: Callable[[Manifest], Runner], registry: Registry
    ) -> None:
        self.waveform = waveform
        self._runner_for, self._registry = runner_for, registry
        self._classified: dict[str, Analysis] = {}
        self._measured: dict[str, tuple[Analysis, Measured | None]] = {}

    @cached_property
    def verdict(self) -> Verdict:
        """May the recording be read at all; with it its samples at the rates that the models want."""
        return judge(self.waveform)

    def answer(self, model: Manifest | RuleSet, waves: bool = False) -> Analysis:
        """What `model` says; `waves` adds the marks of every beat to what a delineation says."""
        if isinstance(model, RuleSet):
            return self._statements(model)
        if model.task == "ecg-classification":
            return self.classified(model)
        if model.task == "ecg-delineation":
            return self.delineated(model, waves)[0]
        raise ModelRefused("model.no_reader", name=model.name, task=model.task)

    def classified(self, manifest: Manifest) -> Analysis:
        if manifest.version not in self._classified:
            reader = EcgReader(self._runner_for(manifest), manifest)
            self._classified[manifest.version] = reader.read(self.waveform, self.verdict)
        return self._classified[manifest.version]

    def delineated(self, manifest: Manifest, waves: bool = False) -> tuple[Analysis, Measured | None]:
        """The answer, and what it was made from. Its hundreds of marks of waves are made only where asked for."""
        found = self._measured.get(manifest.version)
        if found is None or (waves and found[1] is not None and not found[0].waves):
            reader = DelineationReader(self._runner_for(manifest), manifest)
            found = self._measured[manifest.version] = reader.read_measured(
                self.waveform, waves, self.verdict
            )
        answer, measured = found
        return answer if waves else replace(answer, waves=()), measured

    def _statements(self, rules: RuleSet) -> Analysis:
        classified = self.classified(self._registry.get(CLASSIFICATION, rules.networks[CLASSIFICATION]))
        delineated, measured = self.delineated(self._registry.get(DELINEATION, rules.networks[DELINEATION]))
        return interpret(rules, self.waveform, classified, delineated, measured, self.verdict)
