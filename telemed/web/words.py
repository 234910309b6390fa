"""Codes and facts of the domain in a person's words."""

import logging
from collections.abc import Mapping
from typing import Any

from telemed.domain.errors import DomainError, InvalidInput
from telemed.i18n import catalogue, text

log = logging.getLogger(__name__)

# Facts that are themselves codes, by the family of the catalogue that names them.
_FAMILIES = {"role": "role", "field": "field", "kind": "job", "modality": "modality", "name": "finding"}


class _Known(dict[str, object]):
    """A fact that was not told is left open rather than hiding the whole sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


def has(key: str, language: str) -> bool:
    return key in catalogue(language)


def say(code: str, language: str, facts: Mapping[str, Any] | None = None) -> str:
    """The text of a code; a code without a text is a fault of ours, told as such and logged."""
    texts = catalogue(language)
    if code not in texts:
        log.error("no text for the code %s", code)
        return text("error.untold", language, code=code)
    return texts[code].format_map(_Known(_named(facts or {}, language)))


def _named(facts: Mapping[str, Any], language: str) -> dict[str, object]:
    named: dict[str, object] = {}
    for name, value in facts.items():
        if name == "fields":
            parts = str(value).split()
            named[name] = text("list.comma", language).join(label("field", part, language) for part in parts)
        elif name == "error" and has(str(value), language):
            named[name] = say(str(value), language)
        elif name in _FAMILIES:
            named[name] = label(_FAMILIES[name], str(value), language)
        else:
            named[name] = value
    return named


def label(family: str, value: str, language: str) -> str:
    """The name of a value ("role.technician"), or the value itself where it needs no translation."""
    key = f"{family}.{value}"
    return text(key, language) if has(key, language) else value


def explain(error: DomainError, language: str) -> str:
    facts: dict[str, Any] = dict(error.params)
    if isinstance(error, InvalidInput) and error.field:
        facts.setdefault("field", error.field)
    return say(error.code, language, facts)
