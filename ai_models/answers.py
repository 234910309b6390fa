"""What another server answered, held against what the model's manifest says that it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ai_models.manifest import Manifest, TensorSpec
from ai_models.runner import DATATYPES, NAMES, Tensor

PROBABILITY = "probability"


class UnfitAnswer(Exception):
    """An answer that is not this model's, and why."""


def check_name(manifest: Manifest, answer: Mapping[str, Any], versioned: bool) -> None:
    """Hold the model that an answer names against the one asked; `versioned`: a version was asked for too.

    Raises UnfitAnswer. What an answer does not state is not held against it.
    """
    expected = {"model_name": manifest.name} | ({"model_version": manifest.version} if versioned else {})
    for field, value in expected.items():
        found = answer.get(field, value)
        if found != value:
            raise UnfitAnswer(f"{field} {str(found)[:80]}, expected {value}")


def checked_outputs(manifest: Manifest, outputs: Mapping[str, Tensor], rows: int) -> dict[str, Tensor]:
    """The manifest's own outputs out of `outputs`, for a request of `rows` rows.

    Each has its datatype, its fixed dimensions and, where the first is free, a row for each row asked; numbers are
    finite, and probabilities of labels within 0 and 1. Raises UnfitAnswer.
    """
    missing = {spec.name for spec in manifest.outputs} - set(outputs)
    if missing:
        raise UnfitAnswer(f"missing output {', '.join(sorted(missing))}")
    for spec in manifest.outputs:
        value = outputs[spec.name]
        _check_kind(spec, value, rows)
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise UnfitAnswer(f"output {spec.name} holds NaN or infinity")
        if manifest.labels and spec.name == PROBABILITY and not ((value >= 0) & (value <= 1)).all():
            raise UnfitAnswer(f"output {spec.name} holds values outside 0 to 1")
    return {spec.name: outputs[spec.name] for spec in manifest.outputs}


def _check_kind(spec: TensorSpec, value: Tensor, rows: int) -> None:
    if value.dtype != DATATYPES[spec.datatype]:
        found = NAMES.get(value.dtype, str(value.dtype))
        raise UnfitAnswer(f"output {spec.name} has datatype {found}, expected {spec.datatype}")
    wanted = tuple(rows if not axis and size == -1 else size for axis, size in enumerate(spec.shape))
    fits = len(value.shape) == len(wanted) and all(
        want in (-1, have) for have, want in zip(value.shape, wanted, strict=True)
    )
    if not fits:
        raise UnfitAnswer(f"output {spec.name} has shape {list(value.shape)}, expected {list(wanted)}")
