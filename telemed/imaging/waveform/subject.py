"""Whose heart it is, as far as the reading of an ECG depends on it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING

from telemed.imaging.waveform.values import text

if TYPE_CHECKING:
    from telemed.imaging.waveform.direct import Source

_AGE = re.compile(r"(\d{1,3})([DWMY])")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_DAYS_A_YEAR = 365.25
_TAKEN = ("AcquisitionDateTime", "AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")


def age_at_recording(ds: Source) -> float | None:
    """Years: PatientAge (an AS, such as 045Y), else from the birth date to the day of the recording."""
    given = _AGE.fullmatch(_text(ds, "PatientAge"))
    if given:
        return round(int(given[1]) * _YEARS[given[2]], 2)
    born = _day(_text(ds, "PatientBirthDate"))
    taken = next((day for name in _TAKEN if (day := _day(_text(ds, name))) is not None), None)
    if born is None or taken is None or taken < born:
        return None
    return round((taken - born).days / _DAYS_A_YEAR, 2)


def sex_of(ds: Source) -> str:
    """ "M" or "F"; empty for anything else."""
    written = _text(ds, "PatientSex")
    return written if written in ("M", "F") else ""


def _text(ds: Source, name: str) -> str:
    return text(ds, name).strip().upper()


def _day(written: str) -> date | None:
    """The day of a DA or DT, also in the old form with points; None for anything else."""
    try:
        return datetime.strptime(written.replace(".", "")[:8], "%Y%m%d").date()
    except ValueError:
        return None
