"""Write evaluation.json and both cards of the rules, from what the two trainings left.

    .venv/bin/python -m ai_models.ecg.interpretation.evaluation.release \
        --classification /tmp/ecg --delineation /tmp/delineation

`--classification` holds cross-validate.json (`ai_models.ecg.training.train cross-validate`), `--delineation` the
fold-*.npz of `ai_models.ecg.delineation.training.train`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ai_models.ecg.interpretation.evaluation import evaluate
from ai_models.ecg.interpretation.evaluation.figures import cell
from ai_models.ecg.interpretation.evaluation.sets import CHOSEN_ON, HELD_OUT
from ai_models.ecg.interpretation.evaluation.truth import NORMAL, all_labels
from ai_models.ecg.interpretation.rules import RuleSet, rule_set
from ai_models.ecg.training.data import DEFAULT_ROOT

SHOWN = 8
"""Labels of a miss that are listed."""


def normal_table(rows: dict[str, Any]) -> str:
    """Markdown: precision and coverage of the "normal" draft by set."""
    lines = ["| | precision | coverage of the normal | drafts of all |", "|---|---|---|---|"]
    for name in (*CHOSEN_ON, *HELD_OUT, "held out"):
        row = rows["statements"][NORMAL].get(name)
        if row:
            precision, coverage = cell(row["right"], row["said"]), cell(row["right"], row["true"])
            lines.append(f"| {name} | {precision} | {coverage} | {row['said']}/{row['n']} |")
    return "\n".join(lines)


def misses(rows: dict[str, Any], root: Path) -> str:
    """Markdown: every "normal" that the set's labels do not call normal, with these labels."""
    labels = all_labels(root)
    lines = []
    for name in (*CHOSEN_ON, *HELD_OUT):
        for key in rows["statements"][NORMAL].get(name, {}).get("wrong", ()):
            said = sorted(one for one in labels[key].names if not one.startswith(("class:", "axis:")))
            lines.append(f"- {key} ({name}): {'; '.join(said[:SHOWN])}")
    return "\n".join(lines) or "-"


def limits(rules: RuleSet, language: str) -> str:
    """Markdown: where each rule's limits come from."""
    key = "zh" if language == "zh-CN" else "en"
    return "\n".join(f"- {rule.text[key]} (`{rule.code}`): {rule.source}" for rule in rules.rules)


def lines_of(rows: dict[str, Any]) -> str:
    """JSON with a line a statement and set, so that a change of one figure is a change of one line."""
    parts = []
    for code, by_set in rows["statements"].items():
        sets = ",\n".join(f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in by_set.items())
        parts.append(f"  {json.dumps(code)}: {{\n{sets}\n  }}")
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(rows[key])}" for key in ("rules", "out_of_domain"))
    return "{\n" + head + ',\n "statements": {\n' + ",\n".join(parts) + "\n }\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT)
    parser.add_argument("--classification", type=Path, required=True)
    parser.add_argument("--delineation", type=Path, required=True)
    args = parser.parse_args()
    rules = rule_set()
    rows = evaluate.kept(args.root, args.classification, args.delineation)
    (rules.folder / "evaluation.json").write_text(lines_of(rows), "utf-8")
    refused = "; ".join(
        f"{part}: {', '.join(f'{reason} {count}' for reason, count in reasons.items())}"
        for part, reasons in rows["out_of_domain"].items()
    )
    for language in ("zh-CN", "en"):
        places = {
            "version": rules.version,
            "sha256": rules.sha256,
            "networks": ", ".join(f"{name} {version}" for name, version in rules.networks.items()),
            "together": evaluate.table(rows["statements"], ("chosen on", "held out"), language),
            "by_set": evaluate.table(rows["statements"], HELD_OUT, language),
            "normal": normal_table(rows),
            "misses": misses(rows, args.root),
            "limits": limits(rules, language),
            "refused": refused or "-",
        }
        text = (Path(__file__).parent / f"card.{language}.md.in").read_text("utf-8")
        for name, value in places.items():
            text = text.replace("{{" + name + "}}", value)
        (rules.folder / f"card.{language}.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
