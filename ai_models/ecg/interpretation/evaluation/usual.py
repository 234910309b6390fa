"""What the normal recordings show: the ranges inside which a recording may be called normal, and their judge.

    .venv/bin/python -m ai_models.ecg.interpretation.evaluation.usual \
        --classification /tmp/ecg --delineation /tmp/delineation

prints the conditions that stand in rules.json. A range runs from the least to the most of a fact over the normal
recordings that lie within the textbook limits: nothing about an abnormal recording enters it, so there is no limit
to be tuned until a miss disappears. Which facts have a range is fixed below.

A last condition looks at the whole: `unusual` counts facts in the outer twentieth of the normal recordings. A heart
that no rule here describes (pre-excitation, a right ventricle under load, potassium) leaves its mark in many leads
at once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ai_models.ecg.interpretation.conditions import compiled
from ai_models.ecg.interpretation.evaluation.figures import Tally
from ai_models.ecg.interpretation.evaluation.sets import CHOSEN_ON, HELD_OUT, Crossed, Judged, judged
from ai_models.ecg.interpretation.evaluation.truth import NORMAL, WITHIN_LIMITS
from ai_models.ecg.interpretation.names import NAMES
from ai_models.ecg.interpretation.rules import RuleSet, rule_set
from ai_models.ecg.training.data import DEFAULT_ROOT

FOLDS = 5
NOT_ABOVE = {
    "p_HYP": 2,
    "p_STTC": 2,
    "p_CD": 2,
    "p_MI": 2,
    "p_axis_deg": 0,
    "qrs_axis_deg": 0,
    "t_axis_deg": 0,
    "II.p_mv": 2,
    "p_ms": 0,
    "pr_ms": 0,
    "heart_rate_bpm": 0,
    "rr_range_ms": 0,
    "qrs_typical_lead_ms": 0,
    "qtc_fridericia_ms": 0,
    "v4_v6.st_low_mv": 2,
}
"""Facts with an upper end, and the decimals it is rounded to, outward."""
NOT_BELOW = {
    "p_NORM": 2,
    "p_axis_deg": 0,
    "qrs_axis_deg": 0,
    "t_axis_deg": 0,
    "II.p_mv": 2,
    "pr_ms": 0,
    "v4_v6.t_low_mv": 2,
    "v4_v6.st_low_mv": 2,
    "V3.r_mv": 2,
}
NOT_ABOVE_BY_SEX = {"cornell_mv": 2, "sokolow_mv": 2, "aVL.r_mv": 2}
"""Voltages: a man's are higher (Hancock 2009). Of unknown sex both ends hold."""
INDEPENDENT_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
"""The other four follow from I and II and would count what these show a second time."""
COUNTED = {
    **{
        f"{lead}.{wave}": 2
        for lead in INDEPENDENT_LEADS
        for wave in ("p_mv", "q_mv", "r_mv", "s_mv", "t_mv", "st_j80_mv")
    },
    **dict.fromkeys(("heart_rate_bpm", "rr_range_ms", "p_ms", "pr_ms", "qrs_typical_lead_ms"), 0),
    **dict.fromkeys(("qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"), 0),
}
"""Facts that are counted where they are unusual, and the decimals their limits are rounded to, outward."""
OUTER = 0.05
"""A fact is unusual in the outer twentieth of the normal, a recording where it has more such facts than 19 in 20."""

Condition = Any
"""A condition of rules.json."""


@dataclass(frozen=True)
class Known:
    """A recording in domain; `within` says that the textbook limits hold, `normal` what its set says."""

    key: str
    part: str
    group: str
    facts: dict[str, float]
    within: bool
    normal: bool


def known(rules: RuleSet, recordings: Iterable[Judged]) -> list[Known]:
    """Those that were answered, with what the textbook limits of `rules` and the labels say."""
    found = []
    for one in recordings:
        if one.facts is not None:
            within = rules.judged(one.facts)[WITHIN_LIMITS] is True
            found.append(
                Known(one.key, one.part, one.group, one.facts, within, bool(one.labels.says(NORMAL)))
            )
    return found


def ranges(recordings: Sequence[Known]) -> list[Condition]:
    """The conditions that the normal of `recordings` within the limits fulfil, all of them."""
    usual = [one for one in recordings if one.within and one.normal]
    found: list[Condition] = [
        [fact, "<=", _end(usual, fact, places, +1)] for fact, places in NOT_ABOVE.items()
    ]
    found += [[fact, ">=", _end(usual, fact, places, -1)] for fact, places in NOT_BELOW.items()]
    for fact, places in NOT_ABOVE_BY_SEX.items():
        for male, other in ((1.0, ["male", "<", 0.5]), (0.0, ["male", ">=", 0.5])):
            mine = [one for one in usual if one.facts.get("male") == male]
            found.append({"any": [other, [fact, "<=", _end(mine, fact, places, +1)]]})
    return [*found, {"none": [unusual(usual)]}]


def unusual(usual: Sequence[Known]) -> Condition:
    """More facts beyond their middle 95 % than all but one in twenty of the normal recordings `usual` have."""
    beyond: list[Condition] = []
    for fact, places in COUNTED.items():
        values = [one.facts[fact] for one in usual if fact in one.facts]
        low, high = np.quantile(values, (OUTER / 2, 1 - OUTER / 2))
        scale = 10.0**places
        beyond.append([fact, "<", float(math.floor(low * scale) / scale)])
        beyond.append([fact, ">", float(math.ceil(high * scale) / scale)])
    counted = [compiled(condition, NAMES, frozenset()) for condition in beyond]
    numbers = sorted(sum(holds(one.facts, {}) is True for holds in counted) for one in usual)
    most = numbers[math.ceil((1 - OUTER) * len(numbers)) - 1]
    return {"least": [most + 1, beyond]}


def _end(recordings: Sequence[Known], fact: str, places: int, side: int) -> float:
    """The most (`side` +1) or the least (-1) of a fact, rounded outward so that it stays inside."""
    values = [one.facts[fact] for one in recordings if fact in one.facts]
    scale = 10.0**places
    if side > 0:
        return float(math.ceil(max(values) * scale) / scale)
    return float(math.floor(min(values) * scale) / scale)


def fold_of(group: str) -> int:
    """One of five, by the digest of the person's key: all recordings of a person lie in one."""
    return hashlib.sha256(f"normal:{group}".encode()).digest()[0] % FOLDS


def drafted(known_ones: Sequence[Known], others: Sequence[Known]) -> list[Known]:
    """Which of `others` are within the limits and inside the ranges of the normal among `known_ones`."""
    holds = compiled({"all": ranges(known_ones)}, NAMES, frozenset())
    return [one for one in others if one.within and holds(one.facts, {}) is True]


def crossed(recordings: Sequence[Known]) -> dict[str, Tally]:
    """By set: what became of every recording under the ranges of the other four folds' normal recordings."""
    tallies: dict[str, Tally] = {}
    for fold in range(FOLDS):
        outer = [one for one in recordings if fold_of(one.group) == fold]
        said = {one.key for one in drafted([one for one in recordings if fold_of(one.group) != fold], outer)}
        for one in outer:
            tallies.setdefault(one.part, Tally()).add(one.key, one.key in said, one.normal)
    return tallies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT)
    parser.add_argument("--classification", type=Path, required=True)
    parser.add_argument("--delineation", type=Path, required=True)
    args = parser.parse_args()
    rules = rule_set()
    answers = Crossed.read(args.classification, args.delineation)
    everyone = known(rules, judged(rules, args.root, (*CHOSEN_ON, *HELD_OUT), answers))
    chosen_on = [one for one in everyone if one.part in CHOSEN_ON]
    print(json.dumps(ranges(chosen_on)))


if __name__ == "__main__":
    main()
