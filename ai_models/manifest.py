"""What a model's folder says of itself."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_models.errors import ModelRefused
from ai_models.settings import RunSettings
from telemed.domain.analysis import Code

FILE = "manifest.json"


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of the model: name, v2 datatype ("FP32"), shape with -1 for a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TensorSpec:
        return cls(str(data["name"]), str(data["datatype"]), tuple(int(size) for size in data["shape"]))


@dataclass(frozen=True)
class Label:
    """One output of a classifier: flagged where its probability reaches `threshold`."""

    name: str
    threshold: float
    code: Code


@dataclass(frozen=True)
class Manifest:
    """manifest.json of one model version; `folder` is where it was read."""

    folder: Path
    name: str
    version: str
    sha256: str
    task: str
    modalities: tuple[str, ...]
    preprocessing: str
    precision: str
    labels: tuple[Label, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    domain: Mapping[str, Any]
    engine: RunSettings = field(default_factory=RunSettings)

    @property
    def weights(self) -> Path:
        return self.folder / "model.onnx"

    def card(self, language: str) -> Path:
        """The card in "zh-CN" or "en"; any other language reads the English one."""
        return self.folder / f"card.{'zh-CN' if language == 'zh-CN' else 'en'}.md"

    def typical_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each input in a usual request: as the settings say, else with 1 for what may vary."""
        smallest = {spec.name: tuple(max(size, 1) for size in spec.shape) for spec in self.inputs}
        return {**smallest, **self.engine.typical}

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))


def parse_manifest(folder: Path, content: bytes) -> Manifest:
    """`folder`'s manifest from the bytes of its file. Raises ModelRefused("model.bad_manifest", file, detail)."""
    try:
        data = json.loads(content.decode("utf-8"))
        manifest = Manifest(
            folder=folder,
            name=str(data["name"]),
            version=str(data["version"]),
            sha256=str(data["sha256"]).lower(),
            task=str(data["task"]),
            modalities=tuple(data["input_domain"]["modalities"]),
            preprocessing=str(data["preprocessing"]),
            precision=str(data["precision"]),
            labels=tuple(
                Label(str(row["name"]), float(row["threshold"]), Code.from_json(row["code"]))
                for row in data["labels"]
            ),
            inputs=tuple(TensorSpec.from_json(row) for row in data["inputs"]),
            outputs=tuple(TensorSpec.from_json(row) for row in data["outputs"]),
            domain=dict(data["input_domain"]),
            engine=RunSettings.from_json(data.get("engine", {})),
        )
        _check(manifest)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise ModelRefused("model.bad_manifest", file=str(folder / FILE), detail=detail) from error
    return manifest


def _check(manifest: Manifest) -> None:
    if len(manifest.sha256) != 64 or not set(manifest.sha256) <= set("0123456789abcdef"):
        raise ValueError("sha256 must be 64 hexadecimal digits")
    if not manifest.release:
        raise ValueError("version must be numbers joined by dots")
    specs = {spec.name: spec for spec in manifest.inputs}
    for name, shape in manifest.engine.typical.items():
        wanted = specs[name].shape if name in specs else ()
        if len(shape) != len(wanted) or any(w not in (-1, h) for h, w in zip(shape, wanted, strict=True)):
            raise ValueError(f"engine.typical of {name} is no shape of that input")
    for label in manifest.labels:
        if not (math.isfinite(label.threshold) and 0 < label.threshold < 1):
            raise ValueError(f"the threshold of {label.name} must lie between 0 and 1")
