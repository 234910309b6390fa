"""The tables of the card for statements.

    python -m ai_models.ecg.interpretation.evaluation.evaluate

What needs the networks of the cross-validations is kept in evaluation.json beside the rules and printed as recorded;
the shipped networks are run anew on the recordings that had no say in the rules. LUDB trained the shipped
delineation, so that its half is a check there and no measure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ai_models.ecg.interpretation.evaluation import electrodes, stricter, usual
from ai_models.ecg.interpretation.evaluation.figures import Tally, cell
from ai_models.ecg.interpretation.evaluation.normal import (
    OF_STATEMENT_SETS,
    STATEMENT_SETS,
    misses,
    normal_table,
    stricter_table,
)
from ai_models.ecg.interpretation.evaluation.sets import CHOSEN_ON, HELD_OUT, Crossed, Judged, judged
from ai_models.ecg.interpretation.evaluation.truth import NORMAL
from ai_models.ecg.interpretation.rules import RuleSet, rule_set
from ai_models.ecg.training.data import DEFAULT_ROOT
from ai_models.ecg.training.evaluate import NoData

PARTS = (*CHOSEN_ON, *HELD_OUT)
Tallies = dict[str, dict[str, Tally]]


def tallied(rules: RuleSet, recordings: Iterable[Judged]) -> tuple[Tallies, dict[str, dict[str, int]]]:
    """By statement and set what became of it, and by set why recordings were out of domain."""
    tallies: Tallies = {rule.code: {} for rule in rules.rules}
    refused: dict[str, dict[str, int]] = {}
    for recording in recordings:
        if recording.facts is None:
            reasons = refused.setdefault(recording.part, {})
            reasons[str(recording.reason)] = reasons.get(str(recording.reason), 0) + 1
            continue
        for code, said in rules.judged(recording.facts).items():
            true = recording.labels.says(code)
            if true is not None:
                tallies[code].setdefault(recording.part, Tally()).add(
                    recording.key, said, true, left_open=recording.labels.leaves_open(code)
                )
    return tallies, refused


def together(by_set: dict[str, Tally], parts: Iterable[str]) -> Tally:
    return sum((by_set[part] for part in parts if part in by_set), Tally())


def kept(root: Path, classification: Path, delineation: Path) -> dict[str, Any]:
    """What evaluation.json keeps: every set, each recording by networks that did not train on it."""
    rules = rule_set()
    recordings = list(judged(rules, root, PARTS, Crossed.read(classification, delineation)))
    tallies, refused = tallied(rules, recordings)
    known = usual.known(rules, recordings)
    crossed = usual.crossed(known)
    statements = {
        code: {part: by_set[part].as_json() for part in PARTS if part in by_set}
        | {
            "chosen on": together(by_set, CHOSEN_ON).as_json(),
            "held out": together(by_set, HELD_OUT).as_json(),
        }
        for code, by_set in tallies.items()
    }
    return {
        "rules": rules.sha256,
        "out_of_domain": refused,
        "statements": statements,
        "normal_crossed": {part: crossed[part].as_json() for part in PARTS}
        | {
            OF_STATEMENT_SETS: together(crossed, STATEMENT_SETS).as_json(),
            "all": together(crossed, PARTS).as_json(),
        },
        "left_arm_leg": electrodes.kept(rules, root, recordings),
        "normal_stricter": {name: tally.as_json() for name, tally in stricter.by_wanted(known).items()},
    }


def recorded() -> dict[str, Any]:
    """evaluation.json beside the rules."""
    result: dict[str, Any] = json.loads((rule_set().folder / "evaluation.json").read_text("utf-8"))
    return result


def table(rows: dict[str, dict[str, Any]], columns: Iterable[str], language: str = "en") -> str:
    """Markdown: a row a statement; of each column sensitivity and PPV with interval and counts."""
    columns = list(columns)
    rules = {rule.code: rule for rule in rule_set().rules}
    head = " | ".join(f"Se, {name} | PPV, {name}" for name in columns)
    lines = [f"| | | {head} |", "|---" * (2 + 2 * len(columns)) + "|"]
    for code, by_set in rows.items():
        cells = []
        for name in columns:
            row = by_set.get(name)
            judged_here = row is not None and row["n"] > 0
            cells.append(cell(row["right"], row["true"]) if row and judged_here else "-")
            cells.append(cell(row["right"] + row["open"], row["said"]) if row and judged_here else "-")
        text = rules[code].text["zh" if language == "zh-CN" else "en"]
        lines.append(f"| {text} | {rules[code].level} | {' | '.join(cells)} |")
    return "\n".join(lines)


def report(root: Path = DEFAULT_ROOT) -> str:
    """All tables as Markdown. Raises NoData where the recordings are absent."""
    if not all((root / name).is_dir() for name in ("ptbxl", "ludb", "china")):
        raise NoData(
            f"no recordings under {root}: put ptbxl, ludb and china there (see the card for their origin)"
        )
    rules, rows = rule_set(), recorded()
    tallies, refused = tallied(rules, judged(rules, root, HELD_OUT, Crossed({}, {})))
    now = {
        code: {part: tally.as_json() for part, tally in by_set.items()} for code, by_set in tallies.items()
    }
    wrong = [key for tally in tallies[NORMAL].values() for key in tally.wrong]
    return "\n\n".join(
        [
            f"Statements, rules {rules.version}, recorded: each recording by networks that did not train on it",
            table(rows["statements"], ("chosen on", "held out")),
            "By set, held out",
            table(rows["statements"], HELD_OUT),
            "Shipped networks, computed now (LUDB trained the delineation: no measure there)",
            table(now, HELD_OUT),
            f"Out of domain: {refused or 'none'}",
            f"'Normal' that the labels do not call so, now: {', '.join(wrong) or 'none'}",
            "The 'normal' draft, five-fold by person, ranges from the other folds' normal recordings (recorded)",
            normal_table(rows["normal_crossed"]),
            misses(rows["normal_crossed"], root),
            "The same with a limit on the network's doubt, nested five-fold (recorded)",
            stricter_table(rows["normal_stricter"]),
            "Left arm and left leg exchanged (recorded)",
            electrodes.electrode_table(rows["left_arm_leg"]),
            "The 'normal' draft as shipped (recorded)",
            normal_table(rows["statements"][NORMAL]),
            misses(rows["statements"][NORMAL], root),
        ]
    )


if __name__ == "__main__":
    print(report())
