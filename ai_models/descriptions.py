"""What the service says of its models: metadata, configuration and index of the Open Inference Protocol v2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ai_models.engine import Engine
from ai_models.errors import ModelRefused
from ai_models.loads import Loads
from ai_models.manifest import Manifest, TensorSpec
from ai_models.session import CPU

PLATFORM = "onnxruntime_onnx"
IDENTITY = ("sha256", "preprocessing", "precision", "provider", "runtime", "device")


def metadata(engine: Engine, manifest: Manifest) -> dict[str, Any]:
    """The model and what runs of it; loads it where it is not. Raises ModelRefused."""
    identity = engine.identity(manifest.name, manifest.version)
    rung = engine.rung(manifest.name, manifest.version)
    return {
        "name": manifest.name,
        "versions": [one.version for one in engine.registry.versions(manifest.name)],
        "platform": PLATFORM,
        "inputs": _tensors(manifest.inputs),
        "outputs": _tensors(manifest.outputs),
        "parameters": {
            **{field: getattr(identity, field) for field in IDENTITY},
            "milliseconds": dict(rung.milliseconds),
            "passed_over": dict(rung.passed_over),
        },
    }


def configuration(engine: Engine, manifest: Manifest) -> dict[str, Any]:
    """The protocol's model configuration. `max_batch_size` 0: the shapes name the batch as their first dimension."""
    kind = "KIND_CPU" if engine.provider == CPU else "KIND_GPU"
    return {
        "name": manifest.name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "version_policy": {"all": {}},
        "max_batch_size": 0,
        "input": _configured(manifest.inputs),
        "output": _configured(manifest.outputs),
        "instance_group": [{"name": manifest.name, "kind": kind, "count": engine.runners}],
        "default_model_filename": manifest.weights.name,
    }


def index(engine: Engine, loads: Loads) -> list[dict[str, str]]:
    """Every version that is installed, and whether it answers; loads none."""
    return [
        {"name": manifest.name, "version": manifest.version, **_state(engine, loads, manifest)}
        for model in engine.registry.models()
        for manifest in engine.registry.versions(model.name)
    ]


def _state(engine: Engine, loads: Loads, manifest: Manifest) -> dict[str, str]:
    if not loads.done(manifest):
        return {"state": "UNKNOWN", "reason": "not loaded: it is when it is asked for first"}
    try:
        engine.check(manifest.name, manifest.version)
    except ModelRefused as error:
        return {"state": "UNAVAILABLE", "reason": str(error)}
    return {"state": "READY"}


def _tensors(specs: Iterable[TensorSpec]) -> list[dict[str, Any]]:
    return [{"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)} for spec in specs]


def _configured(specs: Iterable[TensorSpec]) -> list[dict[str, Any]]:
    return [
        {"name": spec.name, "data_type": f"TYPE_{spec.datatype}", "dims": list(spec.shape)} for spec in specs
    ]
