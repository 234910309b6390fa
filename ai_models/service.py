"""What the inference service answers: the paths of the Open Inference Protocol v2, and what it is asked of beside.

Everything here runs on the event loop but what must load a model first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.parse import unquote

from ai_models import descriptions, protocol
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, InvalidTensor, UnknownModel
from ai_models.http import Later
from ai_models.http_message import Reply, Request, failure
from ai_models.loads import Loads
from ai_models.manifest import Manifest
from ai_models.metrics import CONTENT_TYPE
from ai_models.runner import Tensor
from ai_models.wishes import Wish, wish_of
from telemed.domain.analysis import ModelIdentity
from telemed.domain.errors import DomainError

R = TypeVar("R", Reply, Later, Reply | Later)

EXTENSIONS = ["binary_tensor_data", "model_repository", "model_configuration"]


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
        self.loads = Loads(engine)

    def close(self) -> None:
        self.loads.close()

    def answer(self, request: Request) -> Reply | Later:
        return _or_error(lambda: self._route(request))

    def reload(self) -> dict[str, Any]:
        """Look for new versions, and have them ready to the last before anyone is told."""
        found = self.engine.reload()
        self.engine.warm()
        return {"models": [{"name": one.name, "version": one.version} for one in found]}

    def _route(self, request: Request) -> Reply | Later:
        match request.path.strip("/").split("/"):
            case ["v2"]:
                return self._get(request, lambda: {
                    "name": "telemed-inference", "version": "2", "extensions": EXTENSIONS,
                })  # fmt: skip
            case ["v2", "health", "live"] | ["healthz"]:
                return self._get(request, lambda: {"live": True})
            case ["v2", "health", "ready"] | ["readyz"]:
                return self._when_loaded(self._ready, *self.engine.registry.models())
            case ["metrics"]:
                return Reply(200, self.engine.metrics.text(), CONTENT_TYPE)
            case ["v2", "repository", "index"]:
                return Reply.json(descriptions.index(self.engine, self.loads))
            case ["v2", "repository", "models", name, "load"]:
                return self._load(request, unquote(name))
            case ["v2", "models", "stats"] | ["v2", "models", _, *_, "stats"]:
                return failure(
                    501, "http.501", "the statistics extension is not offered; /metrics counts instead"
                )
            case (
                ["v2", "systemsharedmemory" | "cudasharedmemory" | "trace" | "logging", *_]
                | ["v2", "repository", "models", _, "unload"]
                | ["v2", "models", _, "trace", *_]
            ):
                offered = ", ".join(EXTENSIONS)
                return failure(501, "http.501", f"this is not offered here; the extensions are {offered}")
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
                return self._when_loaded(lambda: descriptions.metadata(self.engine, manifest), manifest)
            case ["config"]:
                return self._get(request, lambda: descriptions.configuration(self.engine, manifest))
            case ["ready"]:
                return self._when_loaded(lambda: self._model_ready(manifest), manifest)
            case ["infer"]:
                return self._infer(request, manifest) if request.method == "POST" else self._wrong(request)
        return failure(404, "http.404", "there is nothing under this path")

    def _get(self, request: Request, value: Callable[[], Any]) -> Reply:
        return Reply.json(value()) if request.method == "GET" else self._wrong(request)

    @staticmethod
    def _wrong(request: Request) -> Reply:
        return failure(405, "http.405", f"{request.method} is not for this path")

    def _when_loaded(self, work: Callable[[], Any], *manifests: Manifest) -> Reply | Later:
        """Answered here and now where it asks nothing of a model that is not there yet: no load is waited for."""
        return Reply.json(work()) if self.loads.done(*manifests) else _told(self.loads.run(work))

    def _ready(self) -> dict[str, Any]:
        for manifest in self.engine.registry.models():
            self.engine.check(manifest.name)
        return {"ready": True}

    def _model_ready(self, manifest: Manifest) -> dict[str, Any]:
        self.engine.check(manifest.name, manifest.version)
        return {"name": manifest.name, "ready": True}

    def _load(self, request: Request, name: str) -> Reply | Later:
        self.engine.registry.get(name)
        if request.method != "POST":
            return self._wrong(request)
        if request.body:
            wished, _ = protocol.split(request.body, None)
            if wished.get("parameters"):
                # A configuration or files to load in place of what is installed and signed.
                raise InvalidTensor("body.unsupported", name=", ".join(wished["parameters"])[:80])
        return _told(self.loads.run(self.reload))

    def _infer(self, request: Request, manifest: Manifest) -> Later:
        head, tail = protocol.split(request.body, request.headers.get(protocol.HEADER_LENGTH))
        wish = wish_of(head, (spec.name for spec in manifest.outputs))
        inputs = protocol.decode(head.get("inputs"), tail)
        asked = time.perf_counter()
        used: list[ModelIdentity] = []

        def submit() -> Future[dict[str, Tensor]]:
            used.append(self.engine.identity(manifest.name, manifest.version))
            # What loading took is gone from the caller's time.
            spent = time.perf_counter() - asked
            left = None if wish.within is None else max(wish.within - spent, 1e-6)
            return self.engine.submit(
                manifest.name, inputs, urgency=wish.urgency, within=left, version=manifest.version
            )

        def finish(done: Future[dict[str, Tensor]]) -> Reply:
            outputs = done.result()
            return _answer(wish, used[0], outputs)

        future = submit() if self.loads.done(manifest) else self.loads.then(submit)
        return Later(future, lambda done: _or_error(lambda: finish(done)))


def _told(future: Future[Any]) -> Later:
    return Later(future, lambda done: _or_error(lambda: Reply.json(done.result())))


def _answer(wish: Wish, identity: ModelIdentity, outputs: dict[str, Tensor]) -> Reply:
    head: dict[str, Any] = {
        "model_name": identity.name,
        "model_version": identity.version,
        # With every answer, so that a server that was replaced in between cannot answer under another's name.
        "parameters": {
            "sha256": identity.sha256,
            "provider": identity.provider,
            "precision": identity.precision,
        },
    }
    if wish.id is not None:
        head["id"] = wish.id
    wanted = {name: outputs[name] for name in wish.outputs}
    raw, length = protocol.encode(wanted, head, "outputs", wish.binary)
    if not wish.binary:
        return Reply(200, raw)
    return Reply(200, raw, "application/octet-stream", {protocol.HEADER_LENGTH: str(length)})


def _or_error(reply: Callable[[], R]) -> R | Reply:
    try:
        return reply()
    except DomainError as error:
        return refused(error)
