"""A network on a GPU: fixed batch sizes, inputs and outputs bound to page-locked buffers that are used again.

Answers of a GPU are not those of a CPU to the bit; they must be within `TOLERANCE` of them, and are held against
them before the model is put into service.
"""

from __future__ import annotations

import logging
import queue
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ai_models.batching import BUCKETS, GPU_RUNNERS, bucket_of, filled, rows_of, slices
from ai_models.errors import ModelRefused
from ai_models.manifest import Manifest
from ai_models.pinned import Allocator, pinned
from ai_models.runner import DATATYPES, Tensor
from ai_models.session import CUDA, OrtSession, Session, open_session

log = logging.getLogger(__name__)

OPTIONS = {
    # EXHAUSTIVE, the default, tries every algorithm for each new shape: 634 ms to 2.
    "cudnn_conv_algo_search": "HEURISTIC",
    # Ten bits of mantissa would be another precision, without evidence for it.
    "use_tf32": "0",
    "do_copy_in_default_stream": "1",
    "cudnn_conv1d_pad_to_nc1d": "1",
}
TOLERANCE = 1e-3
"""Largest difference of any output between CPU and GPU: under the last digit of a probability in per cent."""
MOST_SHAPES = 24
"""Sets of buffers that one runner keeps: the buckets of the usual shapes of a few recordings' lengths."""


class Binding(Protocol):
    """Inputs and outputs of one session bound to memory. `bind_input` copies to the device when it is called."""

    def bind_input(self, name: str, values: Tensor) -> None: ...
    def bind_output(self, name: str, values: Tensor | None) -> None: ...
    def run(self) -> None: ...
    def output(self, name: str) -> Tensor: ...


class OrtBinding:
    """The runtime's own."""

    def __init__(self, inner: Any, outputs: Sequence[str]) -> None:
        self._inner, self._names = inner, list(outputs)
        self._binding = inner.io_binding()

    def bind_input(self, name: str, values: Tensor) -> None:
        self._binding.bind_cpu_input(name, values)

    def bind_output(self, name: str, values: Tensor | None) -> None:
        if values is None:
            self._binding.bind_output(name, "cpu")
            return
        self._binding.bind_output(name, "cpu", 0, values.dtype.type, list(values.shape), values.ctypes.data)

    def run(self) -> None:
        self._binding.synchronize_inputs()
        self._inner.run_with_iobinding(self._binding)
        self._binding.synchronize_outputs()

    def output(self, name: str) -> Tensor:
        values = self._binding.get_outputs()[self._names.index(name)]
        return np.asarray(values.numpy())


@dataclass
class _Buffers:
    """For one bucket and shape: where inputs are put, and where outputs come, once their shapes are known."""

    binding: Binding
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


class BucketSession:
    """A session that runs in buckets. `bindings` makes a binding of the network for all `outputs`."""

    def __init__(
        self,
        manifest: Manifest,
        inner: Session,
        bindings: Callable[[Sequence[str]], Binding],
        *,
        runners: int = GPU_RUNNERS,
        allocate: Allocator = pinned,
    ) -> None:
        self.provider, self.runtime, self.device = inner.provider, inner.runtime, inner.device
        self._inputs = [spec.name for spec in manifest.inputs]
        self._outputs = [spec.name for spec in manifest.outputs]
        self._datatypes = {spec.name: DATATYPES[spec.datatype] for spec in manifest.outputs}
        self._bindings, self._allocate = bindings, allocate
        self._free: queue.SimpleQueue[OrderedDict[tuple[Any, ...], _Buffers]] = queue.SimpleQueue()
        for _ in range(runners):
            self._free.put(OrderedDict())
        self._runners = runners

    def warm(self, typical: Mapping[str, Tensor]) -> None:
        """Run every bucket of the usual shape on every runner's own buffers."""
        rows = {name: values[:1] for name, values in typical.items()}
        held = [self._free.get() for _ in range(self._runners)]
        for kept in held:
            for bucket in BUCKETS:
                # Twice: the first run tells the outputs' shapes, the second has them bound.
                for _ in range(2):
                    self._run(
                        kept, {name: np.repeat(values, bucket, axis=0) for name, values in rows.items()}
                    )
        for kept in held:
            self._free.put(kept)

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Outputs in the order asked for; any number of rows."""
        kept = self._free.get()
        try:
            parts = [
                self._run(kept, {name: values[part] for name, values in inputs.items()})
                for part in slices(rows_of(inputs))
            ]
        finally:
            self._free.put(kept)
        return [np.concatenate([part[name] for part in parts]) for name in outputs]

    def _run(
        self, kept: OrderedDict[tuple[Any, ...], _Buffers], inputs: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        rows = rows_of(inputs)
        bucket = bucket_of(rows)
        buffers = self._buffers(kept, bucket, inputs)
        for name in self._inputs:
            filled(buffers.inputs[name], inputs[name])
            # Bound anew for each run: binding is what copies.
            buffers.binding.bind_input(name, buffers.inputs[name])
        buffers.binding.run()
        if buffers.outputs:
            return {name: values[:rows].copy() for name, values in buffers.outputs.items()}
        found = {name: buffers.binding.output(name) for name in self._outputs}
        for name, values in found.items():
            buffers.outputs[name] = self._allocate(values.shape, self._datatypes[name])
            buffers.binding.bind_output(name, buffers.outputs[name])
        return {name: values[:rows].copy() for name, values in found.items()}

    def _buffers(
        self, kept: OrderedDict[tuple[Any, ...], _Buffers], bucket: int, inputs: Mapping[str, Tensor]
    ) -> _Buffers:
        key = (bucket, *(inputs[name].shape[1:] for name in self._inputs))
        found = kept.get(key)
        if found is None:
            binding = self._bindings(self._outputs)
            for name in self._outputs:
                binding.bind_output(name, None)
            held = {
                name: self._allocate((bucket, *inputs[name].shape[1:]), inputs[name].dtype)
                for name in self._inputs
            }
            found = kept[key] = _Buffers(binding, held, {})
            while len(kept) > MOST_SHAPES:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return found


def open_on_gpu(manifest: Manifest, data: bytes, typical: Mapping[str, Tensor]) -> BucketSession:
    """The network on the first GPU, every bucket run, its answers held against the CPU's.

    Raises ModelRefused: as `open_session`, and "model.gpu_differs" (name, difference, allowed).
    """
    inner = open_session(manifest, data, CUDA, options=OPTIONS)
    session = BucketSession(manifest, named(inner), lambda outputs: OrtBinding(inner.inner, outputs))
    demand_agreement(manifest, session, open_session(manifest, data), typical)
    session.warm(typical)
    return session


def demand_agreement(
    manifest: Manifest, session: Session, reference: Session, typical: Mapping[str, Tensor]
) -> None:
    """Raises ModelRefused where any output of `session` is farther than `TOLERANCE` from that of `reference`."""
    outputs = [spec.name for spec in manifest.outputs]
    pairs = zip(session.run(outputs, typical), reference.run(outputs, typical), strict=True)
    largest = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
    if not largest <= TOLERANCE:
        raise ModelRefused(
            "model.gpu_differs", name=manifest.name, difference=f"{largest:.2g}", allowed=f"{TOLERANCE:g}"
        )


def named(session: OrtSession) -> OrtSession:
    """With the GPU's model name as its device, where the driver tells it."""
    return OrtSession(session.inner, session.provider, session.runtime, gpu_name() or session.device)


def gpu_name(root: Path = Path("/proc/driver/nvidia/gpus")) -> str:
    """Model of the first GPU as its driver states it, "" without one."""
    for path in sorted(root.glob("*/information")):
        for line in path.read_text("utf-8", "replace").splitlines():
            label, _, value = line.partition(":")
            if label.strip() == "Model":
                return value.strip()
    return ""
