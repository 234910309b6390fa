"""The tables of the delineation card.

    python -m ai_models.ecg.delineation.training.evaluate

What needs the networks of the cross-validation is kept in evaluation.json beside the weights and printed as
recorded; the shipped model is run anew on all of LUDB, which it was trained on, as a check of the whole path.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation import intervals
from ai_models.ecg.delineation.decode import WAVES, LeadWaves, decode
from ai_models.ecg.delineation.measure import measure
from ai_models.ecg.delineation.reader import MODEL, DelineationReader
from ai_models.ecg.delineation.tensors import conditioned
from ai_models.ecg.delineation.training import score
from ai_models.ecg.delineation.training.folds import FOLDS, fold_of
from ai_models.ecg.delineation.training.marks import lead_marks, loose_peaks
from ai_models.ecg.delineation.training.reference import global_intervals, representative_intervals
from ai_models.ecg.signal import LEADS
from ai_models.ecg.training import data
from ai_models.ecg.training.evaluate import NoData
from ai_models.engine import Engine
from ai_models.registry import Registry

CANDIDATES = (1.0, 0.8, 0.6, 0.5, 0.35, 0.25)
"""Of `intervals.any_lead`'s independence."""
READINGS = {"by beat": global_intervals, "representative": representative_intervals}
INTERVALS = ("p_ms", "pr_ms", "qrs_ms", "qt_ms")

Probability = NDArray[np.floating]
Delineated = tuple[Probability, list[LeadWaves]]


class Tally:
    """Scores of recordings, kept by record; intervals by candidate."""

    def __init__(self, root: Path, candidates: tuple[float, ...] = (intervals.INDEPENDENCE,)) -> None:
        self.root = root
        self.scores: dict[str, score.RecordScore] = {}
        self.answered: dict[float, dict[str, dict[str, float]]] = {value: {} for value in candidates}
        self.marked: dict[str, dict[str, dict[str, float]]] = {name: {} for name in READINGS}

    def add(self, recording: data.Recording, probability: Probability, waves: list[LeadWaves]) -> None:
        row, key = score.empty(), recording.key
        for lead, found in zip(LEADS, waves, strict=True):
            marks = lead_marks(key, lead, self.root)
            score.add_lead(row, found, marks, loose_peaks(key, lead, self.root))
        self.scores[key] = row
        for value, rows in self.answered.items():
            rows[key] = measure(recording.samples, recording.rate, probability, waves, value).measurements
        for name, reading in READINGS.items():
            self.marked[name][key] = reading(key, self.root)

    def boundaries(self) -> dict[str, dict[str, Any]]:
        """By "P onset" and so on: counts, F1, mean error and SD with their intervals."""
        result: dict[str, dict[str, Any]] = {}
        for wave in WAVES:
            for point in score.POINTS:
                rows = [row[wave, point] for row in self.scores.values()]
                counts = {
                    name: sum(getattr(row, name) for row in rows) for name in ("found", "missed", "extra")
                }
                result[f"{wave} {point}"] = counts | score.figures(rows)
        return result

    def errors(self, interval: str, reading: str, value: float, keys: list[str]) -> dict[str, float]:
        """Answer less mark (ms) of the records that have both."""
        answered, marked = self.answered[value], self.marked[reading]
        return {
            key: answered[key][interval] - marked[key][interval]
            for key in keys
            if interval in answered[key] and interval in marked[key]
        }

    def chosen(self, keys: list[str]) -> float:
        """The candidate with the least sum of squared mean errors of QRS and QT on `keys`, over both readings."""

        def cost(value: float) -> float:
            return sum(
                float(np.mean(list(self.errors(interval, reading, value, keys).values()))) ** 2
                for interval in ("qrs_ms", "qt_ms")
                for reading in READINGS
            )

        return min(self.answered, key=cost)

    def globals(self, reading: str, value_of: Callable[[str], float]) -> dict[str, dict[str, Any]]:
        """By interval: n, mean error, SD, mean absolute error (ms), and records with an answer or a mark alone.

        `value_of` gives the candidate that answers for a record.
        """
        result: dict[str, dict[str, Any]] = {}
        for name in INTERVALS:
            found: dict[str, float] = {}
            for key in self.scores:
                found |= self.errors(name, reading, value_of(key), [key])
            errors = np.asarray(list(found.values()))
            has = {key: name in self.answered[value_of(key)][key] for key in self.scores}
            marked = {key: name in self.marked[reading][key] for key in self.scores}
            worst = sorted(found, key=lambda key: -abs(found[key]))[:5]
            result[name] = {
                "n": len(errors),
                "mean_ms": with_interval(errors, lambda e: float(e.mean())),
                "sd_ms": with_interval(errors, lambda e: float(e.std(ddof=1))),
                "absolute_ms": with_interval(errors, lambda e: float(np.abs(e).mean())),
                "answer_alone": [key for key in self.scores if has[key] and not marked[key]],
                "mark_alone": [key for key in self.scores if marked[key] and not has[key]],
                "worst": [[key, round(found[key])] for key in worst],
            }
        return result

    def worst(self, count: int = 6) -> dict[str, list[list[Any]]]:
        """By wave the records with the most missed and extra onsets: [key, missed, extra]."""
        result = {}
        for wave in WAVES:
            rows = [(key, row[wave, "onset"]) for key, row in self.scores.items()]
            rows.sort(key=lambda item: -(item[1].missed + item[1].extra))
            result[wave] = [[key, c.missed, c.extra] for key, c in rows[:count] if c.missed + c.extra]
        return result


def with_interval(errors: NDArray[np.float64], figure: Callable[[NDArray[np.float64]], float]) -> list[float]:
    """[value, low, high]: 95 % percentile interval from resampling records."""
    generator = np.random.default_rng(20)
    drawn = [figure(errors[generator.integers(0, len(errors), len(errors))]) for _ in range(1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return [round(float(value), 2) for value in (figure(errors), low, high)]


def held_back(
    root: Path, work: Path, name: str = "fold", candidates: tuple[float, ...] = (intervals.INDEPENDENCE,)
) -> Tally:
    """Every record of LUDB by the network that did not train on it, from what training wrote into `work`."""
    tally = Tally(root, candidates)
    stored: dict[str, Probability] = {}
    for path in sorted(work.glob(f"{name}-*.npz")):
        with np.load(path) as rows:
            stored |= {key: rows[key].astype(np.float32) for key in rows}
    for recording in data.ludb(root):
        if recording.key in stored:
            probability = stored[recording.key]
            signal = conditioned(recording.samples, recording.rate)
            tally.add(recording, probability, decode(probability, signal[:, : probability.shape[-1]]))
    return tally


def shipped(root: Path) -> Tally:
    """The shipped model on all of LUDB, through the product's own engine. It was trained on these records."""
    reader, tally = DelineationReader(Engine()), Tally(root)
    for recording in data.ludb(root):
        tally.add(recording, *reader.delineate(recording.samples, recording.rate))
    return tally


def recorded() -> dict[str, Any]:
    """evaluation.json beside the weights."""
    result: dict[str, Any] = json.loads((Registry().get(MODEL).folder / "evaluation.json").read_text("utf-8"))
    return result


def kept(root: Path, work: Path) -> dict[str, Any]:
    """What evaluation.json keeps, from the probabilities in `work`.

    The independence of a fold's global intervals is the one chosen on the four other folds, so that no record had
    a say in the number that answers for it.
    """
    together = held_back(root, work, candidates=CANDIDATES)
    alone = held_back(root, work, "alone")
    keys = list(together.scores)
    by_fold = {fold: together.chosen([key for key in keys if fold_of(key) != fold]) for fold in range(FOLDS)}
    return {
        "records": len(keys),
        "boundaries": together.boundaries(),
        "records_alone": len(alone.scores),
        "boundaries_alone": alone.boundaries(),
        "globals": {
            reading: together.globals(reading, lambda key: by_fold[fold_of(key)]) for reading in READINGS
        },
        "independence_by_fold": list(by_fold.values()),
        "independence": together.chosen(keys),
        "worst": together.worst(),
        "qrs_without_conduction_disorder": usual_qrs(root, together),
    }


def usual_qrs(root: Path, tally: Tally) -> dict[str, list[float]]:
    """5th, 50th and 95th percentile of QRS (ms) of persons without conduction disorder or pacing."""
    healthy = [key for key in tally.scores if not disordered(root, key)]
    answered = tally.answered[intervals.INDEPENDENCE]
    rows = {
        f"marks, {name}": [marked[key]["qrs_ms"] for key in healthy] for name, marked in tally.marked.items()
    }
    for name in ("qrs_ms", "qrs_typical_lead_ms"):
        rows[name] = [answered[key][name] for key in healthy if name in answered[key]]
    return {
        name: [round(float(value), 1) for value in np.percentile(row, [5, 50, 95])]
        for name, row in rows.items()
    }


def disordered(root: Path, key: str) -> bool:
    """Whether LUDB states a conduction abnormality or pacing."""
    with (root / "ludb" / "ludb.csv").open(encoding="utf-8", newline="") as file:
        row = next(r for r in csv.DictReader(file) if r["ID"].strip() == key.removeprefix("ludb-"))
    return bool(row["Conduction abnormalities"].strip() or row["Cardiac pacing"].strip())


def boundary_table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: F1, mean error and SD of every boundary with intervals and counts."""
    lines = [
        "| | F1 | mean ms | SD ms | found | missed | extra |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        f1, mean, sd = row["f1"], row["mean_ms"], row["sd_ms"]
        lines.append(
            f"| {name} | {f1[0]:.4f} [{f1[1]:.4f}-{f1[2]:.4f}] | {_signed(mean)} | {_plain(sd)} "
            f"| {row['found']} | {row['missed']} | {row['extra']} |"
        )
    return "\n".join(lines)


def global_table(readings: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Markdown: error of the global intervals, answer less mark, by record, for both readings of the marks."""
    lines = ["| | marks | n | mean ms | SD ms | mean absolute ms |", "|---|---|---|---|---|---|"]
    for name in INTERVALS:
        for reading, rows in readings.items():
            row = rows[name]
            lines.append(
                f"| {name.removesuffix('_ms').upper()} | {reading} | {row['n']} | {_signed(row['mean_ms'])} "
                f"| {_plain(row['sd_ms'])} | {_plain(row['absolute_ms'])} |"
            )
    return "\n".join(lines)


def usual_table(rows: dict[str, list[float]]) -> str:
    """Markdown: percentiles of QRS of persons without conduction disorder."""
    lines = ["| QRS ms | 5th | median | 95th percentile |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {low:.0f} | {middle:.0f} | {high:.0f} |" for name, (low, middle, high) in rows.items()
    ]
    return "\n".join(lines)


def _signed(value: list[float]) -> str:
    return f"{value[0]:+.1f} [{value[1]:+.1f} to {value[2]:+.1f}]"


def _plain(value: list[float]) -> str:
    return f"{value[0]:.1f} [{value[1]:.1f}-{value[2]:.1f}]"


def report(root: Path = data.DEFAULT_ROOT) -> str:
    """All tables as Markdown. Raises NoData where the recordings are absent."""
    if not (root / "ludb").is_dir():
        raise NoData(f"no recordings under {root}: put ludb there (see the card for its origin)")
    rows = recorded()
    now = shipped(root)
    return "\n\n".join(
        [
            f"Delineation, recorded at training time: {rows['records']} records of LUDB, each held back once",
            boundary_table(rows["boundaries"]),
            f"Each lead alone, {rows['records_alone']} records, held back",
            boundary_table(rows["boundaries_alone"]),
            "Global intervals, each fold by the rule that the four others chose",
            global_table(rows["globals"]),
            "QRS of persons without conduction disorder",
            usual_table(rows["qrs_without_conduction_disorder"]),
            "Shipped model, computed now on the records that it was trained on (no measure of quality)",
            boundary_table(now.boundaries()),
            global_table({name: now.globals(name, lambda _: intervals.INDEPENDENCE) for name in READINGS}),
        ]
    )


if __name__ == "__main__":
    print(report())
