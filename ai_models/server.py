"""The engine as a service: Open Inference Protocol v2 over HTTP, a small ASGI application.

It has no sign-in of its own and therefore binds to loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ai_models import protocol
from ai_models.engine import Engine
from ai_models.errors import EngineBusy, InvalidTensor, UnknownModel
from ai_models.manifest import Manifest
from telemed.domain.errors import DomainError

HOST = "127.0.0.1"
LARGEST_BODY = 64 * 1024 * 1024
EXTENSIONS = ["binary_tensor_data"]

Handler = Callable[[Request], Awaitable[Response]]


def failure(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The protocol's error body: a string under `error`, and our code beside it."""
    return JSONResponse({"error": message, "code": code}, status, dict(headers or {}))


def status_of(error: DomainError) -> int:
    if isinstance(error, UnknownModel):
        return 404
    if isinstance(error, InvalidTensor):
        return 413 if error.code == "body.too_large" else 400
    return 429 if isinstance(error, EngineBusy) else 503


async def read_body(request: Request) -> bytes:
    """The whole body, refused as soon as it grows beyond what any shipped model takes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise InvalidTensor("body.too_large", limit=LARGEST_BODY)
        parts.append(part)
    return b"".join(parts)


class Service:
    """The handlers of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._pool = ThreadPoolExecutor(engine.runners, thread_name_prefix="inference")
        self._queue = asyncio.Semaphore(engine.runners * 64)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(self, _: Request) -> Response:
        await self._in_pool(self.engine.warm)
        return JSONResponse({"ready": True})

    async def server(self, _: Request) -> Response:
        return JSONResponse({"name": "telemed-inference", "version": "2", "extensions": EXTENSIONS})

    async def model_ready(self, request: Request) -> Response:
        manifest = self._manifest(request)
        await self._in_pool(self.engine.identity, manifest.name)
        return JSONResponse({"name": manifest.name, "ready": True})

    async def model(self, request: Request) -> Response:
        manifest = self._manifest(request)
        identity = await self._in_pool(self.engine.identity, manifest.name)
        return JSONResponse(
            {
                "name": manifest.name,
                "versions": [manifest.version],
                "platform": "onnxruntime_onnx",
                "inputs": protocol.describe(manifest.inputs),
                "outputs": protocol.describe(manifest.outputs),
                "parameters": {
                    field: getattr(identity, field)
                    for field in ("sha256", "preprocessing", "precision", "provider", "runtime", "device")
                },
            }
        )

    async def infer(self, request: Request) -> Response:
        manifest = self._manifest(request)
        body = await read_body(request)
        head, tail = protocol.split(body, request.headers.get(protocol.HEADER_LENGTH))
        inputs = protocol.decode(head.get("inputs"), tail)
        names = protocol.wanted_outputs(head)
        known = {spec.name for spec in manifest.outputs}
        for name in names:
            if name not in known:
                raise InvalidTensor("tensor.unknown", name=name[:80], known=", ".join(sorted(known)))
        if self._queue.locked():
            raise EngineBusy("model.busy")
        async with self._queue:
            outputs = await self._in_pool(self.engine.run, manifest.name, inputs)
        if names:
            outputs = {name: outputs[name] for name in names}
        identity = self.engine.identity(manifest.name)
        answer: dict[str, Any] = {
            "model_name": manifest.name,
            "model_version": manifest.version,
            # With every answer, so that a server that was replaced in between cannot answer under another's name.
            "parameters": {"sha256": identity.sha256, "provider": identity.provider},
        }
        if isinstance(head.get("id"), str):
            answer["id"] = head["id"]
        if not protocol.wants_binary(head):
            return Response(protocol.encode_json(outputs, answer, "outputs"), media_type="application/json")
        raw, length = protocol.encode(outputs, answer, "outputs")
        headers = {protocol.HEADER_LENGTH: str(length)}
        return Response(raw, media_type="application/octet-stream", headers=headers)

    def _manifest(self, request: Request) -> Manifest:
        manifest = self.engine.registry.get(request.path_params["name"])
        version = request.path_params.get("version", manifest.version)
        if version != manifest.version:
            raise UnknownModel("model.unknown_version", name=manifest.name, known=manifest.version)
        return manifest

    async def _in_pool(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)


async def on_domain_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, DomainError):
        raise error
    headers = {"Retry-After": "1"} if isinstance(error, EngineBusy) else {}
    return failure(status_of(error), error.code, str(error), headers)


async def on_http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return failure(error.status_code, f"http.{error.status_code}", error.detail)


def create_app(engine: Engine) -> Starlette:
    """The ASGI application of `engine`; `uvicorn.run(create_app(Engine()), host=HOST)` serves it."""
    service = Service(engine)
    handlers: list[tuple[str, Handler, str]] = [
        ("/v2", service.server, "GET"),
        ("/v2/health/live", service.live, "GET"),
        ("/v2/health/ready", service.ready, "GET"),
    ]
    for prefix in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        handlers += [
            (prefix, service.model, "GET"),
            (f"{prefix}/ready", service.model_ready, "GET"),
            (f"{prefix}/infer", service.infer, "POST"),
        ]
    app = Starlette(
        routes=[Route(path, handler, methods=[method]) for path, handler, method in handlers],
        exception_handlers={DomainError: on_domain_error, HTTPException: on_http_error},
    )
    app.state.service = service
    return app


def serve(engine: Engine, port: int, host: str = HOST) -> None:
    """Serve until a signal; every model is loaded and verified first. Raises ModelRefused."""
    import uvicorn

    engine.warm()
    app = create_app(engine)
    try:
        uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
    finally:
        app.state.service.close()
