"""The gate's limit for a kind of film, and what it does with films on which nothing was chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_models.chest.domain import KINDS
from ai_models.chest.training import data, score, strange
from ai_models.chest.training.network import FilmNet
from ai_models.chest.training.train import logits

CHOSEN_ON, JUDGED_ON = 1, 0
LEAST, MOST = 0.5, 0.9
LOST = 0.02
"""The share of the own kind that may lie below the limit on fold 1; the limit is never under `LEAST`."""
STRANGE = 600


def kinds(gate: FilmNet, films: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, 4) probabilities as the shipped graph gives them."""
    values = logits(gate, films).astype(np.float64)
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def judge(gate: FilmNet, kind: str, root: Path, work: Path | None) -> tuple[float, dict[str, Any]]:
    """(limit, figures): shares of films that are lost or gated, each as JSON with its interval."""
    own_column = KINDS.index(kind)
    sets = {name: data.load(name, root, work) for name in ("kermany", "nlm", "nih")}
    own_name, other_name = ("nlm", "kermany") if kind == "adult" else ("kermany", "nlm")
    own, other, foreign = sets[own_name], sets[other_name], sets["nih"]

    def passed(films: NDArray[np.uint8], limit: float) -> NDArray[np.bool_]:
        return kinds(gate, films)[:, own_column] >= limit

    chosen = kinds(gate, own.plain[own.fold == CHOSEN_ON])[:, own_column]
    limit = round(float(np.clip(np.quantile(chosen, LOST), LEAST, MOST)), 3)
    held, held_other = own.fold == JUDGED_ON, other.fold == JUDGED_ON
    groups = [str(g) for g in own.group[held]]
    rows = {
        "own lost": score.share(~passed(own.plain[held], limit), groups),
        "own lost, other history": score.share(~passed(own.varied[held], limit), groups),
        "other gated": score.share(
            ~passed(other.plain[held_other], limit), [str(g) for g in other.group[held_other]]
        ),
        "nih gated": score.share(~passed(foreign.plain, limit), [str(g) for g in foreign.group]),
    }
    one = own.plain[held][:STRANGE]
    for how, name in enumerate(strange.TURNS):
        films = np.stack([strange.turned(film, how) for film in one])
        rows[f"turned {name}"] = score.share(~passed(films, limit), groups[: len(one)])
    chance = np.random.default_rng(99)
    made = np.stack([strange.made(chance, one[i % len(one)]) for i in range(STRANGE)])
    rows["strange"] = score.share(~passed(made, limit), [str(i) for i in range(STRANGE)])
    for family in strange.FOREIGN:
        films = np.stack([strange.foreign(chance, family) for _ in range(100)])
        rows[f"foreign {family}"] = score.share(~passed(films, limit), [str(i) for i in range(100)])
    return limit, {name: row.as_json() for name, row in rows.items()}
