"""Convolutions over time as convolutions over pictures of height 1: other sums in another order, no other answer."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from ai_models import ladder, onnx_file
from ai_models.engine import Engine
from ai_models.manifest import Manifest
from ai_models.protobuf import field, fields, message
from ai_models.registry import Registry, read_weights
from ai_models.runner import Tensor
from ai_models.two_dimensional import two_dimensional
from bench import network

TOLERANCE = 1e-5
MODELS = Registry().models()


def answer(data: bytes, inputs: dict[str, Tensor]) -> list[Tensor]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    found: list[Tensor] = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run(
        None, inputs
    )
    return found


def widths(data: bytes) -> set[int]:
    """How many numbers the kernel_shape of each convolution has."""
    (graph,) = (value for number, value in fields(memoryview(data)) if number == 7)
    assert not isinstance(graph, int)
    found = set()
    for number, node in fields(graph):
        if number != 1 or isinstance(node, int) or (4, b"Conv") not in list(fields(node)):
            continue
        for kind, attribute in fields(node):
            if (
                kind == 5
                and not isinstance(attribute, int)
                and (1, b"kernel_shape") in list(fields(attribute))
            ):
                found.add(sum(part == 8 for part, _ in fields(attribute)))
    return found


@pytest.mark.parametrize("manifest", MODELS, ids=lambda manifest: manifest.name)
def test_every_shipped_network_answers_as_it_came(manifest: Manifest) -> None:
    data, inputs = read_weights(manifest), ladder.typical_inputs(manifest)
    turned = two_dimensional(data)
    onnx_file.check(turned)
    assert widths(turned) == {2}
    assert (turned is data) == (widths(data) == {2})
    for as_it_came, now in zip(answer(data, inputs), answer(turned, inputs), strict=True):
        assert np.abs(as_it_came - now).max() <= TOLERANCE


@pytest.mark.parametrize("shape", [(1, 1, 64), (3, 5, 320)])
def test_free_dimensions_stay_free(shape: tuple[int, int, int]) -> None:
    data = read_weights(Registry().get("ecg-delineation"))
    inputs = {"signal": np.random.default_rng(1).standard_normal(shape, dtype=np.float32)}
    (as_it_came,), (now,) = answer(data, inputs), answer(two_dimensional(data), inputs)
    assert now.shape == as_it_came.shape
    assert np.abs(as_it_came - now).max() <= TOLERANCE


def test_additions_and_pools_go_along() -> None:
    data = network.network()
    turned = two_dimensional(data)
    kinds = [bytes(value).decode() for value in kinds_of(turned)]
    assert kinds.count("Unsqueeze") == kinds.count("Squeeze") == 1


def kinds_of(data: bytes) -> list[memoryview]:
    (graph,) = (value for number, value in fields(memoryview(data)) if number == 7)
    assert not isinstance(graph, int)
    nodes = [node for number, node in fields(graph) if number == 1 and not isinstance(node, int)]
    return [
        value
        for node in nodes
        for number, value in fields(node)
        if number == 4 and not isinstance(value, int)
    ]


@pytest.mark.parametrize(
    "sets",
    [[(8, field(1, "") + field(2, 11))], [(8, field(2, 17)), (25, b"")], []],
    ids=["old", "own", "none"],
)
def test_what_is_not_known_for_certain_is_left_as_it_is(sets: list[tuple[int, bytes]]) -> None:
    model = [(number, value) for number, value in fields(memoryview(network.network())) if number != 8]
    data = message([*model, *sets])
    assert two_dimensional(data) is data


def test_the_engine_runs_the_turned_network_under_the_digest_of_the_file(engine: Engine) -> None:
    manifest = Registry().get("ecg-delineation")
    inputs = ladder.typical_inputs(manifest)
    (turned,) = answer(two_dimensional(read_weights(manifest)), inputs)
    assert engine.run(manifest.name, inputs)["probability"].tobytes() == turned.tobytes()
    assert engine.identity(manifest.name).sha256 == manifest.sha256
