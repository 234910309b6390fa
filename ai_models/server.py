"""The engine as a service: Open Inference Protocol v2 over HTTP.

It has no sign-in of its own and therefore binds to loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from ai_models import memory, protocol
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, InvalidTensor, UnknownModel
from ai_models.http import Connection, Later, Reply, Request, failure
from ai_models.manifest import Manifest
from ai_models.metrics import CONTENT_TYPE
from telemed.domain.analysis import ModelIdentity
from telemed.domain.errors import DomainError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
EXTENSIONS = ["binary_tensor_data", "model_repository"]
GRACE_S = 3.0
IDENTITY = ("sha256", "preprocessing", "precision", "provider", "runtime", "device")

Handler = Callable[[Request, Manifest], Reply | Later]


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
    except Exception as error:  # noqa: BLE001 the other side needs an answer
        # Without its message: what is wrong with an input may quote the input.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("a request failed:\n%s%s.%s", where, type(error).__module__, type(error).__qualname__)
        return failure(500, "http.500", "the inference service failed; see its log")


async def run(service: Service, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer on `listener` until `stop`; then no new connection, and what runs has `GRACE_S` to be answered."""
    loop = asyncio.get_running_loop()
    open_ones: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(service.answer, open_ones), sock=listener, backlog=512
    )
    try:
        await stop.wait()
    finally:
        server.close()
        until = loop.time() + GRACE_S
        while any(one.busy for one in open_ones) and loop.time() < until:
            await asyncio.sleep(0.01)
        for one in tuple(open_ones):
            one.close()
        await asyncio.sleep(0)


def serve(engine: Engine, port: int, host: str = HOST) -> None:
    """Serve until SIGTERM or SIGINT; every model is loaded and verified first. SIGHUP looks for new versions.

    Raises ModelRefused before anything is answered, and OSError where the port is taken.
    """
    memory.few_heaps()
    engine.warm()
    asyncio.run(_serve(Service(engine), socket.create_server((host, port), backlog=512)))
    engine.close()


async def _serve(service: Service, listener: socket.socket) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def reload() -> None:
        def told(future: Future[Any]) -> None:
            if error := future.exception():
                log.error("no new version is in service: %s", error)

        service._slow.submit(service._load).add_done_callback(told)

    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        await run(service, listener, stop)
    finally:
        service.close()


@contextlib.contextmanager
def serving(engine: Engine, host: str = HOST) -> Iterator[str]:
    """A service on a free port in a thread of this process, for tests and measurements; gives its address."""
    listener = socket.create_server((host, 0), backlog=512)
    started = threading.Event()
    held: dict[str, Any] = {}

    async def main() -> None:
        held["loop"], held["stop"] = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await run(service, listener, held["stop"])

    service = Service(engine)
    thread = threading.Thread(target=lambda: asyncio.run(main()), name="inference-http", daemon=True)
    thread.start()
    started.wait()
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        held["loop"].call_soon_threadsafe(held["stop"].set)
        thread.join(GRACE_S + 10)
        service.close()
        listener.close()
