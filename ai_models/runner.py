"""The seam between a reader and whatever runs its network: this process, or a v2 server elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ai_models.errors import InvalidTensor
from ai_models.manifest import TensorSpec
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import Urgency

Tensor = NDArray[Any]

DATATYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
"""Datatypes of the Open Inference Protocol v2 by their numpy dtype (little endian, as on the wire)."""
NAMES = {dtype: name for name, dtype in DATATYPES.items()}


class Runner(Protocol):
    """Runs a model by name. Implementations are safe to call from several threads."""

    def run(
        self,
        model: str,
        inputs: Mapping[str, Tensor],
        *,
        urgency: Urgency = Urgency.ROUTINE,
        within: float | None = None,
        version: str | None = None,
    ) -> dict[str, Tensor]:
        """Outputs by name. Raises what `ai_models.errors` names."""
        ...

    def identity(self, model: str, version: str | None = None) -> ModelIdentity:
        """What would run. Raises UnknownModel, ModelRefused, RemoteFailed."""
        ...

    def check(self, model: str) -> None:
        """Raises as `identity`, and ModelRefused("model.taken_out") for a model that failed again and again."""
        ...

    def core(
        self, urgency: Urgency = Urgency.ROUTINE, *, model: str = "", within: float = 60.0
    ) -> AbstractContextManager[None]:
        """A core of this machine for decoding, where the runs are on the same cores, within so many seconds."""
        ...

    def metrics_text(self) -> bytes:
        """Its counters in Prometheus' text format; empty where they cannot be had."""
        ...


def check_inputs(specs: tuple[TensorSpec, ...], inputs: Mapping[str, Tensor]) -> None:
    """Hold `inputs` against the model's declared tensors; every value must be a number.

    Raises InvalidTensor with code tensor.missing, tensor.unknown, tensor.datatype, tensor.shape, tensor.size
    or tensor.not_finite, and the tensor's name.
    """
    names = {spec.name for spec in specs}
    for name in inputs:
        if name not in names:
            raise InvalidTensor("tensor.unknown", name=name, known=", ".join(sorted(names)))
    sizes: set[int] = set()
    for spec in specs:
        if spec.name not in inputs:
            raise InvalidTensor("tensor.missing", name=spec.name)
        value = inputs[spec.name]
        if value.dtype != DATATYPES[spec.datatype]:
            found = NAMES.get(value.dtype, str(value.dtype))
            raise InvalidTensor("tensor.datatype", name=spec.name, expected=spec.datatype, found=found)
        wanted = list(spec.shape)
        fits = len(value.shape) == len(wanted) and all(
            have > 0 and want in (-1, have) for have, want in zip(value.shape, wanted, strict=True)
        )
        if not fits:
            raise InvalidTensor(
                "tensor.shape", name=spec.name, expected=str(wanted), found=str(list(value.shape))
            )
        if not np.isfinite(value).all():
            raise InvalidTensor("tensor.not_finite", name=spec.name)
        sizes.add(value.shape[0])
    if len(sizes) > 1:
        raise InvalidTensor("tensor.batch", sizes=str(sorted(sizes)))
