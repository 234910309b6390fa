"""The v2 protocol over real HTTP: the same answers as in process, and clear errors for bodies that lie."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from ai_models import protocol
from ai_models.client import RemoteRunner
from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.ecg.tensors import ecg_tensors
from ai_models.engine import Engine
from ai_models.errors import InvalidTensor, RemoteFailed, UnknownModel
from ai_models.runner import Tensor
from ai_models.server import HOST, serving
from tests.unit.ai_models import synthetic


@pytest.fixture(scope="module")
def url(engine: Engine) -> Iterator[str]:
    with serving(engine) as address:
        yield address


@pytest.fixture
def remote(url: str) -> Iterator[RemoteRunner]:
    runner = RemoteRunner(url)
    yield runner
    runner.close()


def inputs() -> dict[str, Tensor]:
    return dict(ecg_tensors(synthetic.samples(), 500.0).inputs())


def post(url: str, body: bytes, length: int | str | None = None, model: str = MODEL) -> httpx2.Response:
    headers = {} if length is None else {protocol.HEADER_LENGTH: str(length)}
    return httpx2.post(f"{url}/v2/models/{model}/infer", content=body, headers=headers)


def test_health_server_and_model_are_described(url: str, engine: Engine) -> None:
    assert httpx2.get(f"{url}/v2/health/live").json() == {"live": True}
    assert httpx2.get(f"{url}/v2/health/ready").json() == {"ready": True}
    assert "binary_tensor_data" in httpx2.get(f"{url}/v2").json()["extensions"]
    assert httpx2.get(f"{url}/v2/models/{MODEL}/ready").json()["ready"] is True
    model = httpx2.get(f"{url}/v2/models/{MODEL}").json()
    assert model["inputs"][0] == {"name": "windows", "datatype": "FP32", "shape": [-1, -1, 12, 300]}
    assert model["parameters"]["sha256"] == engine.identity(MODEL).sha256
    assert model["parameters"]["provider"] == "CPUExecutionProvider"


def test_a_reader_behind_the_network_answers_as_in_process(remote: RemoteRunner, reader: EcgReader) -> None:
    waveform = synthetic.waveform(seconds=30.0)
    assert EcgReader(remote).read(waveform) == reader.read(waveform)


def test_numbers_as_json_are_answered_as_json(url: str, engine: Engine) -> None:
    body = protocol.encode_json(inputs(), {"id": "42"}, "inputs")
    answer = post(url, body).json()
    assert answer["id"] == "42"
    assert answer["outputs"][0]["shape"] == [1, 6]
    expected = engine.run(MODEL, inputs())["probability"].ravel()
    assert np.asarray(answer["outputs"][0]["data"], np.float32).tobytes() == expected.tobytes()


def test_an_output_can_be_asked_for_by_name(url: str) -> None:
    wish = {"outputs": [{"name": "probability", "parameters": {"binary_data": True}}]}
    body, length = protocol.encode(inputs(), wish, "inputs")
    response = post(url, body, length)
    head, tail = protocol.split(response.content, response.headers[protocol.HEADER_LENGTH])
    assert protocol.decode(head["outputs"], tail)["probability"].shape == (1, 6)
    body, length = protocol.encode(inputs(), {"outputs": [{"name": "heat"}]}, "inputs")
    assert post(url, body, length).json()["code"] == "tensor.unknown"


@pytest.mark.parametrize(
    ("head", "code", "named"),
    [
        ({"outputs": [{"name": "probability", "parameters": {"classification": 2}}]}, "body.unsupported",
         "classification"),
        ({"outputs": [{"name": "probability", "parameters": {"shared_memory_region": "r"}}]}, "body.unsupported",
         "shared_memory_region"),
        ({"inputs": [{"name": "windows", "parameters": {"shared_memory_region": "r"}}]}, "body.unsupported",
         "shared_memory_region"),
        ({"parameters": {"sequence_id": 5, "sequence_start": True}}, "body.unsupported", "sequence_id"),
        ({"parameters": [1]}, "body.not_object", "parameters"),
        ({"parameters": {"binary_data_output": "yes"}}, "body.flag", "binary_data_output"),
        ({"outputs": "x"}, "body.outputs", "probability"),
        ({"outputs": ["x"]}, "body.outputs", "probability"),
        ({"outputs": [{}]}, "body.outputs", "probability"),
        ({"outputs": [{"name": "x"}]}, "tensor.unknown", "x"),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_not_offered_is_named(
    url: str, head: dict[str, Any], code: str, named: str
) -> None:
    response = post(url, json.dumps(head).encode())
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert named in response.json()["error"]


def test_each_output_comes_in_the_form_asked_for(url: str) -> None:
    film = {"film": np.random.default_rng(0).random((1, 1, 120, 120)).astype(np.float32)}
    wanted = [{"name": "gate", "parameters": {"binary_data": False}}, {"name": "probability"}]
    head = {"outputs": wanted, "parameters": {"binary_data_output": True}}
    response = post(url, *protocol.encode(film, head, "inputs"), model="chest-tb")
    answer, tail = protocol.split(response.content, response.headers[protocol.HEADER_LENGTH])
    gate, probability = answer["outputs"]
    assert (gate["name"], len(gate["data"])) == ("gate", 4)
    assert (probability["name"], "data" in probability) == ("probability", False)
    assert len(tail) == probability["parameters"]["binary_data_size"] == 4
    assert set(protocol.decode(answer["outputs"], tail)) == {"gate", "probability"}


def test_a_configuration_is_told_and_what_is_not_offered_says_so(url: str) -> None:
    config = httpx2.get(f"{url}/v2/models/{MODEL}/config").json()
    assert config["input"][0] == {"name": "windows", "data_type": "TYPE_FP32", "dims": [-1, -1, 12, 300]}
    assert (config["max_batch_size"], config["output"][0]["name"]) == (0, "probability")
    for path in (
        f"models/{MODEL}/stats",
        "models/stats",
        "systemsharedmemory/status",
        "trace/setting",
        "logging",
    ):
        response = httpx2.get(f"{url}/v2/{path}")
        assert response.status_code == 501
        assert "not offered" in response.json()["error"]
    other = {"parameters": {"config": "{}"}}
    response = httpx2.post(f"{url}/v2/repository/models/{MODEL}/load", json=other)
    assert (response.status_code, response.json()["code"]) == (400, "body.unsupported")


def changed(row: int, **values: Any) -> tuple[bytes, int]:
    """A right binary body whose JSON says something else about one tensor."""
    body, length = protocol.encode(inputs(), {}, "inputs")
    head = json.loads(body[:length])
    head["inputs"][row] |= values
    text = json.dumps(head).encode()
    return text + body[length:], len(text)


NAN = np.full((1, 6, 12, 300), np.nan, np.float32)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (changed(0, shape=[1, 6, 12, 301]), "tensor.size"),
        (changed(0, shape=[1, 6, 300, 12]), "tensor.shape"),
        (changed(0, shape=[-1, 6, 12, 300]), "tensor.shape"),
        (changed(0, shape=[10**12, 10**12]), "tensor.shape"),
        (changed(0, shape="many"), "tensor.shape"),
        (changed(0, shape=[0, 10**30]), "tensor.shape"),
        (changed(0, shape=[0, 2**62, 8]), "tensor.shape"),
        (changed(0, shape=[0, 2**26, 2**26, 2**26]), "tensor.shape"),
        (changed(0, shape=[1] * 100), "tensor.shape"),
        (changed(0, data=[1.0]), "tensor.twice"),
        (changed(0, datatype="FP64"), "tensor.size"),
        (changed(0, datatype="BF99"), "tensor.datatype"),
        (changed(0, datatype="INT32"), "tensor.datatype"),
        (changed(0, name="picture"), "tensor.unknown"),
        (changed(1, name="windows"), "tensor.twice"),
        (changed(1, parameters={"binary_data_size": 10**9}), "tensor.size"),
        (changed(1, parameters={"binary_data_size": -12}), "tensor.size"),
        (changed(1, parameters={}), "tensor.data"),
        (protocol.encode(inputs() | {"windows": NAN}, {}, "inputs"), "tensor.not_finite"),
        (protocol.encode({"rhythm": inputs()["rhythm"]}, {}, "inputs"), "tensor.missing"),
        ((b"{not json", 9), "body.not_json"),
        ((b"[]", 2), "body.not_json"),
        ((b"{}", 2), "body.no_tensors"),
        ((b'{"inputs": [7]}', 15), "body.no_tensors"),
        ((b"{}", 99), "body.header_length"),
        ((b"{}", "-1"), "body.header_length"),
        ((b"{}", "two"), "body.header_length"),
        ((b"{}", "9" * 5000), "body.header_length"),
        (
            (
                b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": ['
                + b"9" * 5000
                + b"]}]}",
                None,
            ),
            "body.not_json",
        ),
    ],
)
def test_a_body_that_lies_gets_a_clear_refusal(
    url: str, sent: tuple[bytes, int | str | None], code: str
) -> None:
    response = post(url, *sent)
    assert response.status_code == 400
    assert response.json()["code"] == code
    assert response.json()["error"]


def test_bytes_left_over_or_missing_are_refused(url: str) -> None:
    body, length = protocol.encode(inputs(), {}, "inputs")
    assert post(url, body + b"1234", length).json()["code"] == "body.length"
    assert post(url, body[:-4], length).json()["code"] == "tensor.size"


def listed(data: Any, datatype: str = "FP32", shape: tuple[int, ...] = (2, 2)) -> bytes:
    row = {"name": "windows", "datatype": datatype, "shape": list(shape), "data": data}
    return json.dumps({"inputs": [row]}).encode()


@pytest.mark.parametrize(
    ("data", "datatype", "code"),
    [
        (["0.1", 1, 1, 1], "FP32", "tensor.values"),
        ([True, 1, 1, 1], "FP32", "tensor.values"),
        ([None, 1, 1, 1], "FP32", "tensor.values"),
        ([1.5, 1, 1, 1], "INT64", "tensor.values"),
        ([300, 1, 1, 1], "UINT8", "tensor.values"),
        ([10**400, 1, 1, 1], "FP32", "tensor.values"),
        ([1, 0, 1, 0], "BOOL", "tensor.values"),
        ([[1, 2, 3, 4]], "FP32", "tensor.nesting"),
        ([[1], [2], [3], [4]], "FP32", "tensor.nesting"),
        ([[1, 2], [3]], "FP32", "tensor.nesting"),
        ([[1, 2], 3], "FP32", "tensor.nesting"),
        ([[[1, 2]], [[3, 4]]], "FP32", "tensor.nesting"),
        ([1, 2, 3], "FP32", "tensor.size"),
        ([1, [2], 3, 4], "FP32", "tensor.values"),
    ],
)
def test_json_lists_hold_what_their_datatype_and_shape_say(data: Any, datatype: str, code: str) -> None:
    head, tail = protocol.split(listed(data, datatype), None)
    with pytest.raises(InvalidTensor) as error:
        protocol.decode(head["inputs"], tail)
    assert error.value.code == code
    assert error.value.params["name"] == "windows"


def test_json_lists_may_be_flat_or_nested_as_their_shape() -> None:
    for data in ([1, 2.5, 3, 4], [[1, 2.5], [3, 4]]):
        head, tail = protocol.split(listed(data), None)
        assert protocol.decode(head["inputs"], tail)["windows"].tolist() == [[1, 2.5], [3, 4]]
    with pytest.raises(InvalidTensor):
        protocol.split(listed([0]).replace(b"0", b"NaN"), None)


def test_a_fault_of_our_own_is_answered_and_in_the_log(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(protocol, "decode", broken)
    body, length = protocol.encode(inputs(), {}, "inputs")
    response = post(url, body, length)
    assert response.status_code == 500
    assert response.json()["code"] == "http.500"
    assert "ZeroDivisionError" in caplog.text and "in broken" in caplog.text


def test_unknown_models_versions_and_paths_are_not_found(url: str) -> None:
    body, length = protocol.encode(inputs(), {}, "inputs")
    assert post(url, body, length, model="chest").status_code == 404
    assert post(url, body, length, model="chest").json()["code"] == "model.unknown"
    assert httpx2.get(f"{url}/v2/models/{MODEL}/versions/0.0.0").status_code == 404
    assert httpx2.get(f"{url}/v2/elsewhere").json()["code"] == "http.404"
    assert httpx2.get(f"{url}/v2/models/{MODEL}/infer").status_code == 405


def test_the_client_turns_refusals_back_into_errors(remote: RemoteRunner) -> None:
    with pytest.raises(InvalidTensor):
        remote.run(MODEL, inputs() | {"windows": NAN})
    with pytest.raises(UnknownModel):
        remote.run("chest", inputs())


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    runner = RemoteRunner(f"http://{HOST}:{port}")
    with pytest.raises(RemoteFailed) as error:
        runner.identity(MODEL)
    runner.close()
    assert error.value.code == "inference.unreachable"
    assert str(port) in str(error.value.params["url"])
