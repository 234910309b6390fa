"""The names of all facts; apart from their making, so that rules can be read and checked without a signal library."""

from __future__ import annotations

from telemed.imaging.waveform.model import CHEST, LEADS, LIMB

__all__ = ["CHEST", "GROUPS", "LIMB", "MEASURED", "NAMES", "PER_LEAD"]

GROUPS: dict[str, tuple[str, ...]] = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "anterior": ("V1", "V2", "V3", "V4"),
    "v4_v6": ("V4", "V5", "V6"),
    "v1_v3": ("V1", "V2", "V3"),
}
"""Leads that look at one wall."""
PER_LEAD = (
    *("p_mv", "q_mv", "r_mv", "s_mv", "t_mv", "st_j_mv", "st_j60_mv", "st_j80_mv"),
    *("q_ms", "qs", "late_mv", "late_r_mv", "late_s_ms", "peak_ms", "area_mv", "span_mv"),
)
MEASURED = (
    *("heart_rate_bpm", "rr_mean_ms", "rr_min_ms", "rr_max_ms", "sdnn_ms", "rmssd_ms", "longest_pause_ms"),
    *("p_ms", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qtc_fridericia_ms", "qrs_typical_lead_ms"),
    *("p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
)
RHYTHM = (
    *("beats", "p_share", "pr_scatter_ms", "pr_typical_lead_ms"),
    *("premature_alike", "premature_other", "premature_wide"),
    *("other_forms", "wide_other", "earliest_share", "rr_cv", "rr_steps", "rr_range_ms", "rr_range_share"),
)
PROBABILITIES = tuple(f"p_{name}" for name in ("NORM", "MI", "STTC", "CD", "HYP", "AFIB"))
DERIVED = (
    *("sokolow_mv", "cornell_mv", "limb_span_mv", "chest_span_mv", "spike_share", "male", "age_years"),
    "quality_problems",
    *("t_negative_leads", "t_flat_leads", "st_low_leads", "st_high_leads", "p_i_over_ii_mv"),
)
PER_GROUP = ("q_leads", "st_high_mv", "st_low_mv", "t_low_mv")
NAMES = frozenset(
    {
        *MEASURED,
        *RHYTHM,
        *PROBABILITIES,
        *DERIVED,
        *(f"{lead}.{name}" for lead in LEADS for name in PER_LEAD),
        *(f"{group}.{name}" for group in GROUPS for name in PER_GROUP),
    }
)
"""All facts by name; a rule that speaks of another is refused when it is read. A fact may be absent."""
