"""Left arm and left leg exchanged: planted in every recording, and said how often of the recordings as they are.

No set labels it, and LUDB trained the delineation that answers: planted in PTB-XL and the Chinese recordings alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ai_models.ecg.interpretation.evaluation.figures import Tally, cell
from ai_models.ecg.interpretation.evaluation.sets import CHOSEN_ON, HELD_OUT, Crossed, Judged, judged
from ai_models.ecg.interpretation.rules import RuleSet
from ai_models.ecg.training.faults import Samples, Sound, left_arm_leg_exchanged

STATEMENT = "ecg.left_arm_leg"
PLANTED_IN = (CHOSEN_ON[0], HELD_OUT[0], HELD_OUT[2])
NO_CHANCE = np.random.default_rng(0)
"""This fault is the same wherever it is planted."""


def exchanged(samples: Samples) -> Samples:
    """(12, n) mV as if the two electrodes had been exchanged."""
    return left_arm_leg_exchanged(Sound(samples, 1.0, NO_CHANCE))


def said_of(rules: RuleSet, recordings: Iterable[Judged], *, true: bool) -> dict[str, Tally]:
    """By set, over the recordings in domain; `true` says that the electrodes are exchanged in all of them."""
    tallies: dict[str, Tally] = {}
    for one in recordings:
        if one.facts is not None:
            said = rules.judged(one.facts)[STATEMENT]
            tallies.setdefault(one.part, Tally()).add(one.key, said, true)
    return tallies


def kept(rules: RuleSet, root: Path, recordings: Iterable[Judged]) -> dict[str, Any]:
    """What evaluation.json keeps: `planted` and `as recorded` (of `recordings`), by set."""
    planted = judged(rules, root, PLANTED_IN, Crossed({}, {}), exchanged)
    return {
        f"{name}, {part}": tally.as_json()
        for name, tallies in (
            ("planted", said_of(rules, planted, true=True)),
            ("as recorded", said_of(rules, recordings, true=False)),
        )
        for part, tally in tallies.items()
    }


def electrode_table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: how often it was said, planted and as recorded."""
    return "\n".join(
        [
            "| | said |",
            "|---|---|",
            *(f"| {name} | {cell(row['said'], row['n'])} |" for name, row in rows.items()),
        ]
    )
