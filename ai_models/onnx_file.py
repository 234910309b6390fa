"""A look into an ONNX file before anything runs it: outside data and foreign operators are refused.

Only the few fields of the format (onnx.proto3) that name other files or operator domains are walked, so that no
further package is needed where models run.
"""

from __future__ import annotations

from ai_models.errors import ModelRefused
from ai_models.protobuf import fields

ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that come with the runtime itself; any other domain would need a library of its own."""

# Message fields to descend into, by message kind: {kind: {field: kind of child}}.
_CHILDREN = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_DOMAIN_FIELD = {"opset": 1, "node": 7, "function": 10}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def check(data: bytes) -> None:
    """Raise ModelRefused for data outside the file, foreign operators, or bytes that are no ONNX model."""
    try:
        has_graph = _check(memoryview(data), "model")
    except (IndexError, RecursionError, ValueError) as error:
        raise ModelRefused("model.not_onnx") from error
    if not has_graph:
        raise ModelRefused("model.not_onnx")


def _check(data: memoryview, kind: str) -> bool:
    children, saw_graph = _CHILDREN.get(kind, {}), False
    for number, value in fields(data):
        if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value == 1)):
            raise ModelRefused("model.external_data")
        if isinstance(value, int):
            continue
        if number == _DOMAIN_FIELD.get(kind):
            domain = bytes(value).decode("utf-8")
            if domain not in ALLOWED_DOMAINS:
                raise ModelRefused("model.custom_operator", domain=domain)
        elif number in children:
            saw_graph = saw_graph or children[number] == "graph"
            _check(value, children[number])
    return saw_graph
