"""What the inference service answers: the paths of the Open Inference Protocol v2, and what it is asked of beside."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from ai_models import protocol
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, InvalidTensor, UnknownModel
from ai_models.http import Later
from ai_models.http_message import Reply, Request, failure
from ai_models.manifest import Manifest
from ai_models.metrics import CONTENT_TYPE
from telemed.domain.analysis import ModelIdentity
from telemed.domain.errors import DomainError

EXTENSIONS = ["binary_tensor_data", "model_repository"]
IDENTITY = ("sha256", "preprocessing", "precision", "provider", "runtime", "device")


def status_of(error: DomainError) -> int:
    if isinstance(error, UnknownModel):
        return 404
    if isinstance(error, InvalidTensor):
        return 400
    return 429 if isinstance(error, EngineBusy) else 503


def refused(error: DomainError) -> Reply:
    """The reply for an error of ours; 429 says when to come again (RFC 6585, RFC 9110 10.2.3)."""
    headers = {"Retry-After": str(error.params.get("seconds", 1))} if isinstance(error, EngineBusy) else {}
    return failure(status_of(error), error.code, str(error), headers)


class Service:
    """The answers of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Loading a model and reading the disk may take seconds, and the loop must go on answering meanwhile.
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="inference-load")

    def close(self) -> None:
        self._slow.shutdown(wait=True, cancel_futures=True)

    def answer(self, request: Request) -> Reply | Later:
        try:
            return self._route(request)
        except DomainError as error:
            return refused(error)

    def _route(self, request: Request) -> Reply | Later:
        match request.path.strip("/").split("/"):
            case ["v2"]:
                return self._get(request, lambda: {
                    "name": "telemed-inference", "version": "2", "extensions": EXTENSIONS,
                })  # fmt: skip
            case ["v2", "health", "live"] | ["healthz"]:
                return self._get(request, lambda: {"live": True})
            case ["v2", "health", "ready"] | ["readyz"]:
                return self._later(self._ready)
            case ["metrics"]:
                return Reply(200, self.engine.metrics.text(), CONTENT_TYPE)
            case ["v2", "repository", "index"]:
                return self._later(self._index)
            case ["v2", "repository", "models", name, "load"]:
                self.engine.registry.get(unquote(name))
                return self._later(self._load) if request.method == "POST" else self._wrong(request)
            case ["v2", "models", name, *rest]:
                return self._model(request, unquote(name), rest)
        return failure(404, "http.404", "there is nothing under this path")

    def _model(self, request: Request, name: str, rest: list[str]) -> Reply | Later:
        version = None
        if len(rest) >= 2 and rest[0] == "versions":
            version, rest = unquote(rest[1]), rest[2:]
        manifest = self.engine.registry.get(name, version)
        match rest:
            case []:
                return self._later(lambda: self._description(manifest))
            case ["ready"]:
                return self._later(lambda: self._model_ready(manifest))
            case ["infer"]:
                return self._infer(request, manifest) if request.method == "POST" else self._wrong(request)
        return failure(404, "http.404", "there is nothing under this path")

    def _get(self, request: Request, value: Callable[[], Any]) -> Reply:
        return Reply.json(value()) if request.method == "GET" else self._wrong(request)

    @staticmethod
    def _wrong(request: Request) -> Reply:
        return failure(405, "http.405", f"{request.method} is not for this path")

    def _later(self, work: Callable[[], Any]) -> Later:
        def finish(future: Future[Any]) -> Reply:
            return _or_error(lambda: Reply.json(future.result()))

        return Later(self._slow.submit(work), finish)

    def _ready(self) -> dict[str, Any]:
        self.engine.warm()
        for manifest in self.engine.registry.models():
            self.engine.check(manifest.name)
        return {"ready": True}

    def _model_ready(self, manifest: Manifest) -> dict[str, Any]:
        self.engine.check(manifest.name, manifest.version)
        return {"name": manifest.name, "ready": True}

    def _index(self) -> list[dict[str, str]]:
        registry = self.engine.registry
        return [
            {"name": manifest.name, "version": manifest.version, "state": "READY"}
            for model in registry.models()
            for manifest in registry.versions(model.name)
        ]

    def _load(self) -> dict[str, Any]:
        return {"models": [{"name": one.name, "version": one.version} for one in self.engine.reload()]}

    def _description(self, manifest: Manifest) -> dict[str, Any]:
        identity = self.engine.identity(manifest.name, manifest.version)
        rung = self.engine.rung(manifest.name, manifest.version)
        return {
            "name": manifest.name,
            "versions": [one.version for one in self.engine.registry.versions(manifest.name)],
            "platform": "onnxruntime_onnx",
            "inputs": protocol.describe(manifest.inputs),
            "outputs": protocol.describe(manifest.outputs),
            "parameters": {
                **{field: getattr(identity, field) for field in IDENTITY},
                "milliseconds": dict(rung.milliseconds),
                "passed_over": dict(rung.passed_over),
            },
        }

    def _infer(self, request: Request, manifest: Manifest) -> Later:
        head, tail = protocol.split(request.body, request.headers.get(protocol.HEADER_LENGTH))
        inputs = protocol.decode(head.get("inputs"), tail)
        names = protocol.wanted_outputs(head)
        known = {spec.name for spec in manifest.outputs}
        for name in names:
            if name not in known:
                raise InvalidTensor("tensor.unknown", name=name[:80], known=", ".join(sorted(known)))
        urgency, within = protocol.urgency_of(head)
        identity = self.engine.identity(manifest.name, manifest.version)
        future = self.engine.submit(
            manifest.name, inputs, urgency=urgency, within=within, version=manifest.version
        )
        return Later(future, lambda done: _or_error(lambda: _answer(head, names, identity, done.result())))


def _answer(
    head: dict[str, Any], names: list[str], identity: ModelIdentity, outputs: dict[str, Any]
) -> Reply:
    if names:
        outputs = {name: outputs[name] for name in names}
    answer: dict[str, Any] = {
        "model_name": identity.name,
        "model_version": identity.version,
        # With every answer, so that a server that was replaced in between cannot answer under another's name.
        "parameters": {
            "sha256": identity.sha256,
            "provider": identity.provider,
            "precision": identity.precision,
        },
    }
    if isinstance(head.get("id"), str):
        answer["id"] = head["id"]
    if not protocol.wants_binary(head):
        return Reply(200, protocol.encode_json(outputs, answer, "outputs"))
    raw, length = protocol.encode(outputs, answer, "outputs")
    return Reply(200, raw, "application/octet-stream", {protocol.HEADER_LENGTH: str(length)})


def _or_error(reply: Callable[[], Reply]) -> Reply:
    try:
        return reply()
    except DomainError as error:
        return refused(error)
