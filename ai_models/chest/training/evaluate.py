"""The cards' figures, computed anew from the shipped graphs and the public films, through the product's own path.

    python -m ai_models.chest.training.evaluate

Needs no training environment. A film's out-of-fold answer is that of the one member which never saw its fold. Of the
children a fixed fifth of the groups is read, which takes a minute instead of five.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_models.chest.bottleneck import MATRIX, film_input
from ai_models.chest.reader import FilmReader
from ai_models.chest.training import data, score, strange
from ai_models.ecg.training.metrics import Figure, auc, sensitivity, specificity, with_interval
from ai_models.engine import Engine
from ai_models.manifest import Manifest
from telemed.imaging.film import Film, FilmFacts, read_picture

TB, CHILD = "chest-tb", "chest-pneumonia-child"
HEADERS = {TB: (45.0, "PA"), CHILD: (3.0, "AP")}
SETS = {TB: "nlm", CHILD: "kermany"}
HELD_BACK_OF_THE_GATE = 0


@dataclass(frozen=True)
class Row:
    """One public film: its file, what a split keeps together, its answer (-1 none), and its fold."""

    path: Path
    group: str
    source: str
    truth: int

    @property
    def fold(self) -> int:
        return data.fold_of(self.group)

    def film(self, header: tuple[float, str]) -> Film:
        return read_picture(self.path.read_bytes(), age_years=header[0], view=header[1])


@dataclass(frozen=True)
class Answers:
    """Out-of-fold probabilities of the members, what a split keeps together, and which answers were in domain."""

    truth: NDArray[np.bool_]
    score: NDArray[np.float64]
    fold: NDArray[np.int64]
    group: list[str]
    in_domain: NDArray[np.bool_]

    def figures(self) -> dict[str, Figure]:
        flags = score.crossed(self.truth, self.score, self.fold)
        return {
            "auc": with_interval(auc, self.truth, self.score, self.group),
            "sensitivity": with_interval(sensitivity, self.truth, flags, self.group),
            "specificity": with_interval(specificity, self.truth, flags, self.group),
        }


def rows(name: str, root: Path, share: int = 1) -> list[Row]:
    """Of every `share`-th group, by a hash other than the folds', its films; of NLM one film a group."""
    found, seen = [], set()
    folder = root / data.SETS[name] / "images"
    for file, group, source, truth in sorted(data.rows_of(name, root)):
        key = f"{name}-{group}"
        chosen = int(hashlib.sha256(f"share {key}".encode()).hexdigest()[:8], 16) % share == 0
        if chosen and not (name == "nlm" and key in seen):
            found.append(Row(folder / file, key, source, truth))
            seen.add(key)
    return found


def out_of_fold(engine: Engine, manifest: Manifest, films: list[Row]) -> Answers:
    """The shipped graph on its own kind of film, of the folds that some member never saw."""
    members = next(spec.shape[1] for spec in manifest.outputs if spec.name == "members")
    films = [row for row in films if row.fold < members]
    scores, passed = [], []
    domain = FilmReader(engine, manifest).domain
    for row in films:
        tensor = film_input(row.film(HEADERS[manifest.name]).tensor(MATRIX))
        output = engine.run(manifest.name, {"film": tensor})
        scores.append(float(output["members"][0, row.fold]))
        passed.append(domain.gate_reason([float(value) for value in output["gate"][0]]) is None)
    return Answers(
        truth=np.asarray([row.truth == 1 for row in films]),
        score=np.asarray(scores),
        fold=np.asarray([row.fold for row in films]),
        group=[row.group for row in films],
        in_domain=np.asarray(passed),
    )


def gated(engine: Engine, manifest: Manifest, films: list[Row]) -> Figure:
    """The share of films out of domain although their header says that they belong to the network."""
    reader = FilmReader(engine, manifest)
    out = np.asarray([not reader.read(row.film(HEADERS[manifest.name])).in_domain for row in films])
    return score.share(out, [row.group for row in films])


def turned_gated(engine: Engine, manifest: Manifest, films: list[Row]) -> Figure:
    """The same of films of the own kind, each turned in every way of `strange.TURNS`."""
    reader = FilmReader(engine, manifest)
    age, view = HEADERS[manifest.name]
    out, groups = [], []
    for row in films:
        picture = data.gray(row.path)
        for how in range(len(strange.TURNS)):
            facts = FilmFacts("", age, view, "", *picture.shape[:2], bare=True)
            out.append(not reader.read(Film(facts, strange.turned(picture, how))).in_domain)
            groups.append(row.group)
    return score.share(np.asarray(out), groups)


def flagged(engine: Engine, manifest: Manifest, films: list[Row]) -> tuple[int, int]:
    """(flagged, in domain) of films of a set without answers."""
    reader = FilmReader(engine, manifest)
    answers = [reader.read(row.film(HEADERS[manifest.name])) for row in films]
    return sum(any(f.flag for f in a.findings) for a in answers), sum(a.in_domain for a in answers)


def of_fold(films: list[Row], most: int) -> list[Row]:
    """Films that the gate's network never saw and on which nothing was chosen."""
    return [row for row in films if row.fold == HELD_BACK_OF_THE_GATE][:most]


def report(root: Path = data.DEFAULT_ROOT) -> str:
    """All tables as text. Raises `data.NoData`."""
    films = {TB: rows("nlm", root), CHILD: rows("kermany", root, share=5)}
    foreign = rows("nih", root)
    engine = Engine()
    lines = []
    for name, mine in films.items():
        manifest = engine.registry.get(name)
        answers = out_of_fold(engine, manifest, mine)
        lines += [
            f"{name} {manifest.version}, out of fold, {len(answers.truth)} films, {int(answers.truth.sum())} positive"
        ]
        lines += [f"  {what:<22}{figure}" for what, figure in answers.figures().items()]
        others = of_fold(films[CHILD if name == TB else TB], 400)
        held = of_fold(mine, 200)
        for what, figure in (
            ("own kind lost", gated(engine, manifest, of_fold(mine, 400))),
            ("other kind gated", gated(engine, manifest, others)),
            ("turned gated", turned_gated(engine, manifest, held)),
            ("NIH gated", gated(engine, manifest, foreign)),
        ):
            lines.append(f"  {what:<22}{figure}, n = {figure.n}")
        hits, inside = flagged(engine, manifest, foreign)
        lines.append(f"  {'NIH flagged':<22}{hits} of {inside} in domain")
        kept = json.loads((manifest.folder / "evaluation.json").read_text("utf-8"))
        recorded = kept["out_of_fold"]["all"]["auc"]
        lines.append(f"  recorded at release: AUC {recorded['value']:.3f}, n = {recorded['n']}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
