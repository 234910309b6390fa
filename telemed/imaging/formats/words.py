"""Numbers, dates and names as recording files write them. Nothing here raises: what is unclear is left out."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone

_TS = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,9}))?)?([+-]\d{4})?$")
_SEXES = {"M": "M", "MALE": "M", "男": "M", "1": "M", "F": "F", "FEMALE": "F", "女": "F", "2": "F", "O": "O"}
_EARLIEST = 1880


def number(text: str) -> float | None:
    """A finite decimal number, None for anything else; a comma may stand for the point."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(text: str) -> int | None:
    value = number(text)
    return round(value) if value is not None and abs(value) < 2**31 else None


def sex(text: str) -> str:
    """M, F, O or ""; UN, Unknown and the like say nothing."""
    return _SEXES.get(text.strip().upper(), "")


def calendar_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= _EARLIEST else None
    except ValueError:
        return None


def iso_date(text: str) -> date | None:
    """2011-12-01, 2011/12/1 or 20111201."""
    parts = re.fullmatch(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?:[T ].*)?", text.strip())
    return calendar_date(*(int(part) for part in parts.groups())) if parts else None


def iso_moment(day: str, time: str) -> datetime | None:
    """A date and a time of day (07:27:34) as a naive local time; midnight is never invented."""
    found, parts = iso_date(day), re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?.*", time.strip())
    if found is None or parts is None:
        return None
    hour, minute, second = (int(part or 0) for part in parts.groups())
    return moment(found, hour, minute, second)


def moment(day: date, hour: int, minute: int, second: int, micro: int = 0) -> datetime | None:
    try:
        return datetime(day.year, day.month, day.day, hour, minute, min(second, 59), micro)
    except ValueError:
        return None


def hl7_time(text: str) -> datetime | None:
    """An HL7 TS (YYYYMMDD[HH[MM[SS[.f]]]][+ZZZZ]); aware only with a zone."""
    parts = _TS.match(text.strip())
    if parts is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = parts.groups()
    found = calendar_date(int(year), int(month), int(day))
    if found is None:
        return None
    micro = int((fraction or "0").ljust(6, "0")[:6])
    local = moment(found, int(hour or 0), int(minute or 0), int(second or 0), micro)
    return local.replace(tzinfo=zone(offset)) if local and offset else local


def zone(offset: str) -> timezone | None:
    """The zone of "+0800", None where it is none."""
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    if minutes >= 24 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes)) if minutes else UTC


def stated(text: str) -> str:
    """A text without the space around it; dashes, dots and question marks alone say nothing."""
    text = text.strip()
    return "" if not text.strip("-._?*/ ") else text


def person(family: str, given: str = "", middle: str = "") -> str:
    """A name with DICOM's carets; nothing but carets is no name."""
    return "^".join(stated(part) for part in (family, given, middle)).rstrip("^")
