"""The public recordings that the ECG network is trained on and judged by, read with numpy alone.

Expected beside the repository: ../shared/data/ecg with `ptbxl`, `ludb`, `china` (WFDB). The files themselves are
never part of the repository; attribution and licences are on the model card.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.signal import LEADS

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
LABELS = (*SUPERCLASSES, "AFIB")
DEFAULT_ROOT = Path(__file__).resolve().parents[4] / "shared" / "data" / "ecg"

SNOMED: dict[str, list[str]] = json.loads(Path(__file__).with_name("snomed.json").read_text("utf-8"))
"""Rough mapping of the challenge's SNOMED CT codes to the superclasses.

NORM here: a sinus rhythm code and no code of the other superclasses nor of an ectopic rhythm. It is our own
reading of the code table, not a reference; figures on this set carry that doubt.
"""


@dataclass(frozen=True)
class Recording:
    """One 12-lead recording: samples (12, n) float32 mV in the order of `LEADS`, labels by name, its group."""

    key: str
    source: str
    group: str
    fold: int
    samples: NDArray[np.float32] = field(repr=False)
    rate: float
    labels: dict[str, bool] | None


def _integers(header: Path) -> tuple[NDArray[np.int16], float, list[str], NDArray[np.float64]]:
    """Read a WFDB record of format 16 (one file, optional byte offset): integers (leads, n), rate, names, gains."""
    lines = [line for line in header.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    count, rate = int(lines[0].split()[1]), float(lines[0].split()[2].split("/")[0])
    rows = [line.split() for line in lines[1 : count + 1]]
    offset = int(rows[0][1].split("+")[1]) if "+" in rows[0][1] else 0
    if any(row[1].split("+")[0] != "16" or row[0] != rows[0][0] for row in rows):
        raise ValueError(f"{header}: only one file of format 16 is read here")
    raw = np.fromfile(header.with_name(rows[0][0]), dtype="<i2", offset=offset)
    gains = np.asarray([float(re.match(r"[\d.]+", row[2]).group()) for row in rows])  # type: ignore[union-attr]
    return raw.reshape(-1, count).T, rate, [row[8] for row in rows], gains


def _canonical(values: NDArray[np.floating], names: list[str]) -> NDArray[np.float32]:
    order = {name.upper(): index for index, name in enumerate(names)}
    return np.ascontiguousarray(values[[order[lead.upper()] for lead in LEADS]], dtype=np.float32)


def ptbxl(root: Path = DEFAULT_ROOT) -> Iterator[Recording]:
    """PTB-XL 1.0.3, folds 1-9: a superclass is true where a statement of it was given at any likelihood."""
    with (root / "ptbxl" / "scp_statements.csv").open(encoding="utf-8", newline="") as file:
        classes = {row[""]: row["diagnostic_class"] for row in csv.DictReader(file) if row["diagnostic"]}
    with (root / "ptbxl" / "ptbxl_database.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        codes = set(ast.literal_eval(row["scp_codes"]))
        found = {classes[code] for code in codes if code in classes}
        labels = {name: name in found for name in SUPERCLASSES} | {"AFIB": "AFIB" in codes}
        raw, rate, names, gains = _integers(root / "ptbxl" / (row["filename_hr"] + ".hea"))
        samples = _canonical(raw / gains[:, None], names)
        patient = f"ptbxl-{float(row['patient_id']):.0f}"
        key = f"ptbxl-{row['ecg_id']}"
        yield Recording(key, "ptbxl", patient, int(row["strat_fold"]), samples, rate, labels)


def china(root: Path = DEFAULT_ROOT) -> Iterator[Recording]:
    """Chinese hospitals of the PhysioNet/CinC Challenge 2021, labels by the rough mapping above."""
    for header in sorted((root / "china").glob("*.hea")):
        match = re.search(r"#\s*Dx:(.*)", header.read_text("utf-8"))
        codes = {code.strip() for code in match.group(1).split(",") if code.strip()} if match else set()
        labels = {name: bool(codes & set(SNOMED[name])) for name in LABELS}
        sick = any(labels[name] for name in LABELS if name != "NORM") or bool(
            codes & set(SNOMED["not normal"])
        )
        labels["NORM"] = labels["NORM"] and not sick
        raw, rate, names, gains = _integers(header)
        key = f"china-{header.stem}"
        yield Recording(key, "china", key, -1, _canonical(raw / gains[:, None], names), rate, labels)


def ludb(root: Path = DEFAULT_ROOT) -> Iterator[Recording]:
    """LUDB 1.0.1: raw integers as microvolt (its header gains scale each lead alone and break Einthoven)."""
    for header in sorted((root / "ludb" / "data").glob("*.hea"), key=lambda path: int(path.stem)):
        raw, rate, names, _ = _integers(header)
        fibrillation = "Rhythm: Atrial fibrillation" in header.read_text("utf-8")
        key = f"ludb-{header.stem}"
        samples = _canonical(raw / 1000.0, names)
        yield Recording(key, "ludb", key, -1, samples, rate, {"AFIB": fibrillation})


def ludb_r_peaks(key: str, root: Path = DEFAULT_ROOT, lead: str = "ii") -> NDArray[np.int64]:
    """Cardiologists' R peaks of one LUDB lead as sample numbers at 500 Hz (WFDB annotation code 1, `N`)."""
    words = np.fromfile(root / "ludb" / "data" / f"{key.removeprefix('ludb-')}.{lead}", dtype="<u2")
    position, index, peaks = 0, 0, []
    while index < len(words):
        kind, delta = int(words[index] >> 10), int(words[index] & 0x3FF)
        index += 1
        if kind == 0 and delta == 0:
            break
        if kind == 59:  # SKIP: a 32-bit distance follows, high word first
            position += int(words[index]) << 16 | int(words[index + 1])
            index += 2
        elif kind == 63:  # AUX: text of `delta` bytes, padded to a word
            index += (delta + 1) // 2
        elif kind in (60, 61, 62):
            continue
        else:
            position += delta
            if kind == 1:
                peaks.append(position)
    return np.asarray(peaks, dtype=np.int64)
