"""The registry and the engine as an installation's settings name them.

Given as plain words, so that the inference process needs nothing of the house around it, whose adapters alone are
80 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ai_models.errors import ModelRefused
from ai_models.precision import Precisions
from ai_models.registry import Registry
from ai_models.signature import public_key

if TYPE_CHECKING:
    from ai_models.engine import Engine


def make_registry(keys: Sequence[str]) -> Registry:
    """The shipped models; `keys`: Ed25519 public keys (PEM or hexadecimal), of which one must have signed each.

    Raises ModelRefused("model.bad_key") for a text that is no key.
    """
    return Registry(signers=[public_key(key) for key in keys])


def make_models(*, keys: Sequence[str], provider: str, precision: str) -> Engine:
    """The engine of this process. Models are verified when they are first used, or by its `warm`.

    Raises ModelRefused: "model.unknown_provider" for another than "cpu" and "cuda", "model.bad_precision"; and
    UnknownModel for a precision of a model that is not there.
    """
    from ai_models.engine import PROVIDERS, Engine  # the runtime, for processes that run models alone

    if provider not in PROVIDERS:
        raise ModelRefused("model.unknown_provider", value=provider, known=", ".join(PROVIDERS))
    registry = make_registry(keys)
    Precisions.parse(precision).demand(model.name for model in registry.models())
    return Engine(registry, PROVIDERS[provider], precision=precision)
