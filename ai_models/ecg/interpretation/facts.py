"""The facts that rules may speak of: one flat table of numbers for one recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ai_models.ecg.delineation.measure import Measured
from ai_models.ecg.interpretation.morphology import beat_form
from ai_models.ecg.interpretation.names import CHEST, GROUPS, LIMB, MEASURED, NAMES, PER_LEAD
from ai_models.ecg.interpretation.rhythm_facts import rhythm_facts
from ai_models.ecg.interpretation.spikes import spike_share
from ai_models.ecg.medians import known_median
from ai_models.ecg.signal import LEADS, Resampled

Facts = Mapping[str, float]

T_LEADS = ("I", "II", "V3", "V4", "V5", "V6")
"""Where an adult's T is upright."""


def gather(
    measured: Measured,
    probabilities: Mapping[str, float],
    samples: NDArray[np.floating],
    rate: float,
    *,
    quality_problems: int,
    age_years: float | None = None,
    sex: str = "",
    at: Resampled | None = None,
) -> dict[str, float]:
    """Facts of a complete recording (12, n) mV at `rate` Hz, from its delineation and its superclasses.

    `quality_problems` counts what speaks against the recording; `sex` is DICOM's "M" or "F"; `at` the samples at
    other rates, where somebody has them. What is not known is absent, never zero.
    """
    found = {name: measured.measurements[name] for name in MEASURED if name in measured.measurements}
    found |= rhythm_facts(measured)
    found |= {f"p_{name}": value for name, value in probabilities.items() if f"p_{name}" in NAMES}
    rows: dict[str, dict[str, float]] = {lead: dict(row) for lead, row in measured.leads.items()}
    if measured.median_beat is not None:
        for lead, row in beat_form(measured.median_beat).items():
            rows.setdefault(lead, {}).update(row)
    found |= {f"{lead}.{name}": row[name] for lead, row in rows.items() for name in PER_LEAD if name in row}
    found |= _derived(rows)
    if len(measured.beats):
        onsets = measured.beats.waves["QRS"][:, :, 0]
        seen = onsets[np.isfinite(onsets).any(axis=1)]
        found["spike_share"] = spike_share(
            samples, rate, np.asarray([known_median(row) for row in seen]), at=at
        )
    found["quality_problems"] = float(quality_problems)
    if age_years is not None:
        found["age_years"] = float(age_years)
    if sex in ("M", "F"):
        found["male"] = float(sex == "M")
    return found


def _derived(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    def all_of(leads: tuple[str, ...], name: str) -> list[float] | None:
        values = [rows[lead][name] for lead in leads if lead in rows and name in rows[lead]]
        return values if len(values) == len(leads) else None

    found: dict[str, float] = {}
    s1, r56 = all_of(("V1",), "s_mv"), all_of(("V5", "V6"), "r_mv")
    if s1 and r56:
        # A QS in V1 is counted as Q by the measurements; it is the same downward voltage.
        found["sokolow_mv"] = -min(s1[0], rows["V1"]["q_mv"]) + max(r56)
    r_avl, s3 = all_of(("aVL",), "r_mv"), all_of(("V3",), "s_mv")
    if r_avl and s3:
        found["cornell_mv"] = r_avl[0] - min(s3[0], rows["V3"]["q_mv"])
    p = all_of(("I", "II"), "p_mv")
    if p:
        found["p_i_over_ii_mv"] = p[0] - p[1]
    for name, leads in (("limb_span_mv", LIMB), ("chest_span_mv", CHEST)):
        spans = all_of(leads, "span_mv")
        if spans:
            found[name] = max(spans)
    t, r = all_of(T_LEADS, "t_mv"), all_of(T_LEADS, "r_mv")
    if t and r:
        found["t_negative_leads"] = float(sum(value <= -0.1 for value in t))
        # Flat, under a tenth of R, counts only where there is an R to be compared with.
        found["t_flat_leads"] = float(
            sum(high >= 0.5 and value < 0.1 * high for value, high in zip(t, r, strict=True))
        )
    low, high = all_of(LEADS, "st_j80_mv"), all_of(LEADS, "st_j_mv")
    if low and high:
        found["st_low_leads"] = float(
            sum(v <= -0.05 for lead, v in zip(LEADS, low, strict=True) if lead != "aVR")
        )
        found["st_high_leads"] = float(
            sum(v >= 0.1 for lead, v in zip(LEADS, high, strict=True) if lead != "aVR")
        )
    for group, leads in GROUPS.items():
        found |= _wall(group, [rows[lead] for lead in leads if lead in rows], len(leads))
    return found


def _wall(group: str, rows: list[Mapping[str, float]], leads: int) -> dict[str, float]:
    """q_leads: leads with a Q of 30 ms and 0.1 mV (or a QS); and the second most deviating lead's ST and T.

    The second, because a change counts when two neighbouring leads show it (Thygesen 2018).
    """
    found: dict[str, float] = {}
    if len(rows) != leads:
        return found
    if all("q_ms" in row and "q_mv" in row for row in rows):
        found[f"{group}.q_leads"] = float(sum(row["q_ms"] >= 30 and row["q_mv"] <= -0.1 for row in rows))
    if all("st_j_mv" in row for row in rows):
        found[f"{group}.st_high_mv"] = sorted((row["st_j_mv"] for row in rows), reverse=True)[1]
    if all("st_j80_mv" in row for row in rows):
        found[f"{group}.st_low_mv"] = sorted(row["st_j80_mv"] for row in rows)[1]
    if all("t_mv" in row for row in rows):
        found[f"{group}.t_low_mv"] = sorted(row["t_mv"] for row in rows)[1]
    return found
