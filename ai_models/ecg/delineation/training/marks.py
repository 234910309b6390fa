"""The cardiologists' marks of LUDB, one WFDB annotation file a lead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.training.data import DEFAULT_ROOT

RATE = 500.0
WAVE_OF = {24: "P", 1: "QRS", 27: "T"}
"""WFDB annotation codes of the peaks: 24 is `p`, 1 is `N`, 27 is `t`; 39 and 40 are `(` and `)`."""
ONSET, OFFSET = 39, 40


@dataclass(frozen=True)
class Mark:
    """One wave as marked: sample numbers at 500 Hz."""

    wave: str
    onset: int
    peak: int
    offset: int


def annotations(path: Path) -> list[tuple[int, int]]:
    """(sample, code) of a WFDB annotation file in MIT format (WFDB Applications Guide, annot(5))."""
    words = np.fromfile(path, dtype="<u2")
    position, index = 0, 0
    rows: list[tuple[int, int]] = []
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
        elif kind in (60, 61, 62):  # NUM, SUB, CHN: fields of the annotation before
            continue
        else:
            position += delta
            rows.append((position, kind))
    return rows


def lead_marks(key: str, lead: str, root: Path = DEFAULT_ROOT) -> list[Mark]:
    """The complete waves (onset, peak, offset in this order) of one lead of `ludb-<n>`."""
    rows = annotations(root / "ludb" / "data" / f"{key.removeprefix('ludb-')}.{lead.lower()}")
    marks = []
    for before, peak, after in zip(rows, rows[1:], rows[2:], strict=False):
        if before[1] == ONSET and peak[1] in WAVE_OF and after[1] == OFFSET:
            marks.append(Mark(WAVE_OF[peak[1]], before[0], peak[0], after[0]))
    return marks


def first_and_last(marks: list[Mark]) -> tuple[int, int]:
    """The span that was marked; nothing outside it was looked at, so nothing outside it is judged."""
    return min(mark.onset for mark in marks), max(mark.offset for mark in marks)


def as_array(marks: list[Mark], wave: str) -> NDArray[np.int64]:
    """(waves, 3) onset, peak, offset."""
    rows = [(mark.onset, mark.peak, mark.offset) for mark in marks if mark.wave == wave]
    return np.asarray(rows, dtype=np.int64).reshape(-1, 3)


def loose_peaks(key: str, lead: str, root: Path = DEFAULT_ROOT) -> NDArray[np.float64]:
    """Peaks (s) that lack their onset or offset: 64 of 47,335 in the 160 records; an answer there is not judged."""
    rows = annotations(root / "ludb" / "data" / f"{key.removeprefix('ludb-')}.{lead.lower()}")
    whole = {mark.peak for mark in lead_marks(key, lead, root)}
    return np.asarray([at / RATE for at, code in rows if code in WAVE_OF and at not in whole])
