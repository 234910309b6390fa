"""The card's tables, computed anew from the shipped model and the public recordings.

    python -m ai_models.ecg.training.evaluate

Needs no training environment. What cannot be recomputed without training (cross-validation, baseline, control) is
kept in evaluation.json beside the weights and printed as recorded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.reader import MODEL, EcgReader
from ai_models.ecg.training import data
from ai_models.ecg.training.metrics import Figure, auc, macro_auc, sensitivity, specificity, with_interval
from ai_models.engine import Engine
from ai_models.registry import Registry
from telemed.imaging.waveform import Waveform

FIVE = len(data.SUPERCLASSES)


class NoData(Exception):
    """The recordings are not on this machine; nothing can be evaluated."""


@dataclass(frozen=True)
class Answered:
    """Truth (n, 6), probabilities (n, 6; NaN where not reported), patients, and what was out of domain."""

    truth: NDArray[np.bool_]
    scores: NDArray[np.float64]
    groups: list[str]
    refused: dict[str, int]

    def figures(self) -> dict[str, Figure]:
        """AUC per label and macro over the five superclasses, each with its interval."""
        rows = {"macro": with_interval(macro_auc, self.truth[:, :FIVE], self.scores[:, :FIVE], self.groups)}
        for column, name in enumerate(data.LABELS):
            known = np.isfinite(self.scores[:, column])
            groups = [group for group, keep in zip(self.groups, known, strict=True) if keep]
            rows[name] = with_interval(auc, self.truth[known, column], self.scores[known, column], groups)
        return rows


def answer(reader: EcgReader, recordings: list[data.Recording]) -> Answered:
    """Read recordings through the product's own path: gate, tensors, engine."""
    truth, scores, groups = [], [], []
    refused: dict[str, int] = {}
    for recording in recordings:
        analysis = reader.read(Waveform(data.LEADS, recording.samples, recording.rate))
        if not analysis.in_domain:
            refused[str(analysis.reason)] = refused.get(str(analysis.reason), 0) + 1
            continue
        found = {finding.name: finding.probability for finding in analysis.findings}
        scores.append([found.get(name, float("nan")) for name in data.LABELS])
        truth.append([bool((recording.labels or {}).get(name, False)) for name in data.LABELS])
        groups.append(recording.group)
    return Answered(np.asarray(truth), np.asarray(scores), groups, refused)


def own_and_foreign(root: Path = data.DEFAULT_ROOT) -> dict[str, Answered]:
    """The shipped model on PTB-XL fold 9 and on the Chinese hospitals. Raises NoData."""
    if not (root / "ptbxl").is_dir() or not (root / "china").is_dir():
        raise NoData(f"no recordings under {root}: put ptbxl and china there (see the card for their origin)")
    reader = EcgReader(Engine())
    fold9 = [recording for recording in data.ptbxl(root) if recording.fold == 9]
    return {"fold9": answer(reader, fold9), "china": answer(reader, list(data.china(root)))}


def at_thresholds(answered: Answered, thresholds: dict[str, float]) -> dict[str, tuple[Figure, Figure]]:
    """Sensitivity and specificity per label at the shipped thresholds, with intervals."""
    rows = {}
    for column, name in enumerate(data.LABELS):
        known = np.isfinite(answered.scores[:, column])
        truth = answered.truth[known, column]
        flags = answered.scores[known, column] >= thresholds[name]
        groups = [group for group, keep in zip(answered.groups, known, strict=True) if keep]
        rows[name] = (
            with_interval(sensitivity, truth, flags, groups),
            with_interval(specificity, truth, flags, groups),
        )
    return rows


def recorded() -> dict[str, Any]:
    """What was measured while training and cannot be measured again without it: evaluation.json."""
    path = Registry().get(MODEL).folder / "evaluation.json"
    result: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return result


def auc_table(columns: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row a label, a column a set; cells hold AUC, interval and positives of n."""
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in ("macro", *data.LABELS):
        cells = [_cell(figures.get(name), name == "macro") for figures in columns.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: Figure | dict[str, Any] | None, macro: bool) -> str:
    row = figure.as_json() if isinstance(figure, Figure) else figure
    if row is None or row["value"] is None or row["value"] != row["value"]:
        return "-"
    count = f"n {row['n']}" if macro else f"{row['positives']}/{row['n']}"
    return f"{row['value']:.3f} [{row['low']:.3f}-{row['high']:.3f}] {count}"


def threshold_table(sets: dict[str, dict[str, tuple[Figure, Figure]]], thresholds: dict[str, float]) -> str:
    """Markdown: sensitivity and specificity at the shipped thresholds."""
    head = " | ".join(f"Se {name} | Sp {name}" for name in sets)
    lines = [f"| | threshold | {head} |", "|---" * (2 + 2 * len(sets)) + "|"]
    for name in data.LABELS:
        cells = " | ".join(f"{rows[name][0]} | {rows[name][1]}" for rows in sets.values())
        lines.append(f"| {name} | {thresholds[name]:.3f} | {cells} |")
    return "\n".join(lines)


def report(root: Path = data.DEFAULT_ROOT) -> str:
    """All tables as Markdown. Raises NoData where the recordings are absent."""
    answered = own_and_foreign(root)
    thresholds = {label.name: label.threshold for label in Registry().get(MODEL).labels}
    kept = recorded()
    sets = {"PTB-XL fold 9": answered["fold9"], "China": answered["china"]}
    now = {name: rows.figures() for name, rows in sets.items()}
    refused = "; ".join(f"{name}: {rows.refused or 'none'}" for name, rows in sets.items())
    return "\n\n".join(
        [
            "Shipped model, computed now (AUC [95 % over patients] positives/n)",
            auc_table({**now}),
            f"Out of domain: {refused}",
            "At the shipped thresholds",
            threshold_table(
                {name: at_thresholds(rows, thresholds) for name, rows in sets.items()}, thresholds
            ),
            "Recorded at training time, on PTB-XL",
            auc_table(kept["auc"]),
        ]
    )


if __name__ == "__main__":
    print(report())
