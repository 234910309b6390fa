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
