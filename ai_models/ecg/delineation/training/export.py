"""The trained graph as ONNX, checked against what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from ai_models.ecg.delineation.training.network import Shipped

OPSET = 17
SMALLEST = 1e-30
"""Weights below it are set to zero: denormal numbers change no answer and slow the CPU."""


def export(model: Shipped, path: Path) -> float:
    """Write `model` to `path`; returns the largest difference between both on random input.

    Raises ValueError where they differ by more than 1e-4.
    """
    torch.onnx.export(
        model,
        (torch.randn(2, 3, 320),),
        str(path),
        opset_version=OPSET,
        dynamo=False,
        input_names=["signal"],
        output_names=["probability"],
        dynamic_axes={
            "signal": {0: "n", 1: "leads", 2: "t"},
            "probability": {0: "n", 1: "leads", 3: "t"},
        },
    )
    graph = onnx.load(path)
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            flushed = np.where(np.abs(values) < SMALLEST, np.float32(0), values)
            tensor.CopyFrom(numpy_helper.from_array(flushed, tensor.name))
    graph.producer_name = graph.producer_version = ""
    for node in graph.graph.node:
        node.doc_string = ""
        node.ClearField("metadata_props")
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)
    session = onnxruntime.InferenceSession(str(path))
    worst = 0.0
    for shape in ((1, 1, 1280), (1, 12, 2528), (3, 2, 640)):
        signal = torch.randn(*shape) * 0.3
        got = session.run(None, {"signal": signal.numpy()})[0]
        with torch.no_grad():
            worst = max(worst, float(np.abs(got - model(signal).numpy()).max()))
    if worst > 1e-4:
        raise ValueError(f"the exported graph differs from the trained one by {worst:.2g}")
    print(f"exported {path} ({path.stat().st_size / 1e6:.2f} MB), largest difference {worst:.2g}")
    return worst
