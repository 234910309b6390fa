"""What a request of the v2 protocol asks for beside its tensors: outputs and their form, urgency, time.

What would change the answer and is not offered here is refused by its name; it is never left out in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ai_models.errors import InvalidTensor
from telemed.domain.inference import Urgency

PRIORITIES = {0: Urgency.ROUTINE, 1: Urgency.STAT, 2: Urgency.ROUTINE, 3: Urgency.BACKFILL}
LONGEST_S = 3600.0
"""A caller that says it waits longer than this is taken to wait so long."""
NOT_OFFERED = frozenset(
    {
        "classification",
        "sequence_id",
        "sequence_start",
        "sequence_end",
        "shared_memory_region",
        "shared_memory_byte_size",
        "shared_memory_offset",
    }
)


@dataclass(frozen=True)
class Wish:
    """`outputs` in the order asked for, by default all; those in `binary` as raw bytes, the others as JSON."""

    id: str | None
    urgency: Urgency
    within: float | None
    outputs: tuple[str, ...]
    binary: frozenset[str]


def wish_of(head: Mapping[str, Any], known: Iterable[str]) -> Wish:
    """The wishes in a request's JSON for a model with the outputs `known`.

    Raises InvalidTensor("body.unsupported", "body.outputs", "body.not_object", "body.parameter", "body.flag",
    "tensor.unknown").
    """
    names = tuple(known)
    given = _parameters(head)
    for row in _rows(head.get("inputs")):
        _parameters(row)
    urgency, within = urgency_of(head)
    every = _flag(given, "binary_data_output", False)
    if head.get("outputs") is None or head["outputs"] == []:
        forms = dict.fromkeys(names, every)
    else:
        forms = _outputs(head["outputs"], names, every)
    asked = head.get("id")
    binary = frozenset(name for name, raw in forms.items() if raw)
    return Wish(asked if isinstance(asked, str) else None, urgency, within, tuple(forms), binary)


def urgency_of(head: Mapping[str, Any]) -> tuple[Urgency, float | None]:
    """The request parameters `priority` (1 urgent, 2 or none routine, 3 backfill) and `timeout` (microseconds).

    Both are those of the protocol's widespread clients. Raises InvalidTensor("body.parameter") for no whole number.
    """
    given = _parameters(head)
    values = {}
    for name in ("priority", "timeout"):
        value = given.get(name, 0)
        if type(value) is not int or value < 0:
            raise InvalidTensor("body.parameter", name=name, found=str(value)[:40])
        values[name] = value
    urgency = PRIORITIES.get(values["priority"], Urgency.BACKFILL)
    return urgency, min(values["timeout"], round(LONGEST_S * 1e6)) / 1e6 or None


def parameters_of(urgency: Urgency, within: float | None) -> dict[str, int]:
    """What `urgency_of` reads back."""
    priority = next(number for number, one in PRIORITIES.items() if one is urgency and number)
    return {"priority": priority} | ({} if within is None else {"timeout": max(round(within * 1e6), 1)})


def _outputs(rows: Any, names: tuple[str, ...], every: bool) -> dict[str, bool]:
    """Which outputs, and which of them as raw bytes: what an output says for itself counts before what all say."""
    found = _rows(rows)
    if not isinstance(rows, list) or len(found) != len(rows):
        raise InvalidTensor("body.outputs", known=", ".join(names), found=str(rows)[:80])
    forms = {}
    for row in found:
        name = row.get("name")
        if not isinstance(name, str):
            raise InvalidTensor("body.outputs", known=", ".join(names), found=str(row)[:80])
        if name not in names:
            raise InvalidTensor("tensor.unknown", name=name[:80], known=", ".join(names))
        forms[name] = _flag(_parameters(row), "binary_data", every)
    return forms


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _parameters(row: Mapping[str, Any]) -> Mapping[str, Any]:
    given = row.get("parameters")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidTensor("body.not_object", name="parameters", found=str(given)[:80])
    asked = [name for name in NOT_OFFERED & given.keys() if given[name]]
    if asked:
        raise InvalidTensor("body.unsupported", name=", ".join(sorted(asked)))
    return given


def _flag(given: Mapping[str, Any], name: str, otherwise: bool) -> bool:
    value = given.get(name, otherwise)
    if not isinstance(value, bool):
        raise InvalidTensor("body.flag", name=name, found=str(value)[:40])
    return value
