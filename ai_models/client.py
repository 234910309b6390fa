"""A Runner on another process or machine: any server of the Open Inference Protocol v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from ai_models import protocol
from ai_models.errors import EngineBusy, InvalidTensor, ModelRefused, RemoteFailed, UnknownModel
from ai_models.registry import Registry
from ai_models.runner import Tensor
from telemed.domain.analysis import ModelIdentity

REMOTE = "remote"
UNVERIFIED = "unverified"


class RemoteRunner:
    """Sends tensors to `url` (scheme, host, port) with the binary extension.

    A server of this project states its digest and provider; they are taken over, and a digest other than the
    manifest's is refused, because labels and thresholds belong to these weights alone. A foreign server that
    states none is recorded as provider "remote" and sha256 "unverified".
    """

    def __init__(
        self, url: str, registry: Registry | None = None, client: httpx2.Client | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._registry = registry if registry is not None else Registry()
        self._client = (
            client if client is not None else httpx2.Client(timeout=httpx2.Timeout(30.0, connect=3.0))
        )
        self._known: dict[str, ModelIdentity] = {}

    def close(self) -> None:
        self._client.close()

    def identity(self, model: str) -> ModelIdentity:
        """What the server says that it runs, asked once. Raises UnknownModel, ModelRefused, RemoteFailed."""
        if model not in self._known:
            self._known[model] = self._ask(model)
        return self._known[model]

    def run(self, model: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Outputs by name. Raises UnknownModel, InvalidTensor, EngineBusy, ModelRefused, RemoteFailed.

        An answer that states another digest or provider than the server did when asked is refused, and the server
        is asked anew: it was replaced in between.
        """
        known = self.identity(model)
        head = {"parameters": {"binary_data_output": True}}
        body, length = protocol.encode(inputs, head, "inputs")
        headers = {protocol.HEADER_LENGTH: str(length), "Content-Type": "application/octet-stream"}
        response = self._send("POST", f"/v2/models/{quote(model, safe='')}/infer", model, body, headers)
        try:
            answer, tail = protocol.split(response.content, response.headers.get(protocol.HEADER_LENGTH))
            outputs = protocol.decode(answer.get("outputs"), tail)
        except InvalidTensor as error:
            raise RemoteFailed("inference.bad_answer", url=self._url, detail=str(error)) from error
        parameters = answer.get("parameters")
        if isinstance(parameters, dict):
            for name in ("sha256", "provider"):
                found, expected = parameters.get(name), getattr(known, name)
                if isinstance(found, str) and found != expected:
                    self._known.pop(model, None)
                    raise ModelRefused(
                        "model.remote_differs", url=self._url, name=model, expected=expected, found=found[:80]
                    )
        missing = {spec.name for spec in self._registry.get(model).outputs} - set(outputs)
        if missing:
            detail = f"missing output {', '.join(sorted(missing))}"
            raise RemoteFailed("inference.bad_answer", url=self._url, detail=detail)
        return outputs

    def _ask(self, model: str) -> ModelIdentity:
        manifest = self._registry.get(model)
        response = self._send("GET", f"/v2/models/{quote(model, safe='')}", model)
        try:
            parameters = response.json().get("parameters") or {}
        except (ValueError, AttributeError) as error:
            raise RemoteFailed("inference.bad_answer", url=self._url, detail="no JSON object") from error

        def stated(name: str, otherwise: str) -> str:
            value = parameters.get(name) if isinstance(parameters, dict) else None
            return value if isinstance(value, str) and value else otherwise

        sha256 = stated("sha256", UNVERIFIED)
        if sha256 not in (UNVERIFIED, manifest.sha256):
            raise ModelRefused(
                "model.remote_differs", url=self._url, name=model, expected=manifest.sha256, found=sha256[:80]
            )
        return ModelIdentity(
            name=manifest.name,
            version=manifest.version,
            sha256=sha256,
            # Tensors are made here, so the preprocessing is known whoever runs the network.
            preprocessing=manifest.preprocessing,
            precision=stated("precision", REMOTE),
            provider=stated("provider", REMOTE),
            runtime=stated("runtime", REMOTE),
            device=stated("device", REMOTE),
        )

    def _send(
        self, method: str, path: str, model: str, body: bytes | None = None, headers: Any = None
    ) -> httpx2.Response:
        try:
            response = self._client.request(method, self._url + path, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise RemoteFailed("inference.unreachable", url=self._url, detail=type(error).__name__) from error
        if response.status_code == 200:
            return response
        detail = response.text[:200]
        if response.status_code == 404:
            raise UnknownModel("model.unknown", name=model, known=self._url)
        if response.status_code == 400:
            raise InvalidTensor("tensor.refused", detail=detail)
        if response.status_code == 429:
            raise EngineBusy("model.busy")
        raise RemoteFailed("inference.failed", url=self._url, status=response.status_code, detail=detail)
