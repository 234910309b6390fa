"""The walk of `elements.walk` for the usual object: only its first bytes are at hand, and the rest is one value.

A waveform or a picture written in one piece needs no look into it: where each element ends stands in its head.
Whatever is not as plain as that is left to the walk over the whole.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from telemed.imaging.elements import LONG_VRS, SHORT_VRS, UNDEFINED, Element

if TYPE_CHECKING:
    from collections.abc import Container

# Group, element, VR and length of the short form, length of the long one; and the same of Implicit VR.
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sHL").unpack_from, struct.Struct("<HHL").unpack_from
_ITEMS = 0xFFFE


def elements_to_the_end(
    head: bytes, size: int, start: int, wanted: Container[int], last_group: int, *, implicit: bool
) -> dict[int, Element] | None:
    """Of a little endian data set that goes from `start` to `size`, and of which `head` is the first part.

    The first element of each tag in `wanted`, looked for up to the first group beyond `last_group`. None unless
    every element's own head and every wanted value lie in `head`, and the last element ends at `size` exactly.
    """
    found: dict[int, Element] = {}
    position, limit, looking = start, len(head), True
    while position < size:
        if position + 12 > limit:
            return None
        if implicit:
            group, number, length = _IMPLICIT(head, position)
            vr, value = b"", position + 8
        else:
            group, number, vr, length, long = _EXPLICIT(head, position)
            value = position + 8
            if vr not in SHORT_VRS:
                if vr not in LONG_VRS:
                    return None
                value, length = position + 12, long
        end = value + length
        if length == UNDEFINED or end > size or group == _ITEMS:
            return None
        if looking:
            looking = group <= last_group
            tag = group << 16 | number
            if looking and tag in wanted and tag not in found:
                if end > limit:
                    return None
                found[tag] = Element(tag, vr, value, end)
        position = end
    return found
