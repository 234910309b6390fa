"""Convolutions over time as convolutions over pictures of height 1, before a session is made of a network.

ONNX Runtime has blocked kernels (NCHWc) for two dimensions alone; over one it unfolds the signal and multiplies
matrices, which takes 1.3 to 1.8 times as long. The sums are the same in another order: answers differ by rounding.
What lies between convolutions and works on each element goes with them, so that nothing is turned to and fro.

Only the few fields of the format (onnx.proto3) that have to change are read. A network that holds something this
does not know for certain is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ai_models import protobuf

_EACH = frozenset({"Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Clip", "Identity", "BatchNormalization"})
_TOGETHER = frozenset({"Add", "Sub", "Mul", "Sum"})
_POOLS = frozenset({"MaxPool", "AveragePool"})
_WHOLE = frozenset({"GlobalAveragePool", "GlobalMaxPool"})
_LEAST_OPSET = 13
"""Since then the axes of Squeeze and Unsqueeze are an input."""
_AXIS, _SUFFIX = "/2d/axis", "/2d"
# By attribute what stands before each end of the new axis; all others hold for both forms.
_NEUTRAL = {"kernel_shape": 1, "strides": 1, "dilations": 1, "pads": 0}

Fields = list[tuple[int, int | memoryview]]


@dataclass
class _Node:
    """NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain."""

    raw: memoryview
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    kind: str = ""
    domain: str = ""
    attributes: dict[str, memoryview] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: memoryview) -> _Node:
        node = cls(raw)
        for number, value in protobuf.fields(raw):
            if isinstance(value, int):
                continue
            if number == 5:
                node.attributes[_text(dict(protobuf.fields(value))[1])] = value
            elif number in (1, 2):
                (node.inputs if number == 1 else node.outputs).append(_text(value))
            elif number == 4:
                node.kind = _text(value)
            elif number == 7:
                node.domain = _text(value)
        return node

    def written(self, inputs: Sequence[str]) -> bytes:
        """The same on pictures: every output under its new name, attributes that count dimensions with one more."""
        attributes = (_with_height(name, raw) for name, raw in self.attributes.items())
        names = [*((1, name) for name in inputs), *((2, name + _SUFFIX) for name in self.outputs)]
        rest = [(3, self.outputs[0] + _SUFFIX), (4, self.kind), *((5, raw) for raw in attributes)]
        return protobuf.message([*names, *rest])


def two_dimensional(data: bytes) -> bytes:
    """An ONNX model with its 1-D convolutions as 2-D ones, inputs and outputs as they were; `data` itself where it
    has none, or cannot be rewritten with certainty."""
    model = list(protobuf.fields(memoryview(data)))
    graphs = [value for number, value in model if number == 7]
    if len(graphs) != 1 or isinstance(graphs[0], int) or not _known(model):
        return data
    graph = _rewritten(list(protobuf.fields(graphs[0])))
    if graph is None:
        return data
    return protobuf.message([(number, graph if number == 7 else value) for number, value in model])


def _known(model: Fields) -> bool:
    """One set of standard operators, of a version whose meaning is relied on here, and no functions of its own."""
    sets = [
        dict(protobuf.fields(value)) for number, value in model if number == 8 and not isinstance(value, int)
    ]
    standard = [one.get(2, 0) for one in sets if not one.get(1)]
    return len(standard) == 1 and int(standard[0]) >= _LEAST_OPSET and all(n != 25 for n, _ in model)


def _rewritten(graph: Fields) -> bytes | None:
    nodes = [_Node.read(value) for number, value in graph if number == 1 and not isinstance(value, int)]
    # A graph within a node may use any tensor by its name.
    if any(_has_graph(raw) for node in nodes for raw in node.attributes.values()):
        return None
    weights = {
        name: value
        for number, value in graph
        if number == 5 and not isinstance(value, int) and len(_dims(value)) == 3 and (name := _name(value))
    }
    convolutions = {node.inputs[1] for node in nodes if _is_convolution(node, weights)}
    if not convolutions:
        return None
    turned = _Turned(weights)
    for node in nodes:
        turned.take(node)
    turned.flat(_name(value, 1) for number, value in graph if number == 12 and not isinstance(value, int))
    used = {name for node in nodes if not _is_convolution(node, weights) for name in node.inputs}
    kept = [
        (number, value)
        for number, value in graph
        if number != 1 and not (number == 5 and (name := _name(value)) in convolutions and name not in used)
    ]
    wide = [(5, _with_height_of_weights(weights[name])) for name in sorted(convolutions)]
    # TensorProto: 1 dims, 2 data_type (7 is int64), 7 int64_data, 8 name.
    axis = protobuf.message([(1, 1), (2, 7), (7, protobuf.varint(2)), (8, _AXIS)])
    return protobuf.message([*((1, node) for node in turned.nodes), *kept, *wide, (5, axis)])


class _Turned:
    """The nodes so far; which tensors exist with a height, and which of them not yet without."""

    def __init__(self, weights: dict[str, memoryview]) -> None:
        self.nodes: list[bytes | memoryview] = []
        self._weights = weights
        self._high: set[str] = set()
        self._pending: set[str] = set()

    def take(self, node: _Node) -> None:
        if not self._goes_along(node):
            self.flat(node.inputs)
            self.nodes.append(node.raw)
            return
        if _is_convolution(node, self._weights):
            self._raise(node.inputs[0])
            inputs = [node.inputs[0] + _SUFFIX, node.inputs[1] + _SUFFIX, *node.inputs[2:]]
        else:
            inputs = [name + _SUFFIX if name in self._high else name for name in node.inputs]
        self.nodes.append(node.written(inputs))
        self._high.update(node.outputs)
        self._pending.update(node.outputs)

    def flat(self, names: Iterable[str]) -> None:
        """See to it that tensors exist in the form that they had."""
        for name in names:
            if name in self._pending:
                self._pending.remove(name)
                self._turn("Squeeze", name + _SUFFIX, name)

    def _raise(self, name: str) -> None:
        if name not in self._high:
            self._high.add(name)
            self._turn("Unsqueeze", name, name + _SUFFIX)

    def _turn(self, kind: str, source: str, target: str) -> None:
        self.nodes.append(protobuf.message([(1, source), (1, _AXIS), (2, target), (3, target), (4, kind)]))

    def _goes_along(self, node: _Node) -> bool:
        if node.domain not in ("", "ai.onnx") or len(node.outputs) != 1:
            return False
        if _is_convolution(node, self._weights):
            return True
        high = [name in self._high for name in node.inputs]
        if node.kind in _EACH:
            return bool(high) and high[0] and not any(high[1:])
        if node.kind in _TOGETHER or (node.kind == "Concat" and _whole(node.attributes["axis"]) == 1):
            return all(high)
        if node.kind in _POOLS:
            return all(high) and len(_ints(node.attributes["kernel_shape"])) == 1
        return node.kind in _WHOLE and all(high)


def _is_convolution(node: _Node, weights: dict[str, memoryview]) -> bool:
    return node.kind == "Conv" and node.domain in ("", "ai.onnx") and node.inputs[1] in weights


def _with_height(name: str, attribute: memoryview) -> bytes | memoryview:
    """AttributeProto: 1 name, 8 ints, 20 type (7 is ints)."""
    if name not in _NEUTRAL:
        return attribute
    values, neutral = _ints(attribute), _NEUTRAL[name]
    both = [neutral, values[0], neutral, values[1]] if name == "pads" else [neutral, *values]
    return protobuf.message([(1, name), *((8, value) for value in both), (20, 7)])


def _with_height_of_weights(tensor: memoryview) -> bytes:
    outputs, inputs, width = _dims(tensor)
    rest = [(number, value) for number, value in protobuf.fields(tensor) if number not in (1, 8)]
    dims = [(1, size) for size in (outputs, inputs, 1, width)]
    return protobuf.message([*dims, *rest, (8, _name(tensor) + _SUFFIX)])


def _dims(tensor: memoryview) -> list[int]:
    found = (value for number, value in protobuf.fields(tensor) if number == 1)
    return [size for value in found for size in protobuf.whole_numbers(value)]


def _ints(attribute: memoryview) -> list[int]:
    found = (value for number, value in protobuf.fields(attribute) if number == 8)
    return [size for value in found for size in protobuf.whole_numbers(value)]


def _whole(attribute: memoryview) -> int:
    value = dict(protobuf.fields(attribute)).get(3, 0)
    return value if isinstance(value, int) else 0


def _has_graph(attribute: memoryview) -> bool:
    return any(number in (6, 11) for number, _ in protobuf.fields(attribute))


def _name(value: int | memoryview, number: int = 8) -> str:
    """The name of a TensorProto (8) or of a ValueInfoProto (1)."""
    return "" if isinstance(value, int) else _text(dict(protobuf.fields(value)).get(number, 0))


def _text(value: int | memoryview) -> str:
    return "" if isinstance(value, int) else bytes(value).decode("utf-8")
