"""Coded concepts of what the models say (PS3.16; ISO/IEEE 11073-10102 as "MDC"; own codes as "99TELEMED")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from telemed.domain.analysis import Code

OWN = "99TELEMED"
SNOMED_CT = "http://snomed.info/sct"
LONGEST_MEANING = 64
"""Characters of a code's meaning (LO)."""


class Concept(NamedTuple):
    value: str
    scheme: str
    meaning: str


class Unit(NamedTuple):
    value: str
    meaning: str


_MS, _DEGREE, _BPM = Unit("ms", "millisecond"), Unit("deg", "degree"), Unit("/min", "per minute")
RATIO = Unit("1", "no units")

MEASUREMENTS: dict[str, tuple[Concept, Unit]] = {
    "heart_rate_bpm": (Concept("8867-4", "LN", "Heart rate"), _BPM),
    "pr_ms": (Concept("2:15872", "MDC", "PR interval global"), _MS),
    "qrs_ms": (Concept("2:16156", "MDC", "QRS duration global"), _MS),
    "qt_ms": (Concept("2:16160", "MDC", "QT interval global"), _MS),
    "qtc_ms": (Concept("2:15880", "MDC", "QTc global using Bazett formula"), _MS),
    "qtc_fridericia_ms": (Concept("2:15892", "MDC", "QTc global using Fredericia formula"), _MS),
    "p_axis_deg": (Concept("2:16128", "MDC", "P axis"), _DEGREE),
    "qrs_axis_deg": (Concept("2:16132", "MDC", "QRS axis"), _DEGREE),
    "t_axis_deg": (Concept("2:16136", "MDC", "T axis"), _DEGREE),
}
"""The global measurements that have a public code; others stay in the answer."""

LEAD_MEASUREMENTS = Concept("122159", "DCM", "ECG Lead Measurements")
LEAD_ID = Concept("122148", "DCM", "Lead ID")
MEASUREMENT_METHOD = Concept("370129005", "SCT", "Measurement Method")
MEDIAN = Concept("373099004", "SCT", "Median")
MILLIVOLT = Unit("mV", "millivolt")
LEAD_VALUES: dict[str, Concept] = {
    "q_mv": Concept("2:1792", "MDC", "Q amplitude, per lead"),
    "r_mv": Concept("2:2048", "MDC", "R amplitude, per lead"),
    "s_mv": Concept("2:2304", "MDC", "S amplitude, per lead"),
    "st_j_mv": Concept("2:1024", "MDC", "J point Amplitude, per lead"),
    "st_j60_mv": Concept("2:14336", "MDC", "Amplitude at 60 ms into ST segment, per lead"),
    "st_j80_mv": Concept("2:14592", "MDC", "Amplitude at 80 ms into ST segment, per lead"),
}
"""Amplitudes by lead (CID 3688)."""
SIGNED_LEAD_VALUES: dict[str, tuple[Concept, Concept]] = {
    "p_mv": (
        Concept("2:1280", "MDC", "P maximum amplitude, per lead"),
        Concept("2:1536", "MDC", "P minimum amplitude, per lead"),
    ),
    "t_mv": (
        Concept("2:2560", "MDC", "T maximum amplitude, per lead"),
        Concept("2:2816", "MDC", "T minimum amplitude, per lead"),
    ),
}
"""Waves of one extreme: its concept where it is upright, and where it is inverted."""

WAVES = {
    "P": Concept("10:256", "MDC", "P wave"),
    "QRS": Concept("10:1600", "MDC", "Entire QRS (excluding P, T and U)"),
    "T": Concept("10:1024", "MDC", "T wave"),
}
"""What a mark of the recording is (CID 3335)."""

FINDING = Concept("121071", "DCM", "Finding")
POSSIBLE = Concept("possible-finding", OWN, "Possible finding, to be considered")
PROBABILITY = Concept("122157", "DCM", "Probability")
THRESHOLD = Concept("122411", "DCM", "Threshold Value")
FLAG = Concept("flag", OWN, "Probability against the threshold")
REACHED = Concept("reached", OWN, "Threshold reached")
NOT_REACHED = Concept("not-reached", OWN, "Threshold not reached")
COMMENT = Concept("121106", "DCM", "Comment")
SOURCE = Concept("121112", "DCM", "Source of Measurement")
ECG_PROCEDURE = Concept("29303009", "SCT", "Electrocardiographic procedure")
FILM_PROCEDURE = Concept("399208008", "SCT", "Plain X-ray of chest")


def concept_of(code: Code | None, name: str, meaning: str) -> Concept:
    """A code of SNOMED CT as DICOM writes it; another scheme's URL is no designator, so `name` becomes our own."""
    if code is not None and code.system == SNOMED_CT:
        return Concept(code.code, "SCT", code.display[:LONGEST_MEANING])
    return Concept(name, OWN, (code.display if code is not None else meaning)[:LONGEST_MEANING])
