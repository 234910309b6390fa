"""Which precision of a model runs here: only what has evidence, and only where it is measurably faster."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ai_models import evidence, openvino_session
from ai_models.errors import ModelRefused
from ai_models.evidence import OPENVINO, REFERENCE, Evidence
from ai_models.manifest import Manifest, TensorSpec
from ai_models.openvino_session import OpenVinoSession
from ai_models.precision import AUTO, Precisions
from ai_models.registry import read_network, read_weights
from ai_models.runner import DATATYPES, Tensor
from ai_models.session import CPU, CUDA, Session, open_session
from ai_models.signature import PublicKey

log = logging.getLogger(__name__)

WORTH_IT = 0.9
"""Another arrangement is taken only where it needs at most this share of the time: less is noise of the machine."""
ROUNDS = 9


@dataclass(frozen=True)
class Rung:
    """A session with what it is; `milliseconds` and `passed_over` say how the choice was made."""

    session: Session
    precision: str
    sha256: str
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    passed_over: Mapping[str, str] = field(default_factory=dict)


def typical_inputs(manifest: Manifest) -> dict[str, Tensor]:
    """Tensors of the usual shape; small numbers from a fixed seed, because zeros are no usual work."""
    generator, shapes = np.random.default_rng(5), manifest.typical_shapes()

    def tensor(spec: TensorSpec) -> Tensor:
        values = generator.standard_normal(shapes[spec.name]) * 0.2
        return np.asarray(values).astype(DATATYPES[spec.datatype])

    return {spec.name: tensor(spec) for spec in manifest.inputs}


def choose(manifest: Manifest, provider: str, precision: str, signers: tuple[PublicKey, ...] = ()) -> Rung:
    """The rung to run `manifest` on. `precision`: "auto", the reference, or one by name, for all models or for some
    (`Precisions`).

    A rung asked for by name and not to be had is an error, never replaced: ModelRefused("model.no_rung",
    name, precision, reason). On other providers than the CPU only the reference runs, and a rung by name is
    ModelRefused("model.rung_needs_cpu", name, precision, provider): it would run on the CPU in silence.
    """
    taken = _chosen(manifest, provider, Precisions.parse(precision).of(manifest.name), signers)
    log.info("%s %s runs as %s; ms %s; not used %s", manifest.name, manifest.version, taken.precision,
             dict(taken.milliseconds), dict(taken.passed_over))  # fmt: skip
    return taken


def _chosen(manifest: Manifest, provider: str, precision: str, signers: tuple[PublicKey, ...]) -> Rung:
    if precision in (REFERENCE, manifest.precision) or (precision == AUTO and provider != CPU):
        return _reference(manifest, provider)
    if provider != CPU:
        raise ModelRefused("model.rung_needs_cpu", name=manifest.name, precision=precision, provider=provider)
    candidates, passed_over = _usable(manifest, signers)
    if precision != AUTO:
        if precision not in candidates:
            reason = passed_over.get(precision, "no evidence recorded")
            raise ModelRefused("model.no_rung", name=manifest.name, precision=precision, reason=reason)
        return _open(manifest, candidates[precision])
    rungs = [_reference(manifest, provider), *(_open(manifest, proof) for proof in candidates.values())]
    return _fastest(manifest, rungs, passed_over)


def _usable(manifest: Manifest, signers: tuple[PublicKey, ...]) -> tuple[dict[str, Evidence], dict[str, str]]:
    """Evidence of the rungs that may run here, and why the others may not, by precision."""
    candidates, passed_over = {}, {}
    for name, proof in evidence.find(manifest, signers).items():
        reason = proof.shortfall(manifest) or (
            openvino_session.shortfall() if proof.backend == OPENVINO else None
        )
        if reason is None:
            candidates[name] = proof
        else:
            passed_over[name] = reason
    return candidates, passed_over


def _reference(manifest: Manifest, provider: str) -> Rung:
    data = read_weights(manifest)
    session: Session
    if provider != CUDA:
        session = open_session(manifest, data, provider)
    else:
        # Only where a GPU is asked for: it loads another library.
        from ai_models.cuda_session import open_on_gpu

        session = open_on_gpu(manifest, data, typical_inputs(manifest))
    return Rung(session, manifest.precision, manifest.sha256)


def _open(manifest: Manifest, proof: Evidence) -> Rung:
    if proof.backend == OPENVINO:
        # No network of its own: the digest is that of the bytes that are read here.
        return Rung(OpenVinoSession(manifest, read_weights(manifest)), proof.precision, manifest.sha256)
    session = open_session(manifest, read_network(proof.network, proof.sha256), CPU)
    return Rung(session, proof.precision, proof.sha256)


def _fastest(manifest: Manifest, rungs: list[Rung], passed_over: Mapping[str, str]) -> Rung:
    if len(rungs) == 1:
        return Rung(rungs[0].session, rungs[0].precision, rungs[0].sha256, {}, passed_over)
    outputs, inputs = [spec.name for spec in manifest.outputs], typical_inputs(manifest)
    times = timed([lambda rung=rung: rung.session.run(outputs, inputs) for rung in rungs])  # type: ignore[misc]
    milliseconds = {rung.precision: round(1e3 * t, 3) for rung, t in zip(rungs, times, strict=True)}
    best = min(range(len(rungs)), key=lambda index: times[index])
    if times[best] > WORTH_IT * times[0]:
        best = 0
    taken = rungs[best]
    slower = {rung.precision: "not faster here" for rung in rungs if rung is not taken}
    return Rung(taken.session, taken.precision, taken.sha256, milliseconds, {**passed_over, **slower})


def timed(calls: list[Callable[[], object]]) -> list[float]:
    """Median seconds of each call over interleaved rounds, after one round that does not count."""
    seconds: list[list[float]] = [[] for _ in calls]
    for turn in range(ROUNDS + 1):
        for spent, call in zip(seconds, calls, strict=True):
            started = time.perf_counter()
            call()
            if turn:
                spent.append(time.perf_counter() - started)
    return [statistics.median(spent) for spent in seconds]
