"""In which order the series and the pictures of a study are looked at."""

from collections.abc import Sequence

from telemed.domain.study import Series, StoredObject


def in_reading_order(
    series: Sequence[Series], objects: Sequence[StoredObject]
) -> tuple[list[Series], list[StoredObject]]:
    """By the numbers that the device gave them, as they were made; in the order of arrival only where it gave none.
    What came first over a bad line says nothing of what is to be looked at first."""
    pictures = sorted(objects, key=lambda one: (*_numbered(one.instance_number), one.id))
    first: dict[int, int] = {}
    for place, stored in enumerate(pictures):
        first.setdefault(stored.series_id, place)
    ordered = sorted(series, key=lambda one: (*_numbered(one.number), first.get(one.id, len(first)), one.id))
    return ordered, pictures


def _numbered(number: int | None) -> tuple[bool, int]:
    return number is None, number or 0
