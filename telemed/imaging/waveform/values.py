"""Short values straight from their bytes.

A twelve-lead header has about 150 of them, and pydicom's conversion of each costs more than reading all
samples: most of the time of reading an ECG was spent there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement

from telemed.imaging.waveform.direct import DirectItem

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from telemed.imaging.waveform.direct import Source

_TEXT_VRS = frozenset({"DS", "IS", "CS", "SH", "LO", "ST", "LT", "UC", "UT"})


def number(ds: Source, keyword: str) -> float | None:
    """A numeric element as float; None when it is absent, empty or not a number."""
    if isinstance(ds, DirectItem):
        return ds.number(keyword)
    raw = _ascii(ds, keyword)
    value = raw.split("\\")[0] if raw is not None else ds.get(keyword)
    try:
        return None if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return None


def text(ds: Source, keyword: str) -> str:
    """A text element without padding, "" when it is absent or empty."""
    if isinstance(ds, DirectItem):
        return ds.text(keyword)
    raw = _ascii(ds, keyword)
    return raw if raw is not None else str(ds.get(keyword) or "").replace("\x00", "").strip()


def _ascii(ds: Dataset, keyword: str) -> str | None:
    """The value of an element that still lies as ASCII bytes of a text VR; None where pydicom must say."""
    element = ds.get_item(_tag(keyword))
    if not isinstance(element, RawDataElement) or element.VR not in _TEXT_VRS:
        return None
    value = element.value
    return value.replace(b"\x00", b"").decode("ascii").strip() if value and value.isascii() else None


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag
