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

from ai_models.card_language import in_language
from ai_models.ecg.interpretation.evaluation import evaluate
from ai_models.ecg.interpretation.evaluation.electrodes import electrode_table
from ai_models.ecg.interpretation.evaluation.normal import misses, normal_table, stricter_table
from ai_models.ecg.interpretation.evaluation.sets import HELD_OUT
from ai_models.ecg.interpretation.evaluation.truth import NORMAL, WITHIN_LIMITS
from ai_models.ecg.interpretation.rules import RuleSet, rule_set
from ai_models.ecg.training.data import DEFAULT_ROOT

OWN_WORDS = ("limits", "networks", "version", "sha256")
"""Places whose words are not those of a table of figures."""


def limits(rules: RuleSet, language: str) -> str:
    """Markdown: where each rule's limits come from."""
    key = "zh" if language == "zh-CN" else "en"
    return "\n".join(f"- {rule.text[key]} (`{rule.code}`): {rule.source}" for rule in rules.rules)


def lines_of(rows: dict[str, Any]) -> str:
    """JSON with a line a statement and set, so that a change of one figure is a change of one line."""
    parts = []
    kept = [(name, rows[name]) for name in ("normal_crossed", "left_arm_leg", "normal_stricter")]
    for code, by_set in (*rows["statements"].items(), *kept):
        sets = ",\n".join(f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in by_set.items())
        parts.append(f"  {json.dumps(code)}: {{\n{sets}\n  }}")
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(rows[key])}" for key in ("rules", "out_of_domain"))
    parts, normal = parts[: -len(kept)], parts[-len(kept) :]
    statements = ',\n "statements": {\n' + ",\n".join(parts) + "\n }"
    return "{\n" + ",\n".join([head + statements, *normal]) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT)
    parser.add_argument("--classification", type=Path, default=None)
    parser.add_argument("--delineation", type=Path, default=None)
    parser.add_argument("--cards", action="store_true", help="only the cards, from the figures already kept")
    args = parser.parse_args()
    if not args.cards and not (args.classification and args.delineation):
        parser.error("--classification and --delineation, or --cards")
    rules = rule_set()
    if args.cards:
        rows = evaluate.recorded()
    else:
        rows = evaluate.kept(args.root, args.classification, args.delineation)
        (rules.folder / "evaluation.json").write_text(lines_of(rows), "utf-8")
    write_cards(rules, rows, args.root)


def write_cards(rules: RuleSet, rows: dict[str, Any], root: Path) -> None:
    """Both cards of `rules` from the figures of evaluation.json."""
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
            "normal": normal_table(rows["statements"][NORMAL]),
            "normal_crossed": normal_table(rows["normal_crossed"]),
            "normal_stricter": stricter_table(rows["normal_stricter"]),
            "left_arm_leg": electrode_table(rows["left_arm_leg"]),
            "normal_before": normal_table(rows["statements"][WITHIN_LIMITS]),
            "misses": misses(rows["statements"][NORMAL], root),
            "misses_crossed": misses(rows["normal_crossed"], root),
            "limits": limits(rules, language),
            "refused": refused or "-",
        }
        text = (Path(__file__).parent / f"card.{language}.md.in").read_text("utf-8")
        for name, value in places.items():
            text = text.replace(
                "{{" + name + "}}", value if name in OWN_WORDS else in_language(value, language)
            )
        (rules.folder / f"card.{language}.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
