"""The trained networks as one ONNX graph, checked against what was trained."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ai_models.chest.bottleneck import SIZE
from ai_models.chest.training.network import FilmNet, Shipped

OPSET = 17
OUTPUTS = ["probability", "map", "gate", "members"]
HALVED = 256
"""Initializers of at least this many values are stored in half precision; the graph computes in fp32."""


def ready(net: FilmNet) -> FilmNet:
    """BatchNorm folded into its convolution, weights rounded to what half precision holds: what is shipped."""
    net = copy.deepcopy(net).eval()
    for parent in list(net.modules()):
        if isinstance(parent, nn.Sequential):
            for index in range(len(parent) - 1):
                if isinstance(parent[index], nn.Conv2d) and isinstance(parent[index + 1], nn.BatchNorm2d):
                    parent[index] = fuse_conv_bn_eval(parent[index], parent[index + 1])
                    parent[index + 1] = nn.Identity()
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(weight.half().float())
    return net


def made_up(n: int) -> NDArray[np.float32]:
    """(n, 1, 120, 120) in 0..1 by a formula, for comparisons that need no film."""
    k, y, x = np.mgrid[0:n, 0:SIZE, 0:SIZE] / SIZE
    waves = np.sin(9 * x + 3 * k * n) * np.cos(7 * y - 2 * k * n * x) + 0.4 * np.sin(40 * x * y)
    return (0.5 + waves / 2.8).astype(np.float32)[:, None]


def export(model: Shipped, path: Path, films: NDArray[np.float32]) -> float:
    """Write `model` to `path`; returns the largest difference between both, on `films` and on made-up ones.

    Raises ValueError where they differ by more than 1e-3.
    """
    torch.onnx.export(
        model,
        (torch.from_numpy(made_up(2)),),
        str(path),
        opset_version=OPSET,
        dynamo=False,
        input_names=["film"],
        output_names=OUTPUTS,
        dynamic_axes={name: {0: "n"} for name in ["film", *OUTPUTS]},
    )
    graph = onnx.load(path)
    _halve(graph)
    graph.producer_name = graph.producer_version = ""
    for node in graph.graph.node:
        node.doc_string = ""
        node.ClearField("metadata_props")
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    worst = 0.0
    for batch in (made_up(1), made_up(3), *np.array_split(films, max(len(films) // 16, 1))):
        got = session.run(OUTPUTS, {"film": batch})
        with torch.no_grad():
            wanted = model(torch.from_numpy(batch))
        for mine, theirs in zip(got, wanted, strict=True):
            worst = max(worst, float(np.abs(mine - theirs.numpy()).max()))
    if worst > 1e-3:
        raise ValueError(f"the exported graph differs from the trained one by {worst:.2g}")
    print(f"exported {path} ({path.stat().st_size / 1e6:.2f} MB), largest difference {worst:.2g}")
    return worst


def _halve(graph: Any) -> None:
    casts = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALVED:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            raise ValueError(f"{tensor.name} was not rounded before")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for index, cast in enumerate(casts):
        graph.graph.node.insert(index, cast)
