"""A small language for rules: comparisons of facts joined by all, any, none and at-least; nothing else runs.

    ["qrs_ms", ">=", 120]                      a fact against a number
    ["p_mv", ">=", "q_mv"]                     is refused: facts are compared with numbers alone
    {"all": [...]}, {"any": [...]}             every one; one of them
    {"none": [...]}                            not one of them
    {"least": [2, [...]]}                      at least two of them
    {"rule": "ecg.lbbb"}                       what an earlier rule said

Three values: a comparison with an absent fact is neither true nor false, and what depends on it is not said. So a
rule never speaks because something could not be measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Truth = bool | None
Said = Mapping[str, Truth]
Condition = Callable[[Mapping[str, float], Said], Truth]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
}


class BadRule(ValueError):
    """A rule that cannot mean anything: an unknown fact, operator or rule."""


def compiled(node: Any, facts: frozenset[str], earlier: frozenset[str]) -> Condition:
    """The condition that `node` (from JSON) states. Raises BadRule.

    `facts` are the names that may be compared, `earlier` the rules that may be asked for.
    """
    if isinstance(node, list):
        return _comparison(node, facts)
    if not isinstance(node, dict) or len(node) != 1:
        raise BadRule(f"neither a comparison nor one operator: {node!r}")
    ((operator, value),) = node.items()
    if operator == "rule":
        if value not in earlier:
            raise BadRule(f"no earlier rule {value!r}")
        return lambda _, said: said.get(value)
    if operator == "least":
        if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], int)):
            raise BadRule(f"least needs a number and a list: {value!r}")
        count, rest = value
        parts = _parts(operator, rest, facts, earlier)
        if not 1 <= count <= len(parts):
            raise BadRule(f"at least {count} of {len(parts)}")
        return lambda f, said: _at_least(count, [part(f, said) for part in parts])
    parts = _parts(operator, value, facts, earlier)
    if operator == "all":
        return lambda f, said: _at_least(len(parts), [part(f, said) for part in parts])
    if operator == "any":
        return lambda f, said: _at_least(1, [part(f, said) for part in parts])
    if operator == "none":
        return lambda f, said: _not(_at_least(1, [part(f, said) for part in parts]))
    raise BadRule(f"no operator {operator!r}")


def _parts(operator: str, value: Any, facts: frozenset[str], earlier: frozenset[str]) -> list[Condition]:
    if not isinstance(value, list) or not value:
        raise BadRule(f"{operator} needs a list that is not empty")
    return [compiled(part, facts, earlier) for part in value]


def _comparison(node: list[Any], facts: frozenset[str]) -> Condition:
    if len(node) != 3 or node[1] not in _COMPARE:
        raise BadRule(f"a comparison is [fact, operator, number]: {node!r}")
    fact, operator, limit = node
    if fact not in facts:
        raise BadRule(f"no fact {fact!r}")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise BadRule(f"{fact} is compared with {limit!r}")
    compare = _COMPARE[operator]

    def holds(given: Mapping[str, float], _: Said) -> Truth:
        value = given.get(fact)
        return None if value is None or not math.isfinite(value) else compare(value, limit)

    return holds


def _at_least(count: int, values: list[Truth]) -> Truth:
    true = sum(value is True for value in values)
    if true >= count:
        return True
    return None if true + sum(value is None for value in values) >= count else False


def _not(value: Truth) -> Truth:
    return None if value is None else not value
