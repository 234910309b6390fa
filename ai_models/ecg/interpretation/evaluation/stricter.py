"""Would a stricter "normal" draft be righter? Nested cross-validation of one limit on what the network doubts.

The doubt of a recording is the highest of its four abnormal probabilities and of one minus that of being normal. For
each of the five outer folds the limit is the highest under which the inner folds' drafts reach the wanted precision;
it is chosen without the outer fold and judged on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ai_models.ecg.interpretation.evaluation.figures import Tally
from ai_models.ecg.interpretation.evaluation.usual import FOLDS, Known, drafted, fold_of

WANTED = (0.95, 0.97, 0.98, 0.99)
ABNORMAL = ("p_MI", "p_STTC", "p_CD", "p_HYP")


def doubt(one: Known) -> float:
    """0 to 1: how far the network is from calling the recording normal and nothing else."""
    return max(1 - one.facts["p_NORM"], *(one.facts[name] for name in ABNORMAL))


def inner_fold(group: str) -> int:
    """Another division than the outer one, by person as well."""
    return hashlib.sha256(f"inner:{group}".encode()).digest()[0] % FOLDS


def limit(recordings: Sequence[Known], wanted: float) -> float:
    """The highest doubt up to which five-fold drafts of `recordings` are right in `wanted` of all; -1 for none."""
    found: list[Known] = []
    for fold in range(FOLDS):
        inside = [one for one in recordings if inner_fold(one.group) != fold]
        found += drafted(inside, [one for one in recordings if inner_fold(one.group) == fold])
    best, right = -1.0, 0
    for number, one in enumerate(sorted(found, key=doubt), 1):
        right += one.normal
        if right >= wanted * number:
            best = doubt(one)
    return best


def nested(recordings: Sequence[Known], wanted: float) -> Tally:
    """What became of every recording under limits that were chosen without its fold."""
    tally = Tally()
    for fold in range(FOLDS):
        inside = [one for one in recordings if fold_of(one.group) != fold]
        outer = [one for one in recordings if fold_of(one.group) == fold]
        highest = limit(inside, wanted)
        said = {one.key for one in drafted(inside, outer) if doubt(one) <= highest}
        for one in outer:
            tally.add(one.key, one.key in said, one.normal)
    return tally


def by_wanted(recordings: Sequence[Known]) -> dict[str, Tally]:
    """`nested` for each wanted precision, and without any limit of doubt."""
    return {f"{wanted:.2f}": nested(recordings, wanted) for wanted in WANTED}
