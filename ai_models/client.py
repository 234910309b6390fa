"""A Runner on another process or machine: any server of the Open Inference Protocol v2."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import quote

import httpx2

from ai_models import evidence, protocol
from ai_models.answers import UnfitAnswer, check_name, checked_outputs
from ai_models.errors import EngineBusy, InvalidTensor, ModelRefused, RemoteFailed, UnknownModel
from ai_models.manifest import Manifest
from ai_models.registry import Registry
from ai_models.runner import Tensor
from ai_models.wishes import parameters_of
from telemed.domain.analysis import ModelIdentity
from telemed.domain.inference import TAKEN_OUT, Urgency

log = logging.getLogger(__name__)

REMOTE = "remote"
UNVERIFIED = "unverified"
TALK_S = 30.0
"""Longest silence of a server that is asked what it runs, which may have to load it."""
MARGIN_S = 10.0
"""What an answer may take on the line beyond the time in which it was asked for."""


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
        self._client = client if client is not None else httpx2.Client(timeout=_patience(TALK_S))
        self._known: dict[tuple[str, str], tuple[str, ModelIdentity]] = {}

    def close(self) -> None:
        self._client.close()

    def identity(self, model: str, version: str | None = None) -> ModelIdentity:
        """What the server says that it runs, asked once. Raises UnknownModel, ModelRefused, RemoteFailed."""
        return self._asked(self._registry.get(model, version))[1]

    def check(self, model: str) -> None:
        """Raises as `identity`, and ModelRefused("model.taken_out") or RemoteFailed where it is not ready."""
        path, _ = self._asked(self._registry.get(model))
        self._send("GET", f"{path}/ready", model)

    def core(
        self, urgency: Urgency = Urgency.ROUTINE, *, model: str = "", within: float = 60.0
    ) -> AbstractContextManager[None]:
        """Nothing to share: the runs are elsewhere, and decoding is bounded by the worker's threads."""
        del urgency, model, within
        return nullcontext()

    def metrics_text(self) -> bytes:
        """The server's own page, where it has one that can be read; a server that is away has none."""
        try:
            response = self._client.get(f"{self._url}/metrics", timeout=1.0)
        except httpx2.HTTPError as error:
            log.warning("the inference server's metrics cannot be read: %s", type(error).__name__)
            return b""
        return response.content if response.status_code == 200 else b""

    def run(
        self,
        model: str,
        inputs: Mapping[str, Tensor],
        *,
        urgency: Urgency = Urgency.ROUTINE,
        within: float | None = None,
        version: str | None = None,
    ) -> dict[str, Tensor]:
        """Outputs by name. Raises UnknownModel, InvalidTensor, EngineBusy, ModelRefused, RemoteFailed.

        An answer that states another digest or provider than the server did when asked is refused, and the server
        is asked anew: it was replaced in between.
        """
        manifest = self._registry.get(model, version)
        path, known = self._asked(manifest)
        head = {"parameters": {"binary_data_output": True, **parameters_of(urgency, within)}}
        body, length = protocol.encode(inputs, head, "inputs")
        headers = {protocol.HEADER_LENGTH: str(length), "Content-Type": "application/octet-stream"}
        # Hung up before the server's own deadline, the run would go on for nobody, and be asked for again.
        allowed = manifest.engine.within_s[urgency] if within is None else within
        patience = _patience(allowed + MARGIN_S)
        response = self._send("POST", f"{path}/infer", model, body, headers, patience)
        try:
            answer, tail = protocol.split(response.content, response.headers.get(protocol.HEADER_LENGTH))
            outputs = protocol.decode(answer.get("outputs"), tail)
        except InvalidTensor as error:
            raise self._bad(str(error)) from error
        parameters = answer.get("parameters")
        if isinstance(parameters, dict):
            for name in ("sha256", "provider"):
                found, expected = parameters.get(name), getattr(known, name)
                if isinstance(found, str) and found != expected:
                    self._known.pop((manifest.name, manifest.version), None)
                    raise ModelRefused(
                        "model.remote_differs", url=self._url, name=model, expected=expected, found=found[:80]
                    )
        try:
            check_name(manifest, answer, versioned=path.endswith(_versioned(manifest)))
            return checked_outputs(manifest, outputs, rows=len(next(iter(inputs.values()))))
        except UnfitAnswer as error:
            raise self._bad(str(error)) from error

    def _bad(self, detail: str) -> RemoteFailed:
        return RemoteFailed("inference.bad_answer", url=self._url, detail=detail)

    def _asked(self, manifest: Manifest) -> tuple[str, ModelIdentity]:
        key = (manifest.name, manifest.version)
        if key not in self._known:
            self._known[key] = self._ask(manifest)
        return self._known[key]

    def _ask(self, manifest: Manifest) -> tuple[str, ModelIdentity]:
        """The path of this very version, where the server has it under its name; else of the model alone."""
        model = manifest.name
        bare = f"/v2/models/{quote(model, safe='')}"
        path = bare + _versioned(manifest)
        try:
            response = self._send("GET", path, model)
        except (UnknownModel, InvalidTensor):
            path, response = bare, self._send("GET", bare, model)
        try:
            parameters = response.json().get("parameters") or {}
        except (ValueError, AttributeError) as error:
            raise self._bad("no JSON object") from error

        def stated(name: str, otherwise: str) -> str:
            value = parameters.get(name) if isinstance(parameters, dict) else None
            return value if isinstance(value, str) and value else otherwise

        sha256 = stated("sha256", UNVERIFIED)
        if sha256 not in (UNVERIFIED, manifest.sha256, *self._rungs(manifest)):
            raise ModelRefused(
                "model.remote_differs", url=self._url, name=model, expected=manifest.sha256, found=sha256[:80]
            )
        return path, ModelIdentity(
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

    def _rungs(self, manifest: Manifest) -> list[str]:
        """Digests of other precisions that have proved themselves here too."""
        found = evidence.find(manifest, self._registry.signers).values()
        return [proof.sha256 for proof in found if proof.shortfall(manifest) is None]

    def _send(
        self,
        method: str,
        path: str,
        model: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: httpx2.Timeout | None = None,
    ) -> httpx2.Response:
        try:
            response = self._client.request(
                method,
                self._url + path,
                content=body,
                headers=headers,
                timeout=patience if patience is not None else _patience(TALK_S),
            )
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
            after = response.headers.get("Retry-After", "")
            raise EngineBusy("model.busy", seconds=int(after) if after.isascii() and after.isdigit() else 1)
        if response.status_code == 503 and _code(response) == TAKEN_OUT:
            raise ModelRefused(TAKEN_OUT, name=model, reason=detail)
        raise RemoteFailed("inference.failed", url=self._url, status=response.status_code, detail=detail)


def _versioned(manifest: Manifest) -> str:
    return f"/versions/{quote(manifest.version, safe='')}"


def _patience(seconds: float) -> httpx2.Timeout:
    return httpx2.Timeout(seconds, connect=3.0)


def _code(response: httpx2.Response) -> str:
    try:
        return str(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        return ""
