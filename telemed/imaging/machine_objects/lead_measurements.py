"""What was measured lead by lead, as containers of TID 3714 "ECG Lead Measurements" (PS3.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom import sr

from telemed.imaging.ecg_object import lead_code
from telemed.imaging.machine_objects import concepts as c

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CONTAINS, _MODIFIED = sr.RelationshipTypeValues.CONTAINS, sr.RelationshipTypeValues.HAS_CONCEPT_MOD


def lead_measurements(leads: Mapping[str, Mapping[str, float]]) -> Iterator[sr.ContainerContentItem]:
    """One content item for each of `leads` (amplitudes and ST levels in mV by name, as a delineation answers them).

    Which sign a P or T has decides whether it is the wave's maximum or its minimum. A lead without any value is
    left out.
    """
    for lead, values in leads.items():
        items = [
            _voltage(concept, value)
            for name, value in values.items()
            if (concept := _concept(name, value)) is not None
        ]
        if items:
            container = sr.ContainerContentItem(
                _coded(c.LEAD_MEASUREMENTS), template_id="3714", relationship_type=_CONTAINS
            )
            container.ContentSequence = sr.ContentSequence(
                [
                    sr.CodeContentItem(
                        _coded(c.LEAD_ID), sr.CodedConcept.from_dataset(lead_code(lead)), _MODIFIED
                    ),
                    sr.CodeContentItem(_coded(c.MEASUREMENT_METHOD), _coded(c.MEDIAN), _MODIFIED),
                    *items,
                ]
            )
            yield container


def _concept(name: str, value: float) -> c.Concept | None:
    if name in c.SIGNED_LEAD_VALUES:
        upright, inverted = c.SIGNED_LEAD_VALUES[name]
        return upright if value >= 0 else inverted
    return c.LEAD_VALUES.get(name)


def _voltage(concept: c.Concept, value: float) -> sr.NumContentItem:
    unit = sr.CodedConcept(c.MILLIVOLT.value, "UCUM", c.MILLIVOLT.meaning)
    return sr.NumContentItem(_coded(concept), round(float(value), 3), unit, relationship_type=_CONTAINS)


def _coded(concept: c.Concept) -> sr.CodedConcept:
    return sr.CodedConcept(concept.value, concept.scheme, concept.meaning)
