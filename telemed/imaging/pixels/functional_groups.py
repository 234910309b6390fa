"""Enhanced multi-frame objects: what their functional groups say of one frame (PS3.3 C.7.6.16)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Those that decide what a stored value is worth and how it is shown (C.7.6.16.2.9 and C.7.6.16.2.10).
_MACROS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")


def of_frame(ds: Dataset, frame: int) -> Dataset:
    """`ds` with the rescale and the window of frame number `frame` (from 1) in the place of its own.

    The same data set where it has no functional groups, else a shallow copy: pixels are shared. What a frame says
    counts before what all frames share.
    """
    shared = ds.get("SharedFunctionalGroupsSequence")
    each = ds.get("PerFrameFunctionalGroupsSequence")
    groups = [
        sequence[at] for sequence, at in ((shared, 0), (each, frame - 1)) if sequence and at < len(sequence)
    ]
    said = [item[0] for group in groups for macro in _MACROS if (item := group.get(macro))]
    if not said:
        return ds
    found = copy.copy(ds)
    for item in said:
        for element in item:
            found[element.tag] = element
    return found
