"""Sensitivity and positive predictive value of a statement, with Wilson's interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Z = 1.959964


def wilson(hits: int, of: int) -> tuple[float, float, float]:
    """Share, lower and upper end of its 95 % interval (Wilson EB, J Am Stat Assoc 1927;22:209); NaN for none of 0."""
    if not of:
        return (math.nan,) * 3
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return share, max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass
class Tally:
    """What became of the recordings that a set judges; `wrong` and `missed` by key, in the order they came.

    `open` were said of another thing that the statement's own words allow for: not wrong, and found in nobody.
    """

    right: int = 0
    open: int = 0
    silent: int = 0
    undecided: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, key: str, said: bool | None, true: bool, *, left_open: bool = False) -> None:
        self.undecided += said is None
        if said:
            if true:
                self.right += 1
            elif left_open:
                self.open += 1
            else:
                self.wrong.append(key)
        elif true:
            self.missed.append(key)
        else:
            self.silent += 1

    @property
    def n(self) -> int:
        return self.right + self.open + self.silent + len(self.wrong) + len(self.missed)

    @property
    def said(self) -> int:
        return self.right + self.open + len(self.wrong)

    @property
    def true(self) -> int:
        return self.right + len(self.missed)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.right + other.right,
            self.open + other.open,
            self.silent + other.silent,
            self.undecided + other.undecided,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "true": self.true,
            "said": self.said,
            "right": self.right,
            "open": self.open,
            "undecided": self.undecided,
            "sensitivity": _rounded(wilson(self.right, self.true)),
            "ppv": _rounded(wilson(self.right + self.open, self.said)),
            "wrong": self.wrong,
        }


def _rounded(values: Iterable[float]) -> list[float] | None:
    found = [round(value, 3) for value in values]
    return None if math.isnan(found[0]) else found


def cell(hits: int, of: int) -> str:
    """For a table: share, interval, and what it stands on."""
    share, low, high = wilson(hits, of)
    return f"0/{of}" if not of else f"{share:.2f} [{low:.2f}-{high:.2f}] {hits}/{of}"
