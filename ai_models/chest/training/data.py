"""The public films as the networks see them, with the key by which they must not be split.

`load` reads every set once through the bottleneck that inference uses. Beside each film lies a second reading of it
with another history (matrix, JPEG), drawn from one distribution for all sets.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ai_models.chest.bottleneck import MATRIX, through_bottleneck
from telemed.imaging.film.resample import area_mean

DEFAULT_ROOT = Path(__file__).resolve().parents[4] / "shared" / "data" / "cxr"
FOLDS = 5
SETS = {
    "kermany": "kermany-224",
    "nlm": "nlm-tb-128",
    "nih": "nih-chestxray14-512",
    "covid": "covid-ccby-768",
}


class NoData(Exception):
    """The folder with the public films is absent."""


@dataclass(frozen=True)
class Films:
    """Films of one set, row by row: `plain` and `varied` (n, 128, 128) uint8; `group` is what a split must keep
    together; `truth` is -1 where the set has no answer."""

    key: NDArray[np.str_]
    group: NDArray[np.str_]
    source: NDArray[np.str_]
    truth: NDArray[np.int8]
    plain: NDArray[np.uint8]
    varied: NDArray[np.uint8]

    @property
    def fold(self) -> NDArray[np.int64]:
        """0..4 by a hash of the group: the same on every machine, whatever else is read."""
        return np.asarray([fold_of(str(group)) for group in self.group])


def fold_of(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % FOLDS


def gray(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


def history(picture: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """The film as another archive might hand it over: another matrix, and JPEG."""
    side = int(generator.integers(112, 257))
    image = Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(generator.integers(40, 96)))
    with Image.open(buffer) as again:
        return np.asarray(again)


def rows_of(name: str, root: Path) -> list[tuple[str, str, str, int]]:
    """(file, group, source, truth) of a set, in the order of its table."""
    folder = root / SETS[name]
    if not (folder / "labels.csv").is_file():
        raise NoData(str(folder))
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    if name == "kermany":
        group = same_file_together(folder, {row["file"]: row["patient_key"] for row in rows})
        return [(row["file"], group[row["file"]], "guangzhou", int(row["abnormal"])) for row in rows]
    if name == "nlm":
        return [(row["file"], row["scan_id"], row["source"], int(row["tb"])) for row in rows]
    if name == "nih":
        return [(row["file"], row["patient"], "nih", -1) for row in rows]
    return [(row["file"], row["patientid"], row["view"], -1) for row in rows]


def same_file_together(folder: Path, patient: dict[str, str]) -> dict[str, str]:
    """Patients who share an identical file become one group, whatever their names."""
    parent = {key: key for key in patient.values()}

    def root(key: str) -> str:
        while parent[key] != key:
            key = parent[key]
        return key

    first: dict[str, str] = {}
    for file, key in patient.items():
        digest = hashlib.sha256((folder / "images" / file).read_bytes()).hexdigest()
        parent[root(key)] = root(first.setdefault(digest, key))
    return {file: root(key) for file, key in patient.items()}


def load(name: str, root: Path = DEFAULT_ROOT, work: Path | None = None) -> Films:
    """One set; kept in `work` where given, since reading all of them takes a minute. Raises NoData."""
    kept = None if work is None else work / f"films-{name}.npz"
    if kept is not None and kept.is_file():
        with np.load(kept) as stored:
            return Films(**{field: stored[field] for field in Films.__dataclass_fields__})
    generator = np.random.default_rng(7)
    rows = rows_of(name, root)
    plain = np.empty((len(rows), MATRIX, MATRIX), np.uint8)
    varied = np.empty_like(plain)
    for index, (file, *_) in enumerate(rows):
        picture = gray(root / SETS[name] / "images" / file)
        plain[index] = through_bottleneck(area_mean(picture, MATRIX) / 255.0)
        varied[index] = through_bottleneck(area_mean(history(picture, generator), MATRIX) / 255.0)
    films = Films(
        key=np.asarray([row[0] for row in rows]),
        group=np.asarray([f"{name}-{row[1]}" for row in rows]),
        source=np.asarray([row[2] for row in rows]),
        truth=np.asarray([row[3] for row in rows], np.int8),
        plain=plain,
        varied=varied,
    )
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{field: getattr(films, field) for field in Films.__dataclass_fields__})
    return films


def one_a_film(films: Films) -> NDArray[np.int64]:
    """The first row of every group by name: the NLM films come in one to four variants."""
    order = np.argsort(films.key, kind="stable")
    _, first = np.unique(films.group[order], return_index=True)
    return np.sort(order[first])
