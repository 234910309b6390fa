"""The int8 network of the ECG classification: what is usually loud runs in 8 bits, what is louder in fp32.

Eight bits over the range of the loudest recording leave the usual one with five. Calibrated up to `LOUDEST_MV` the
answers differ half as much, and what is louder would be clipped: so the file holds both networks, and its own first
step asks which of them a recording goes to. Needs the training environment (`onnx`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ai_models.manifest import Manifest
from ai_models.registry import read_weights
from ai_models.runner import Tensor
from ai_models.two_dimensional import two_dimensional

LOUDEST_MV = 3.0
"""Nine of ten recordings stay below it; a limit of 4 mV gave |dp| up to 0.057 on those the choice was made on."""
KEPT_FIRST = 1
"""Convolutions that stay fp32: the first meets amplitudes that differ by lead."""
IN_EIGHT_BITS = ("Conv", "Add", "Relu")
"""With its sum and its Relu a convolution is one step from 8 bits to 8, in the range that the Relu leaves. Alone it
spends bits below zero, and each Relu runs in fp32 between two conversions: answers differ by a third more, later."""


def is_loud(row: dict[str, Tensor]) -> bool:
    """Whether the network answers these inputs by its fp32 half."""
    return float(np.abs(row["windows"]).max()) > LOUDEST_MV


def int8_network(manifest: Manifest, calibration: Sequence[dict[str, Tensor]], method: str) -> bytes:
    """An ONNX file: static QDQ (activations u8, weights s8 per channel) where no sample exceeds `LOUDEST_MV`, the
    reference elsewhere. `method` is the runtime's way to set ranges: MinMax, Percentile or Entropy."""
    import onnx
    from onnx import helper

    reference = onnx.load_from_string(two_dimensional(read_weights(manifest)))
    quantized = onnx.load_from_string(
        _quantized(manifest, [r for r in calibration if not is_loud(r)], method)
    )
    limit = onnx.numpy_helper.from_array(np.asarray(LOUDEST_MV, dtype=np.float32), "loudest")
    output = reference.graph.output[0]
    nodes = [
        helper.make_node("Abs", ["windows"], ["height"]),
        helper.make_node("ReduceMax", ["height"], ["highest"], keepdims=0),
        helper.make_node("LessOrEqual", ["highest", "loudest"], ["usual"]),
        helper.make_node(
            "If", ["usual"], [output.name],
            then_branch=_branch(quantized.graph, "int8"), else_branch=_branch(reference.graph, "fp32"),
        ),
    ]  # fmt: skip
    graph = helper.make_graph(nodes, "by_loudness", list(reference.graph.input), [output], [limit])
    network = helper.make_model(
        graph, ir_version=reference.ir_version, opset_imports=[helper.make_opsetid("", _opset(reference))]
    )
    onnx.checker.check_model(network)
    raw: bytes = network.SerializeToString()
    return raw


def _opset(network: Any) -> int:
    (version,) = {one.version for one in network.opset_import if not one.domain}
    return int(version)


def _branch(graph: Any, name: str) -> Any:
    """The graph as a branch: it sees the inputs from where it stands, and all other names are its own."""
    import onnx

    inputs = {one.name for one in graph.input}

    def own(value: str) -> str:
        return value if not value or value in inputs else f"{name}/{value}"

    branch = onnx.GraphProto(name=name)
    for node in graph.node:
        copy = branch.node.add()
        copy.CopyFrom(node)
        copy.name = own(node.name)
        copy.input[:] = [own(value) for value in node.input]
        copy.output[:] = [own(value) for value in node.output]
    for tensor in graph.initializer:
        copy = branch.initializer.add()
        copy.CopyFrom(tensor)
        copy.name = own(tensor.name)
    for output in graph.output:
        copy = branch.output.add()
        copy.CopyFrom(output)
        copy.name = own(output.name)
    return branch


def _quantized(manifest: Manifest, calibration: Sequence[dict[str, Tensor]], method: str) -> bytes:
    import onnx
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rows = iter(calibration)

        def get_next(self) -> dict[str, Tensor] | None:
            return next(self._rows, None)

    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (
            Path(folder) / f"{name}.onnx" for name in ("source", "prepared", "target")
        )
        source.write_bytes(read_weights(manifest))
        q.shape_inference.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv"]
        q.quantize_static(
            str(prepared),
            str(target),
            Reader(),
            quant_format=q.QuantFormat.QDQ,
            op_types_to_quantize=list(IN_EIGHT_BITS),
            nodes_to_exclude=names[:KEPT_FIRST],
            per_channel=True,
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            calibrate_method=getattr(q.CalibrationMethod, method),
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )
        # The first convolution is fp32, and gains by the runtime's kernels for pictures as in the reference.
        return two_dimensional(target.read_bytes())
