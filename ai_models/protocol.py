"""Bodies of the Open Inference Protocol v2 with its binary tensor extension.

A body is JSON, or JSON followed by the raw little-endian bytes of the tensors in the order in which the JSON names
them; the header `Inference-Header-Content-Length` then says where the JSON ends, and each such tensor carries
`parameters.binary_data_size`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping
from itertools import chain
from typing import Any, TypeGuard

import numpy as np

from ai_models.errors import InvalidTensor
from ai_models.http_message import number_of
from ai_models.manifest import TensorSpec
from ai_models.runner import DATATYPES, NAMES, Tensor

HEADER_LENGTH = "inference-header-content-length"
MOST_ELEMENTS = 64 * 1024 * 1024
MOST_DIMENSIONS = 8
ALIGNMENT = 8
JSON_TYPES: dict[str, set[type]] = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}}
"""What a list may hold, by the kind of its datatype."""
JSON_WORDS: dict[type, str] = {
    str: "a string", bool: "true or false", float: "a fraction", int: "a number", list: "a list", dict: "an object",
    type(None): "null",
}  # fmt: skip


def encode(
    tensors: Mapping[str, Tensor], head: Mapping[str, Any], key: str, binary: Container[str] | None = None
) -> tuple[bytes, int]:
    """A body: `head` plus the tensors under `key` ("inputs" or "outputs"). Returns (body, JSON length).

    The tensors that `binary` names, by default all, follow the JSON as raw bytes; the others are lists in it.
    Raises InvalidTensor("tensor.datatype") for a dtype that the protocol does not know.
    """
    rows, parts = [], []
    for name, value in tensors.items():
        datatype = NAMES.get(value.dtype.newbyteorder("<"))
        if datatype is None:
            known = ", ".join(DATATYPES)
            raise InvalidTensor("tensor.datatype", name=name, expected=known, found=str(value.dtype))
        row: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(value.shape)}
        if binary is None or name in binary:
            raw = np.ascontiguousarray(value, dtype=DATATYPES[datatype]).tobytes()
            row["parameters"] = {"binary_data_size": len(raw)}
            parts.append(raw)
        else:
            row["data"] = value.ravel().tolist()
        rows.append(row)
    text = json.dumps({**head, key: rows}).encode("utf-8")
    if parts:
        # Spaces after the JSON keep the tensors on the boundary of a number: the receiver need not copy them.
        text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([text, *parts]), len(text)


def encode_json(tensors: Mapping[str, Tensor], head: Mapping[str, Any], key: str) -> bytes:
    """The same without the binary extension: numbers as JSON lists."""
    return encode(tensors, head, key, binary=())[0]


def split(body: bytes | bytearray, header_length: str | None) -> tuple[dict[str, Any], memoryview]:
    """The JSON head of a body and what follows it. Raises InvalidTensor("body.*") where it is not as declared."""
    length = len(body)
    if header_length is not None:
        stated = number_of(header_length)
        if stated is None or stated > len(body):
            raise InvalidTensor("body.header_length", value=header_length[:40], size=len(body))
        length = stated
    try:
        head = json.loads(body[:length], parse_constant=_refuse)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidTensor("body.not_json") from error
    if not isinstance(head, dict):
        raise InvalidTensor("body.not_json")
    return head, memoryview(body)[length:]


def decode(rows: Any, tail: memoryview) -> dict[str, Tensor]:
    """Tensors by name from the JSON rows and the bytes behind them; arrays are read-only views on the body where
    they lie on the boundary of a number, else copies.

    Raises InvalidTensor("body.no_tensors", "body.length", "tensor.datatype", "tensor.shape", "tensor.size",
    "tensor.data", "tensor.nesting", "tensor.values").
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidTensor("body.no_tensors")
    tensors: dict[str, Tensor] = {}
    position = 0
    for row in rows:
        name, spec = _spec(row)
        if name in tensors:
            raise InvalidTensor("tensor.twice", name=name)
        dtype, count = DATATYPES[spec.datatype], math.prod(spec.shape)
        size = _binary_size(row, name)
        if size is not None and "data" in row:
            raise InvalidTensor("tensor.twice", name=name)
        if size is None:
            tensors[name] = _from_list(row.get("data"), spec, dtype, count)
            continue
        if size != count * dtype.itemsize or position + size > len(tail):
            raise InvalidTensor(
                "tensor.size",
                name=name,
                expected=count * dtype.itemsize,
                found=min(size, len(tail) - position),
            )
        flat = np.frombuffer(tail[position : position + size], dtype=dtype)
        # The JSON before it may have any length; the runtime is given aligned memory only.
        tensors[name] = (flat if flat.flags.aligned else flat.copy()).reshape(spec.shape)
        position += size
    if position != len(tail):
        raise InvalidTensor("body.length", expected=position, found=len(tail))
    return tensors


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _spec(row: Mapping[str, Any]) -> tuple[str, TensorSpec]:
    name, datatype, shape = row.get("name"), row.get("datatype"), row.get("shape")
    if not isinstance(name, str) or not name:
        raise InvalidTensor("body.no_tensors")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise InvalidTensor(
            "tensor.datatype", name=name, expected=", ".join(DATATYPES), found=str(datatype)[:40]
        )
    if not _possible(shape):
        expected = f"[n, ...] (at most {MOST_DIMENSIONS} dimensions and {MOST_ELEMENTS} elements)"
        raise InvalidTensor("tensor.shape", name=name, expected=expected, found=str(shape)[:80])
    return name, TensorSpec(name, datatype, tuple(shape))


def _possible(shape: Any) -> TypeGuard[list[int]]:
    """A 0 excuses no other dimension: the array's library multiplies them too."""
    return (
        isinstance(shape, list)
        and len(shape) <= MOST_DIMENSIONS
        and all(type(size) is int and 0 <= size <= MOST_ELEMENTS for size in shape)
        and math.prod(max(size, 1) for size in shape) <= MOST_ELEMENTS
    )


def _binary_size(row: Mapping[str, Any], name: str) -> int | None:
    parameters = row.get("parameters")
    if not isinstance(parameters, dict) or "binary_data_size" not in parameters:
        return None
    size = parameters["binary_data_size"]
    if type(size) is not int or size < 0:
        raise InvalidTensor("tensor.size", name=name, expected="bytes", found=str(size)[:40])
    return size


def _from_list(data: Any, spec: TensorSpec, dtype: np.dtype[Any], count: int) -> Tensor:
    """Numbers as JSON lists: one flat list in row-major order, or lists nested as the shape says."""
    if not isinstance(data, list):
        raise InvalidTensor("tensor.data", name=spec.name)
    flat = _flat(data, spec)
    if len(flat) != count:
        raise InvalidTensor("tensor.size", name=spec.name, expected=count, found=len(flat))
    # As they were written: the array's library would read "0.1" and true as numbers, and cut 1.5 down to 1.
    strange = set(map(type, flat)) - JSON_TYPES[dtype.kind]
    if strange:
        found = ", ".join(sorted(JSON_WORDS.get(kind, kind.__name__) for kind in strange))
        raise InvalidTensor("tensor.values", name=spec.name, datatype=spec.datatype, found=found)
    try:
        values = np.array(flat, dtype=np.float64 if dtype.kind == "f" else dtype)
    except OverflowError as error:
        found = "a number beyond its range"
        raise InvalidTensor("tensor.values", name=spec.name, datatype=spec.datatype, found=found) from error
    with np.errstate(over="ignore"):
        return values.astype(dtype).reshape(spec.shape)


def _flat(data: list[Any], spec: TensorSpec) -> list[Any]:
    if not data or not isinstance(data[0], list):
        return data
    level: list[Any] = [data]
    for size in spec.shape:
        if not all(isinstance(part, list) and len(part) == size for part in level):
            raise InvalidTensor("tensor.nesting", name=spec.name, shape=str(list(spec.shape)))
        level = list(chain.from_iterable(level))
    return level
