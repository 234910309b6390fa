"""Matching of queries as part of the statement."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

from telemed.domain.matching import Between, Criterion, Like, NamePattern, OneOf

_ESCAPE = "\\"


def matches(column: ColumnElement[Any], criterion: Criterion) -> ColumnElement[bool]:
    match criterion:
        case OneOf(values=(value,)):
            return column == value
        case OneOf(values=values):
            return column.in_(values)
        case Like(pattern=pattern):
            # Codes and numbers are compared without case: machines write them as they like.
            return func.lower(column).like(like_pattern(pattern.lower()), escape=_ESCAPE)
        case Between(low=low, high=high):
            ends = [column >= low] if low else []
            ends += [column <= high] if high else []
            return and_(column != "", *ends)


def matches_name(
    name: ColumnElement[Any], readings: ColumnElement[Any], wanted: NamePattern
) -> ColumnElement[bool]:
    """A little more than fits: `NamePattern.fits` decides over what is found.

    Names in characters hold no separators but the dot of minority names; names in Latin letters do.
    """
    plain = func.lower(name)
    for separator in ("·", "・", " "):
        plain = func.replace(plain, separator, "")
    found = []
    for pattern in wanted.patterns:
        loose = like_pattern(pattern)
        found.append(plain.like(loose, escape=_ESCAPE))
        found.append(func.lower(readings).like(f"%{loose}%", escape=_ESCAPE))
    return or_(*found)


def like_pattern(pattern: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        pattern = pattern.replace(special, _ESCAPE + special)
    return pattern.replace("*", "%").replace("?", "_")
