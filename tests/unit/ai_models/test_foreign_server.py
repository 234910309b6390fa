"""INFERENCE_URL may point at any server of the protocol: what it answers is held against the manifest."""

from __future__ import annotations

from typing import Any

import httpx2
import numpy as np
import pytest

from ai_models import ladder, protocol
from ai_models.answers import checked_outputs
from ai_models.client import MARGIN_S, RemoteRunner
from ai_models.ecg.reader import MODEL
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, ModelRefused, RemoteFailed
from telemed.domain.inference import Urgency
from tests.unit.ai_models.test_service import inputs


def answering(**routes: httpx2.Response) -> RemoteRunner:
    routes.setdefault("model", httpx2.Response(200, json={"name": MODEL}))

    def handle(request: httpx2.Request) -> httpx2.Response:
        return routes["infer" if request.url.path.endswith("/infer") else "model"]

    return RemoteRunner("http://foreign", client=httpx2.Client(transport=httpx2.MockTransport(handle)))


def test_a_foreign_server_without_a_digest_is_recorded_as_remote() -> None:
    runner = answering(model=httpx2.Response(200, json={"name": MODEL, "platform": "other"}))
    identity = runner.identity(MODEL)
    assert (identity.provider, identity.sha256) == ("remote", "unverified")


def test_a_server_with_other_weights_is_refused() -> None:
    runner = answering(model=httpx2.Response(200, json={"parameters": {"sha256": "f" * 64}}))
    with pytest.raises(ModelRefused) as error:
        runner.identity(MODEL)
    assert error.value.code == "model.remote_differs"


def test_a_server_replaced_in_between_cannot_answer_under_the_old_name(engine: Engine) -> None:
    sha256 = engine.identity(MODEL).sha256
    described = httpx2.Response(
        200, json={"parameters": {"sha256": sha256, "provider": "CPUExecutionProvider"}}
    )
    head = {"parameters": {"sha256": "f" * 64, "provider": "CPUExecutionProvider"}}
    body = protocol.encode_json(engine.run(MODEL, inputs()), head, "outputs")
    runner = answering(model=described, infer=httpx2.Response(200, content=body))
    assert runner.identity(MODEL).sha256 == sha256
    with pytest.raises(ModelRefused) as error:
        runner.run(MODEL, inputs())
    assert error.value.code == "model.remote_differs"


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx2.Response(200, content=b"<html>"), RemoteFailed),
        (httpx2.Response(200, json={"outputs": []}), RemoteFailed),
        (httpx2.Response(500, content=b"broken"), RemoteFailed),
        (httpx2.Response(429, json={}), EngineBusy),
    ],
)
def test_a_server_that_fails_is_a_clear_error(response: httpx2.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        answering(infer=response).run(MODEL, inputs())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probability": np.ones((1, 6), np.int64)}, "datatype INT64, expected FP32"),
        ({"probability": np.full((1, 6), 0.9)}, "datatype FP64, expected FP32"),
        ({"probability": np.full((1, 6), 7.5, np.float32)}, "outside 0 to 1"),
        ({"probability": np.full((1, 6), -0.1, np.float32)}, "outside 0 to 1"),
        ({"probability": np.full((1, 6), np.nan, np.float32)}, "NaN"),
        ({"probability": np.zeros((5, 6), np.float32)}, "shape [5, 6], expected [1, 6]"),
        ({"probability": np.zeros((1, 3), np.float32)}, "shape [1, 3], expected [1, 6]"),
        ({"probability": np.zeros(6, np.float32)}, "shape [6], expected [1, 6]"),
        ({"score": np.zeros((1, 6), np.float32)}, "missing output probability"),
        ({"model_name": "another"}, "model_name another"),
        ({"model_version": "9"}, "model_version 9"),
    ],
)
def test_an_answer_that_is_not_the_model_s_is_refused(changes: dict[str, Any], said: str) -> None:
    named = {name: value for name, value in changes.items() if isinstance(value, str)}
    tensors = {name: value for name, value in changes.items() if name not in named}
    tensors = tensors or {"probability": np.zeros((1, 6), np.float32)}
    body, length = protocol.encode(tensors, {"model_name": MODEL, **named}, "outputs")
    answer = httpx2.Response(200, content=body, headers={protocol.HEADER_LENGTH: str(length)})
    with pytest.raises(RemoteFailed) as error:
        answering(infer=answer).run(MODEL, inputs())
    assert error.value.code == "inference.bad_answer"
    assert said in str(error.value.params["detail"])


def test_the_client_waits_as_long_as_the_server_may_take(engine: Engine) -> None:
    waited: list[float] = []
    body, length = protocol.encode(engine.run(MODEL, inputs()), {}, "outputs")

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"name": MODEL})
        waited.append(request.extensions["timeout"]["read"])
        return httpx2.Response(200, content=body, headers={protocol.HEADER_LENGTH: str(length)})

    runner = RemoteRunner("http://foreign", client=httpx2.Client(transport=httpx2.MockTransport(handle)))
    for urgency, within in ((Urgency.BACKFILL, None), (Urgency.STAT, None), (Urgency.STAT, 300.0)):
        runner.run(MODEL, inputs(), urgency=urgency, within=within)
    assert waited == [120.0 + MARGIN_S, 10.0 + MARGIN_S, 300.0 + MARGIN_S]


def test_the_answers_of_the_shipped_models_are_fit(engine: Engine) -> None:
    for manifest in engine.registry.models():
        asked = ladder.typical_inputs(manifest)
        outputs = engine.run(manifest.name, asked)
        rows = len(next(iter(asked.values())))
        assert checked_outputs(manifest, outputs, rows).keys() == outputs.keys()
