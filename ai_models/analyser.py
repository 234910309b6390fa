"""All models behind the one face that the use cases know: which there are for a modality, and what one answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_models.bound import BoundRunner
from ai_models.chest.domain import FilmDomain
from ai_models.chest.reader import FilmReader
from ai_models.ecg.interpretation.rules import NAME as STATEMENTS
from ai_models.ecg.interpretation.rules import RuleSet, rule_set, rule_sets
from ai_models.errors import EngineBusy, ModelRefused, RemoteFailed
from ai_models.manifest import Manifest
from ai_models.metrics import states
from ai_models.registry import Registry
from ai_models.runner import Runner
from telemed.domain.analysis import Analysis
from telemed.domain.errors import Unavailable
from telemed.domain.inference import TAKEN_OUT, Urgency
from telemed.imaging.film import Film
from telemed.imaging.waveform import Waveform

if TYPE_CHECKING:
    from ai_models.ecg.recording import Recording


@dataclass(frozen=True)
class ModelInService:
    """A model as people are shown it; `sha256` is what an administrator approves."""

    manifest: Manifest | RuleSet

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
    """Satisfies the port of the same name. `runner` is an `Engine` or a `RemoteRunner`.

    `elsewhere` gives the counters of the engine that works beside this process; empty where none does. With
    `asks_elsewhere` they also say whether the models answer: a process that shows pages need not load any for that.
    """

    def __init__(
        self,
        runner: Runner,
        registry: Registry | None = None,
        *,
        elsewhere: Callable[[], bytes] | None = None,
        asks_elsewhere: bool = False,
    ) -> None:
        self._runner, self._elsewhere = runner, elsewhere
        self._asks_elsewhere = asks_elsewhere
        self._registry = registry if registry is not None else Registry()
        self._here = threading.local()

    def models_for(self, modality: str) -> Sequence[ModelInService]:
        """All versions, each model's newest first: an older one answers on until the newer is approved.

        The rules for statements are one of them: they are approved, and answer, like a model.
        """
        networks = [
            manifest
            for newest in self._registry.for_modality(modality)
            for manifest in self._registry.versions(newest.name)
        ]
        rules = [rules for rules in rule_sets() if modality in rules.modalities]
        return [*map(ModelInService, networks), *map(ModelInService, rules)]

    def analyse(
        self,
        model: str,
        waveform: Waveform,
        *,
        version: str | None = None,
        urgency: Urgency = Urgency.ROUTINE,
    ) -> Analysis:
        """Answer for (12, n) mV. Raises Unavailable where the engine is busy or does not answer, or the model is out.

        Preparing the signal takes longer than the network, so both happen on one core of the engine's own.
        """
        chosen = rule_set(version) if model == STATEMENTS else self._registry.get(model, version)
        try:
            with self._runner.core(urgency, model=model, within=self._within(chosen, urgency)):
                return self._recording(waveform, urgency).answer(chosen)
        except (EngineBusy, RemoteFailed) as error:
            raise Unavailable(error.code, **error.params) from error

    def _within(self, chosen: Manifest | RuleSet, urgency: Urgency) -> float:
        """Seconds in which an answer is needed; of rules as of the slowest of the networks they speak of."""
        if isinstance(chosen, Manifest):
            return chosen.engine.within_s[urgency]
        return max(self._within(self._registry.get(*used), urgency) for used in chosen.networks.items())

    def _recording(self, waveform: Waveform, urgency: Urgency) -> Recording:
        """A recording goes to several models one after the other: the last one of this thread is kept."""
        # Its signal library costs a second and 60 MB: only a process that reads loads it.
        from ai_models.ecg.recording import Recording

        last: Recording | None = getattr(self._here, "last", None)
        if last is None or last.waveform is not waveform:
            last = Recording(
                waveform,
                lambda manifest: BoundRunner(self._runner, urgency, manifest.version),
                self._registry,
            )
            self._here.last = last
        return last

    def fits(self, model: str, film: Film, *, version: str | None = None) -> bool:
        """Whether the film's header is in the model's domain; nothing is decoded."""
        domain = FilmDomain.of(self._registry.get(model, version))
        return domain.header_reason(film.facts) is None

    def analyse_film(
        self, model: str, film: Film, *, version: str | None = None, urgency: Urgency = Urgency.ROUTINE
    ) -> Analysis:
        """Answer for a film; raises as `analyse`. A film that its header rules out is not decoded."""
        manifest = self._registry.get(model, version)
        runner = BoundRunner(self._runner, urgency, manifest.version)
        try:
            with runner.core(model=model, within=self._within(manifest, urgency)):
                return FilmReader(runner, manifest).read(film)
        except (EngineBusy, RemoteFailed) as error:
            raise Unavailable(error.code, **error.params) from error

    def refuse(
        self, model: str, reason: str, params: dict[str, str | int], *, version: str | None = None
    ) -> Analysis:
        """Out of domain before the network was asked, because the object holds nothing it reads."""
        if model == STATEMENTS:
            rules = rule_set(version)
            networks = [self._runner.identity(name, used) for name, used in rules.networks.items()]
            return Analysis(rules.identity(networks), False, reason, params)
        manifest = self._registry.get(model, version)
        return Analysis(self._runner.identity(model, manifest.version), False, reason, params)

    def metrics(self) -> bytes:
        """What the engine counts, in Prometheus' text format; empty where it cannot be asked."""
        beside = self._elsewhere() if self._elsewhere is not None else b""
        return beside or self._runner.metrics_text()

    def check(self) -> None:
        """Raises ModelRefused, RemoteFailed: a model, its digest or its provider is not what was asked for."""
        if self._asks_elsewhere:
            self._check_elsewhere()
            return
        for manifest in self._registry.models():
            self._runner.check(manifest.name)

    def _check_elsewhere(self) -> None:
        found = states(self._elsewhere()) if self._elsewhere is not None else {}
        for manifest in self._registry.models():
            well = found.get((manifest.name, manifest.version))
            if well is None:
                raise RemoteFailed("inference.no_worker", name=manifest.name)
            if not well:
                raise ModelRefused(TAKEN_OUT, name=manifest.name, reason="-")
