"""What a film's header says that decides which network may look at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DAYS_A_YEAR = 365.25
_AGE = re.compile(r"(\d{1,3})\s*([DWMY])", re.IGNORECASE)
_YEARS = {"D": 1 / DAYS_A_YEAR, "W": 7 / DAYS_A_YEAR, "M": 1 / 12, "Y": 1.0}
# CID 4010; both the SNOMED CT codes and the older SRT ones.
_VIEWS = {"399348003": "AP", "R-10206": "AP", "272479007": "PA", "R-10214": "PA", "R-40888": "PA"}


@dataclass(frozen=True)
class FilmFacts:
    """`modality` and `body_part` as written, in capitals, "" where absent; `view` as ViewPosition has it ("PA"),
    None where unknown; `age_years` at the examination, None where unknown; `rows` and `columns` of the pixels.

    `bare` says that the picture came without a header, so that modality and body part are nobody's claim.
    """

    modality: str
    age_years: float | None
    view: str | None
    body_part: str
    rows: int
    columns: int
    for_processing: bool = False
    bare: bool = False


def film_facts(ds: Dataset) -> FilmFacts:
    """The facts of a data set. Never raises: what cannot be understood is unknown."""
    return FilmFacts(
        modality=_text(ds, "Modality"),
        age_years=_age(ds),
        view=_view(ds),
        body_part=_text(ds, "BodyPartExamined"),
        rows=_whole(ds, "Rows"),
        columns=_whole(ds, "Columns"),
        for_processing=_text(ds, "PresentationIntentType") == "FOR PROCESSING",
    )


def _age(ds: Dataset) -> float | None:
    """PatientAge (an AS: 018M, 3Y), else from the birth date to the day of the study."""
    given = _AGE.fullmatch(_text(ds, "PatientAge"))
    if given:
        return round(int(given[1]) * _YEARS[given[2].upper()], 2)
    born = _day(ds, "PatientBirthDate")
    days = (_day(ds, name) for name in ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate"))
    taken = next((day for day in days if day is not None), None)
    if born is None or taken is None or taken < born:
        return None
    return round((taken - born).days / DAYS_A_YEAR, 2)


def _view(ds: Dataset) -> str | None:
    written = _text(ds, "ViewPosition")
    if written:
        return written
    for item in ds.get("ViewCodeSequence") or ():
        code = _VIEWS.get(_text(item, "CodeValue"))
        if code:
            return code
    return None


def _text(ds: Any, name: str) -> str:
    return str(ds.get(name) or "").strip().upper()


def _whole(ds: Dataset, name: str) -> int:
    try:
        return int(ds.get(name) or 0)
    except (TypeError, ValueError):
        return 0


def _day(ds: Dataset, name: str) -> date | None:
    """A DA, also in its old form with points; None for anything else."""
    try:
        return datetime.strptime(_text(ds, name).replace(".", ""), "%Y%m%d").date()
    except ValueError:
        return None
