"""Which precision is asked for, model by model: "auto", "int8", or "fp32,ecg-superclass=int8"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_models.errors import ModelRefused, UnknownModel

AUTO = "auto"
"""The fastest precision that has proved itself on the model."""


@dataclass(frozen=True)
class Precisions:
    """`rest` for every model that `by_model` does not name.

    A model named alone is asked for alone: not every model has every precision, and what is asked for and not to be
    had is an error.
    """

    rest: str
    by_model: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Precisions:
        """Raises ModelRefused("model.bad_precision", value)."""
        found: dict[str, str] = {}
        for item in text.split(","):
            name, equals, precision = (part.strip() for part in item.rpartition("="))
            if not precision or bool(name) != bool(equals) or name in found:
                raise ModelRefused("model.bad_precision", value=text)
            found[name] = precision
        return cls(found.pop("", AUTO), found)

    def of(self, model: str) -> str:
        return self.by_model.get(model, self.rest)

    def demand(self, models: Iterable[str]) -> None:
        """Raises UnknownModel("model.unknown", name, known) for a precision of a model that is not there."""
        known = sorted(models)
        for name in self.by_model:
            if name not in known:
                raise UnknownModel("model.unknown", name=name, known=", ".join(known))
