"""What the device measured, stated and filtered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemed.imaging.waveform.model import Annotation, Filters
from telemed.imaging.waveform.values import number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemed.imaging.waveform.direct import Source


def read_annotations(ds: Source) -> tuple[Annotation, ...]:
    """Statements and measured values of the whole recording; marks of single beats are left out."""
    found = []
    for item in ds.get("WaveformAnnotationSequence") or []:
        concept = _first(item, "ConceptNameCodeSequence")
        unit = _first(item, "MeasurementUnitsCodeSequence")
        written, value = text(item, "UnformattedTextValue"), number(item, "NumericValue")
        if not written and value is None:
            continue
        found.append(
            Annotation(
                text=written,
                code=text(concept, "CodeValue") if concept is not None else "",
                scheme=text(concept, "CodingSchemeDesignator") if concept is not None else "",
                meaning=text(concept, "CodeMeaning") if concept is not None else "",
                value=value,
                unit=text(unit, "CodeValue") if unit is not None else "",
            )
        )
    return tuple(found)


def read_filters(channels: Sequence[Source]) -> Filters:
    """The filters of the first channel; a group is filtered as one by every device seen."""
    if not len(channels):
        return Filters()
    return Filters(
        low_hz=number(channels[0], "FilterLowFrequency"),
        high_hz=number(channels[0], "FilterHighFrequency"),
        notch_hz=number(channels[0], "NotchFilterFrequency"),
    )


def _first(item: Source, keyword: str) -> Source | None:
    values = item.get(keyword) or []
    return values[0] if len(values) else None
