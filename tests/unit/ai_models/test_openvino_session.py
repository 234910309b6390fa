"""bfloat16 by OpenVINO: a network for the usual shape, one for all others; a request is always given back."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ai_models import openvino_session
from ai_models.ecg.reader import MODEL
from ai_models.errors import ModelRefused
from ai_models.ladder import typical_inputs
from ai_models.openvino_session import OpenVinoSession
from ai_models.registry import Registry, read_weights
from ai_models.session import open_session

MANIFEST = Registry().get(MODEL)


class Network:
    """As much of a runtime's model, compiled model and infer request as a session uses."""

    inputs = tuple(SimpleNamespace(get_any_name=lambda name=spec.name: name) for spec in MANIFEST.inputs)

    def __init__(self, active: str) -> None:
        self.fixed: dict[str, list[int]] | None = None
        self.active, self.asked = active, 0

    def reshape(self, shapes: dict[str, list[int]]) -> None:
        self.fixed = shapes

    def get_property(self, name: str) -> str:
        assert name == "INFERENCE_PRECISION_HINT"
        return self.active

    def create_infer_request(self) -> Network:
        return self

    def infer(self, inputs: dict[str, Any], share_inputs: bool) -> None:
        self.asked += 1
        if not all(np.isfinite(value).all() for value in inputs.values()):
            raise RuntimeError("not a number")
        if self.fixed is not None:
            assert {name: list(value.shape) for name, value in inputs.items()} == self.fixed

    def get_tensor(self, name: str) -> Any:
        return SimpleNamespace(data=np.full((1, 6), 0.5 if self.fixed else 0.25, np.float32))


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    made: list[Network] = []

    def core() -> Any:
        def read_model(model: bytes) -> Network:
            made.append(Network("<Type: 'bfloat16'>"))
            return made[-1]

        return SimpleNamespace(read_model=read_model, compile_model=lambda network, device, config: network)

    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=core, __version__="2026.4.1-0-x"))
    return made


def other(inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, "windows": inputs["windows"][:, :5]}


def test_each_shape_goes_to_its_network(networks: list[Network]) -> None:
    session = OpenVinoSession(MANIFEST, b"")
    usual, flexible = networks
    inputs = typical_inputs(MANIFEST)
    assert session.run(["probability"], inputs)[0].max() == 0.5
    assert session.run(["probability"], other(inputs))[0].max() == 0.25
    assert (usual.asked, flexible.asked) == (1, 1)


def test_a_run_that_fails_gives_its_request_back(networks: list[Network]) -> None:
    session = OpenVinoSession(MANIFEST, b"")
    spoiled = {name: np.full_like(value, np.nan) for name, value in typical_inputs(MANIFEST).items()}
    for _ in range(20):
        with pytest.raises(RuntimeError):
            session.run(["probability"], spoiled)
    assert networks[0].asked == 20


def test_another_precision_than_asked_for_is_refused(
    networks: list[Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Network, "get_property", lambda self, name: "<Type: 'float32'>")
    with pytest.raises(ModelRefused) as error:
        OpenVinoSession(MANIFEST, b"")
    assert error.value.code == "model.provider_not_used"


@pytest.mark.skipif(openvino_session.shortfall() is not None, reason=str(openvino_session.shortfall()))
def test_both_networks_answer_as_the_reference_does() -> None:
    data, inputs = read_weights(MANIFEST), typical_inputs(MANIFEST)
    session, reference = OpenVinoSession(MANIFEST, data), open_session(MANIFEST, data)
    for given in (inputs, other(inputs)):
        (ours,), (exact,) = (one.run(["probability"], given) for one in (session, reference))
        np.testing.assert_allclose(ours, exact, atol=0.02)
