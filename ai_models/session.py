"""A network made ready to run on ONNX Runtime: verified bytes, one provider, and never another one."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import onnxruntime

from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.runner import Tensor
from ai_models.two_dimensional import two_dimensional

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


class Session(Protocol):
    """What the engine runs. `run` may be called from several threads at once and lets other threads work."""

    @property
    def provider(self) -> str: ...
    @property
    def runtime(self) -> str: ...
    @property
    def device(self) -> str: ...
    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]: ...


@dataclass(frozen=True)
class OrtSession:
    """One ONNX Runtime session, shared by all threads that run it."""

    inner: Any
    provider: str
    runtime: str
    device: str

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        values: list[Tensor] = self.inner.run(outputs, inputs)
        return values


def usable_cores() -> int:
    """Cores that this process may use, not those that the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_session(
    manifest: Manifest,
    data: bytes,
    provider: str = CPU,
    *,
    threads: int = 1,
    options: Mapping[str, str] | None = None,
) -> OrtSession:
    """A session of `data` on `provider` with `threads` threads a run; on the processor in the form that it runs best.

    Raises ModelRefused: "model.provider_missing", "model.not_loaded", "model.provider_not_used" (the runtime falls
    back to the CPU in silence where a driver is missing), "model.wrong_inputs".
    """
    available = onnxruntime.get_available_providers()
    if provider not in available:
        raise ModelRefused("model.provider_missing", provider=provider, available=", ".join(available))
    try:
        inner = onnxruntime.InferenceSession(
            two_dimensional(data) if provider == CPU else data,
            _options(threads, provider),
            providers=[(provider, dict(options or {}))],
        )
    except Exception as error:
        raise ModelRefused("model.not_loaded", name=manifest.name, detail=str(error)[:300]) from error
    inner.disable_fallback()
    # It keeps them to make the session anew on another provider, which has just been ruled out.
    inner._model_bytes = None
    active = inner.get_providers()
    if not active or active[0] != provider:
        raise ModelRefused("model.provider_not_used", provider=provider, active=", ".join(active))
    check_names(manifest, [tensor.name for tensor in inner.get_inputs()])
    device = platform.machine() if provider == CPU else str(onnxruntime.get_device())
    return OrtSession(inner, provider, f"onnxruntime {onnxruntime.__version__}", device)


def check_names(manifest: Manifest, found: Sequence[str]) -> None:
    """Raises ModelRefused("model.wrong_inputs") where a network takes other inputs than its manifest says."""
    declared = sorted(spec.name for spec in manifest.inputs)
    if declared != sorted(found):
        raise ModelRefused("model.wrong_inputs", expected=", ".join(declared), found=", ".join(sorted(found)))


@cache
def _one_arena() -> None:
    """What a run needs for a moment comes from one place for all sessions of the process.

    With a place of its own each keeps what its largest run needed: a network that is loaded twice, for a lone run on
    all cores, would cost it twice.
    """
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(place, None)


def _options(threads: int, provider: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # One thread a run and as many runs as cores: 1.3 to 1.5 times the throughput of runs that share all cores.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if provider == CPU:
        _one_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    if threads > 1:
        # A helper thread that spins on after its run would take a core from the runs beside it.
        options.add_session_config_entry("session.force_spinning_stop", "1")
    return options
