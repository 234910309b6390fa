"""Runs models in this process: one session a model, as many at once as there are cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from ai_models import ladder, memory
from ai_models.batching import GPU_RUNNERS, JointRun, kind_of, rows_of
from ai_models.errors import EngineBusy, InvalidTensor, ModelFailed, ModelRefused
from ai_models.evidence import REFERENCE
from ai_models.in_service import InService
from ai_models.ladder import Rung
from ai_models.manifest import Manifest
from ai_models.metrics import Metrics
from ai_models.registry import Registry, read_weights
from ai_models.runner import Tensor, check_inputs
from ai_models.scheduler import Scheduler
from ai_models.session import CPU, CUDA, OrtSession, Session, open_session, usable_cores
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import Urgency

__all__ = ["CPU", "Engine", "usable_cores"]

PROVIDERS = {"cpu": CPU, "cuda": CUDA}
MOST_ROWS = 128
"""Of one request: it holds its runner to its end, and whoever is urgent waits for it."""


class Engine:
    """A Runner in this process.

    Who runs next is the scheduler's business; a model's line is bounded and its answers are in time or refused.
    Sessions are made at the first use of a model, or all at once by `warm`; make the engine after a fork, never
    before it. `precision`: "fp32" (the reference), "auto" (the fastest rung with evidence), or a rung by name.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        provider: str = CPU,
        runners: int | None = None,
        waiting: int = 128,
        *,
        precision: str = REFERENCE,
    ) -> None:
        self.registry = registry if registry is not None else Registry()
        self.provider, self.precision = provider, precision
        self.runners = runners or (usable_cores() if provider == CPU else GPU_RUNNERS)
        self.metrics = Metrics()
        self.scheduler = Scheduler(self.runners, bound=waiting)
        self.metrics.watch(self.scheduler.waiting, self.scheduler.running)
        self._loaded: dict[tuple[str, str], InService] = {}
        self._loading = threading.Lock()
        self._here = threading.local()

    def warm(self) -> None:
        """Load, verify and run every model once. Raises ModelRefused for the first that may not run."""
        for manifest in self.registry.models():
            loaded = self._model(manifest.name)
            if not loaded.measured:
                loaded.wide, loaded.measured = self._worth_all_cores(loaded), True
        memory.give_back()

    def identity(self, model: str, version: str | None = None) -> ModelIdentity:
        """What runs under `model`: the digest of the very bytes its session was made from."""
        return self._model(model, version).identity

    def holds(self, manifests: Iterable[Manifest]) -> bool:
        """Whether all of them are loaded: nothing asked of them waits for that."""
        return all((one.name, one.version) in self._loaded for one in manifests)

    def rung(self, model: str, version: str | None = None) -> Rung:
        """The chosen precision, and how it was chosen."""
        return self._model(model, version).rung

    def check(self, model: str, version: str | None = None) -> None:
        """Raises ModelRefused where `model` would not answer: its files, its provider, or "model.taken_out"."""
        self._model(model, version).demand()

    def run(
        self,
        model: str,
        inputs: Mapping[str, Tensor],
        *,
        urgency: Urgency = Urgency.ROUTINE,
        within: float | None = None,
        version: str | None = None,
    ) -> dict[str, Tensor]:
        """Run `model` on named tensors as its manifest declares them; returns the outputs by name.

        `within`: seconds in which the answer is needed; the manifest's for this urgency by default. Raises
        UnknownModel, ModelRefused, ModelFailed, InvalidTensor, and EngineBusy where it cannot be answered in time.
        """
        loaded = self._admit(model, version, inputs)
        if getattr(self._here, "holds_slot", False):
            return self._work(loaded, inputs, loaded.session)
        if urgency is Urgency.STAT and loaded.wide is not None and self.scheduler.take_all():
            try:
                return self._work(loaded, inputs, loaded.wide)
            finally:
                self.scheduler.give_all()
        seconds = self._seconds(loaded, urgency, within)
        with self._counted(loaded.manifest.name, urgency, loaded):
            answer: dict[str, Tensor] = self.scheduler.run(
                self._job(loaded, urgency, inputs),
                urgency=urgency, within=seconds, cost=loaded.seconds(inputs),
            )  # fmt: skip
        return answer

    def submit(
        self,
        model: str,
        inputs: Mapping[str, Tensor],
        *,
        urgency: Urgency = Urgency.ROUTINE,
        within: float | None = None,
        version: str | None = None,
    ) -> Future[dict[str, Tensor]]:
        """The same without waiting: the future's result is `run`'s; cancelling it frees its place."""
        loaded = self._admit(model, version, inputs)
        seconds = self._seconds(loaded, urgency, within)
        with self._counted(loaded.manifest.name, urgency, loaded):
            return self.scheduler.submit(
                self._job(loaded, urgency, inputs),
                urgency=urgency, within=seconds, cost=loaded.seconds(inputs),
            )  # fmt: skip

    @contextmanager
    def core(
        self, urgency: Urgency = Urgency.ROUTINE, *, model: str = "", within: float = 60.0
    ) -> Iterator[None]:
        """One core for the caller's thread, for decoding and for the runs inside: both together never use more
        threads than there are runners. `model` is whom its wait is counted for. Raises EngineBusy.
        """
        if getattr(self._here, "holds_slot", False):
            yield
            return
        asked = time.perf_counter()
        with (
            self._counted(model, urgency),
            self.scheduler.slot(urgency=urgency, within=within, cost=0.0),
        ):
            self.metrics.queued(model, urgency, time.perf_counter() - asked)
            self._here.holds_slot = True
            try:
                yield
            finally:
                self._here.holds_slot = False

    def reload(self) -> Sequence[ModelIdentity]:
        """Look for versions that were installed since, and put a model that was taken out to the test again.

        The new version is loaded and run once beside the old, which answers meanwhile; what was asked of the old
        one is answered by it, and it stays in service under its version as long as its folder is there. Raises
        ModelRefused, and then nothing has changed.
        """
        registry = Registry(self.registry.root, self.registry.signers)
        fresh = {}
        for manifest in registry.models():
            key = (manifest.name, manifest.version)
            known = self._loaded.get(key)
            if known is None or known.fault or known.manifest != manifest:
                fresh[key] = self._load(manifest, registry)
        kept = {
            (manifest.name, manifest.version)
            for model in registry.models()
            for manifest in registry.versions(model.name)
        }
        with self._loading:
            before = self._loaded
            left = {key: loaded for key, loaded in before.items() if key in kept}
            self._loaded, self.registry = {**left, **fresh}, registry
        told = {loaded.identity for loaded in self._loaded.values()}
        for loaded in before.values():
            if loaded.identity not in told:
                self.metrics.gone(loaded.identity)
        return [self.identity(manifest.name) for manifest in registry.models()]

    def metrics_text(self) -> bytes:
        """What it counted, in Prometheus' text format."""
        return self.metrics.text()

    def close(self) -> None:
        """Refuse what waits and let what runs come to its end."""
        self.scheduler.close()

    def _admit(self, model: str, version: str | None, inputs: Mapping[str, Tensor]) -> InService:
        loaded = self._model(model, version)
        loaded.demand()
        check_inputs(loaded.manifest.inputs, inputs)
        rows = rows_of(inputs)
        if rows > MOST_ROWS:
            raise InvalidTensor("tensor.rows", found=rows, limit=MOST_ROWS)
        return loaded

    def _seconds(self, loaded: InService, urgency: Urgency, within: float | None) -> float:
        return loaded.manifest.engine.within_s[urgency] if within is None else within

    @contextmanager
    def _counted(self, model: str, urgency: Urgency, loaded: InService | None = None) -> Iterator[None]:
        try:
            yield
        except EngineBusy as error:
            self.metrics.refused(model, urgency, error.code.removeprefix("model."))
            if loaded is not None and error.code == "model.too_late" and not self.scheduler.running():
                loaded.doubt()
            raise

    def _job(
        self, loaded: InService, urgency: Urgency, inputs: Mapping[str, Tensor]
    ) -> Callable[[], dict[str, Tensor]]:
        asked = time.perf_counter()

        def job(inputs: Mapping[str, Tensor] = inputs) -> dict[str, Tensor]:
            self.metrics.queued(loaded.manifest.name, urgency, time.perf_counter() - asked)
            return self._work(loaded, inputs, loaded.session)

        if self.provider != CUDA:
            return job
        return JointRun((id(loaded), kind_of(inputs)), inputs, job)

    def _work(self, loaded: InService, inputs: Mapping[str, Tensor], session: Session) -> dict[str, Tensor]:
        loaded.demand()
        started = time.perf_counter()
        try:
            answer = loaded.run(inputs, session)
        except (InvalidTensor, ModelFailed, ModelRefused):
            self.metrics.failed(loaded.manifest.name)
            self.metrics.in_service(loaded.identity, not loaded.fault)
            raise
        spent = time.perf_counter() - started
        loaded.took(inputs, spent)
        self.metrics.ran(loaded.manifest.name, rows_of(inputs), spent)
        return answer

    def _model(self, name: str, version: str | None = None) -> InService:
        manifest = self.registry.get(name, version)
        key = (name, manifest.version)
        loaded = self._loaded.get(key)
        if loaded is None:
            with self._loading:
                loaded = self._loaded.get(key)
                if loaded is None:
                    loaded = self._loaded[key] = self._load(manifest, self.registry)
        return loaded

    def _load(self, manifest: Manifest, registry: Registry) -> InService:
        rung = ladder.choose(manifest, self.provider, self.precision, registry.signers)
        loaded = InService(manifest, rung)
        # The first run of a session allocates, and says nothing of how long the next takes.
        loaded.run(ladder.typical_inputs(manifest), loaded.session)
        self.metrics.in_service(loaded.identity, True)
        return loaded

    def _worth_all_cores(self, loaded: InService) -> OrtSession | None:
        """A second session with a thread a core, where the manifest wants it or a timing shows it is faster."""
        wish, narrow = loaded.manifest.engine.wide, loaded.session
        if wish is False or self.runners < 2 or not isinstance(narrow, OrtSession) or self.provider != CPU:
            return None
        if loaded.rung.precision != loaded.manifest.precision:
            return None
        wide = open_session(loaded.manifest, read_weights(loaded.manifest), threads=self.runners)
        inputs = ladder.typical_inputs(loaded.manifest)
        if wish is None:
            alone, together = ladder.timed(
                [lambda: narrow.run(loaded.outputs, inputs), lambda: wide.run(loaded.outputs, inputs)]
            )
            if together > ladder.WORTH_IT * alone:
                return None
        return wide
