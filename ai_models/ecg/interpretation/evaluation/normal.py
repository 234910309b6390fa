"""The "normal" draft for the card: precision, coverage, and every miss with what its set says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_models.ecg.interpretation.evaluation.figures import cell
from ai_models.ecg.interpretation.evaluation.truth import all_labels

SHOWN = 8
"""Labels of a miss that are listed."""
STATEMENT_SETS = ("PTB-XL folds 1-8", "PTB-XL fold 9", "China")
"""Sets whose labels were read from the ECG; LUDB's hypertrophy is in more than half of all persons."""
OF_STATEMENT_SETS = "PTB-XL and China"
SUMS = ("chosen on", "held out", OF_STATEMENT_SETS, "all")


def normal_table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row a set of `rows` (set to a tally as JSON): precision, coverage, share of drafts."""
    lines = ["| | precision | coverage of the normal | drafts of all |", "|---|---|---|---|"]
    for name, row in rows.items():
        precision, coverage = cell(row["right"], row["said"]), cell(row["right"], row["true"])
        lines.append(f"| {name} | {precision} | {coverage} | {row['said']}/{row['n']} |")
    return "\n".join(lines)


def stricter_table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row a precision that was wanted inside: what came of it outside."""
    lines = ["| wanted inside | precision | coverage of the normal |", "|---|---|---|"]
    for wanted, row in rows.items():
        precision, coverage = cell(row["right"], row["said"]), cell(row["right"], row["true"])
        lines.append(f"| {wanted} | {precision} | {coverage} |")
    return "\n".join(lines)


def misses(rows: dict[str, dict[str, Any]], root: Path) -> str:
    """Markdown: every "normal" that the set's labels do not call normal, with these labels."""
    labels = all_labels(root)
    lines = []
    for name, row in rows.items():
        for key in row["wrong"] if name not in SUMS else ():
            said = sorted(one for one in labels[key].names if not one.startswith(("class:", "axis:")))
            lines.append(f"- {key} ({name}): {'; '.join(said[:SHOWN])}")
    return "\n".join(lines) or "-"
