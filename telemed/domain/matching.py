"""Attribute matching of queries (PS3.4 section C.2.2.2): what a key asks for, free of any database."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from telemed.domain.errors import InvalidInput


@dataclass(frozen=True)
class OneOf:
    """Single value or list of UIDs: equality."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Like:
    """`*` is any run of characters, `?` is one."""

    pattern: str

    def fits(self, value: str) -> bool:
        return _compiled(self.pattern).fullmatch(value.lower()) is not None


@dataclass(frozen=True)
class Between:
    """A range of dates or times as DICOM writes them; an open end is empty. Both ends belong to it."""

    low: str
    high: str

    def fits(self, value: str) -> bool:
        return bool(value) and (not self.low or self.low <= value) and (not self.high or value <= self.high)


Criterion = OneOf | Like | Between


def has_wildcard(value: str) -> bool:
    return "*" in value or "?" in value


def text_criterion(values: Sequence[str]) -> Criterion | None:
    """Of a text or code: wildcard where there is one, else equality. None is universal matching."""
    kept = [value for value in values if value]
    if not kept or any(set(value) == {"*"} for value in kept):
        return None
    if len(kept) == 1 and has_wildcard(kept[0]):
        return Like(kept[0])
    return OneOf(tuple(kept))


def uid_criterion(values: Sequence[str]) -> OneOf | None:
    kept = tuple(dict.fromkeys(value for value in values if value))
    # "*" is no UID, but machines send it for "any".
    return OneOf(kept) if kept and kept != ("*",) else None


def date_criterion(value: str) -> Between | None:
    """Raises InvalidInput for what is no date and no range of dates."""
    low, high = _ends(value)
    for end in (low, high):
        if end and parse_date(end) is None:
            raise InvalidInput("error.query_date_invalid")
    return Between(low.replace(".", ""), high.replace(".", "")) if low or high else None


def time_criterion(value: str) -> Between | None:
    """HH, HHMM, HHMMSS and HHMMSS.ffffff; a shorter end reaches over all it leaves open."""
    low, high = _ends(value)
    low, high = low.replace(":", ""), high.replace(":", "")
    for end in (low, high):
        if end and not re.fullmatch(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", end):
            raise InvalidInput("error.query_time_invalid")
    if not low and not high:
        return None
    # Compared as texts: without its closing zeros the low end stands before every way to write that instant.
    return Between(
        re.sub(r"(00)+$", "", re.sub(r"\.0*$", "", low)), high + "235959.999999"[len(high) :] if high else ""
    )


def parse_date(value: str) -> date | None:
    digits = value.replace(".", "") if re.fullmatch(r"\d{4}\.\d{2}\.\d{2}", value) else value
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


@dataclass(frozen=True)
class NamePattern:
    """A person's name as asked for, in characters or in Latin letters, whole or in parts.

    Case, spaces and carets do not count: "ZHANG^SAN", "zhangsan" and "张^三" find 张三.
    """

    # One pattern per component group that was given; one that fits is enough.
    patterns: tuple[str, ...]

    def fits(self, name: str, readings: str) -> bool:
        """`readings` are the name's transcriptions, separated by spaces."""
        candidates = [plain_name(name), *(plain_name(reading) for reading in readings.split(" "))]
        return any(Like(p).fits(value) for p in self.patterns for value in candidates if value)


def name_criterion(value: str) -> NamePattern | None:
    groups = [plain_name(group) for group in value.split("=")]
    kept = tuple(dict.fromkeys(group for group in groups if group))
    if not kept or any(set(group) == {"*"} for group in kept):
        return None
    return NamePattern(kept)


def plain_name(value: str) -> str:
    """Lower case, without what only separates the parts of a name."""
    return re.sub(r"[\s^·・,]", "", value).lower()


def _ends(value: str) -> tuple[str, str]:
    text = value.strip()
    if "-" not in text:
        return text, text
    low, _, high = text.partition("-")
    return low.strip(), high.strip()


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern.lower())
    return re.compile("".join(parts), re.DOTALL)
