"""A 1-D ResNet of a million parameters for 12 x 5000 samples, random weights from a fixed seed, as an ONNX file.

Written field by field (onnx.proto3), so that measuring needs no package that running does not.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_models.protobuf import field

NAME = "ecg1m"
SAMPLES = 5000
STAGES = ((64, 64), (64, 128), (128, 160), (160, 192))


def _tensor(name: str, value: NDArray[np.float32]) -> bytes:
    shape = b"".join(field(1, size) for size in value.shape)
    return shape + field(2, 1) + field(8, name) + field(9, value.astype("<f4").tobytes())


def _integers(name: str, values: list[int]) -> bytes:
    return field(5, field(1, name) + b"".join(field(8, v) for v in values) + field(20, 7))


def _node(kind: str, inputs: list[str], output: str, **attributes: list[int]) -> bytes:
    named = b"".join(_integers(name, values) for name, values in attributes.items())
    body = b"".join(field(1, name) for name in inputs)
    return field(1, body + field(2, output) + field(3, output) + field(4, kind) + named)


def _value(name: str, shape: list[int | str]) -> bytes:
    sizes = b"".join(field(1, field(2, s) if isinstance(s, str) else field(1, s)) for s in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))


class _Graph:
    def __init__(self) -> None:
        self.generator = np.random.default_rng(17)
        self.nodes: list[bytes] = []
        self.weights: list[bytes] = []

    def conv(self, source: str, target: str, channels: tuple[int, int], width: int, stride: int) -> str:
        into, out = channels
        scale = np.float32(np.sqrt(2.0 / (into * width)))
        weight = self.generator.standard_normal((out, into, width), dtype=np.float32) * scale
        self.weights += [
            field(5, _tensor(f"{target}.w", weight)),
            field(5, _tensor(f"{target}.b", np.zeros(out, np.float32))),
        ]
        pads = [width // 2, width // 2]
        inputs = [source, f"{target}.w", f"{target}.b"]
        self.nodes.append(_node("Conv", inputs, target, kernel_shape=[width], strides=[stride], pads=pads))
        return target

    def apply(self, kind: str, inputs: list[str], target: str) -> str:
        self.nodes.append(_node(kind, inputs, target))
        return target


def network() -> bytes:
    """The file: input `x` FP32 (n, 12, 5000), output `probability` FP32 (n, 6, 1)."""
    graph = _Graph()
    at = graph.apply("Relu", [graph.conv("x", "stem", (12, 64), 15, 4)], "stem.relu")
    for number, (into, out) in enumerate(STAGES):
        name = f"stage{number}"
        first = graph.apply("Relu", [graph.conv(at, f"{name}.a", (into, out), 7, 2)], f"{name}.a.relu")
        second = graph.conv(first, f"{name}.b", (out, out), 7, 1)
        short = graph.conv(at, f"{name}.s", (into, out), 1, 2)
        at = graph.apply("Relu", [graph.apply("Add", [second, short], f"{name}.add")], f"{name}.relu")
    pooled = graph.apply("GlobalAveragePool", [at], "pooled")
    graph.apply("Sigmoid", [graph.conv(pooled, "head", (STAGES[-1][1], 6), 1, 1)], "probability")
    body = b"".join([*graph.nodes, field(2, NAME), *graph.weights])
    body += field(11, _value("x", ["n", 12, SAMPLES])) + field(12, _value("probability", ["n", 6, 1]))
    return field(1, 8) + field(7, body) + field(8, field(1, "") + field(2, 17))


def installed(root: Path) -> Path:
    """Writes the network as a model folder below `root`; returns its folder."""
    folder = root / "bench" / "weights" / f"{NAME}-1.0.0"
    folder.mkdir(parents=True)
    raw = network()
    (folder / "model.onnx").write_bytes(raw)
    manifest = {
        "name": NAME,
        "version": "1.0.0",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "task": "benchmark",
        "precision": "fp32",
        "preprocessing": "none/1",
        "input_domain": {"modalities": []},
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 12, SAMPLES]}],
        "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, 6, 1]}],
        "labels": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder
