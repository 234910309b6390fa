"""Global intervals as LUDB's marks give them, in two readings of "earliest onset, latest offset of any lead".

By beat: in each beat the extremes of its twelve marks, and of those the median over the beats. Representative: of
each lead the median place over the beats first, as on an averaged beat, and of those the extremes; that is what the
standard describes, and shorter, because each beat's own extremes also collect the hand's scatter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ai_models.ecg.delineation.training.marks import RATE, Mark, lead_marks
from ai_models.ecg.signal import LEADS
from ai_models.ecg.training.data import DEFAULT_ROOT

SAME_BEAT = int(0.1 * RATE)
QRS_LEADS, OTHER_LEADS = 6, 3
"""A beat counts with a QRS in half of the leads, a P or T wave of it with marks in a quarter of them."""
LONGEST_PR = int(0.6 * RATE)


def global_intervals(key: str, root: Path = DEFAULT_ROOT) -> dict[str, float]:
    """p_ms, pr_ms, qrs_ms, qt_ms of a record: the median over its beats, given with at least two of them."""
    marks = [mark for lead in LEADS for mark in lead_marks(key, lead, root)]
    beats = [beat for beat in beats_of(marks) if len(beat) >= QRS_LEADS]
    rows: dict[str, list[float]] = {"p_ms": [], "pr_ms": [], "qrs_ms": [], "qt_ms": []}
    for index, beat in enumerate(beats):
        onset, offset = min(mark.onset for mark in beat), max(mark.offset for mark in beat)
        rows["qrs_ms"].append(offset - onset)
        until = min(m.onset for m in beats[index + 1]) if index + 1 < len(beats) else np.inf
        since = max(m.offset for m in beats[index - 1]) if index else -np.inf
        t = [mark for mark in marks if mark.wave == "T" and onset < mark.peak < until and mark.peak > offset]
        if len(t) >= OTHER_LEADS:
            rows["qt_ms"].append(max(mark.offset for mark in t) - onset)
        p = [
            m for m in marks if m.wave == "P" and max(since, onset - LONGEST_PR) < m.onset and m.peak < onset
        ]
        if len(p) >= OTHER_LEADS:
            rows["pr_ms"].append(onset - min(mark.onset for mark in p))
            rows["p_ms"].append(max(mark.offset for mark in p) - min(mark.onset for mark in p))
    return {name: 1000 / RATE * float(np.median(row)) for name, row in rows.items() if len(row) >= 2}


def beats_of(marks: list[Mark]) -> list[list[Mark]]:
    """QRS marks of all leads grouped to beats: within one their onsets follow each other by under 0.1 s."""
    groups: list[list[Mark]] = []
    for mark in sorted((m for m in marks if m.wave == "QRS"), key=lambda m: m.onset):
        if groups and mark.onset - groups[-1][-1].onset < SAME_BEAT:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def representative_intervals(key: str, root: Path = DEFAULT_ROOT) -> dict[str, float]:
    """p_ms, pr_ms, qrs_ms, qt_ms of a record in the second reading; leads count with marks in half of the beats."""
    by_lead = [lead_marks(key, lead, root) for lead in LEADS]
    beats = [b for b in beats_of([mark for marks in by_lead for mark in marks]) if len(b) >= QRS_LEADS]
    middles = [float(np.median([mark.onset for mark in beat])) for beat in beats]
    places: dict[str, list[np.ndarray]] = {"P": [], "QRS": [], "T": []}
    for marks in by_lead:
        rows: dict[str, list[tuple[float, float]]] = {"P": [], "QRS": [], "T": []}
        for index, middle in enumerate(middles):
            until = middles[index + 1] if index + 1 < len(middles) else np.inf
            since = max(middles[index - 1] if index else -np.inf, middle - LONGEST_PR)
            for mark in marks:
                near = abs(mark.onset - middle) < SAME_BEAT
                if (
                    (mark.wave == "QRS" and near)
                    or (mark.wave == "T" and middle < mark.peak < until)
                    or (mark.wave == "P" and since + SAME_BEAT < mark.onset and mark.peak < middle)
                ):
                    rows[mark.wave].append((mark.onset - middle, mark.offset - middle))
        for wave, found in rows.items():
            if len(found) >= len(middles) / 2:
                places[wave].append(np.median(np.asarray(found), axis=0))
    ends = {
        wave: (min(row[0] for row in found), max(row[1] for row in found))
        for wave, found in places.items()
        if len(found) >= (QRS_LEADS if wave == "QRS" else OTHER_LEADS)
    }
    result = {}
    if "QRS" in ends:
        onset = ends["QRS"][0]
        result["qrs_ms"] = ends["QRS"][1] - onset
        if "T" in ends:
            result["qt_ms"] = ends["T"][1] - onset
        if "P" in ends:
            result |= {"pr_ms": onset - ends["P"][0], "p_ms": ends["P"][1] - ends["P"][0]}
    return {name: 1000 / RATE * float(value) for name, value in result.items()}
