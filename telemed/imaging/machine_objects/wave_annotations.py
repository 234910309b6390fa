"""Where each wave begins, peaks and ends, as annotations of the channel it was seen in (PS3.3 C.10.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from telemed.imaging.ecg_object import code_item
from telemed.imaging.errors import WaveformError
from telemed.imaging.machine_objects import concepts as c
from telemed.imaging.waveform.group import Group, describe
from telemed.imaging.waveform.marks import unpack_marks
from telemed.imaging.waveform.reader import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


def wave_annotations(ds: Dataset, packed: str, group_number: int) -> Iterator[Dataset]:
    """For each recorded lead and wave of `packed` (see `pack_marks`) two items: from onset to offset
    (MULTISEGMENT), and the peaks (MULTIPOINT). None for a lead that was computed: it has no channel.
    """
    marks = unpack_marks(packed)
    if not marks:
        return
    channels = _channels(ds)
    # Time begins with the earliest of the groups that hold the rhythm together.
    first = min((group.offset_s for _, _, group in channels.values()), default=0.0)
    for lead, (number, channel, group) in channels.items():
        for wave, times in marks[lead].items():
            inside = _samples(times, group, group.offset_s - first)
            if len(inside):
                ends = inside[:, [0, 2]].ravel()
                for kind, positions in (("MULTISEGMENT", ends), ("MULTIPOINT", inside[:, 1])):
                    item = Dataset()
                    item.AnnotationGroupNumber = group_number
                    item.ReferencedWaveformChannels = [number, channel]
                    item.TemporalRangeType = kind
                    item.ReferencedSamplePositions = [int(at) for at in positions]
                    item.ConceptNameCodeSequence = Sequence([code_item(*c.WAVES[wave])])
                    yield item


def _channels(ds: Dataset) -> dict[str, tuple[int, int, Group]]:
    """By lead the group and the channel of the rhythm that the product reads, both counted from one."""
    groups = {number: describe(item) for number, item in enumerate(ds.WaveformSequence, start=1)}
    try:
        chosen = choose([group for group in groups.values() if group is not None])
    except WaveformError:
        return {}
    found: dict[str, tuple[int, int, Group]] = {}
    for number, group in groups.items():
        if group is not None and any(group is one for one in chosen):
            for channel, lead in enumerate(group.leads, start=1):
                if lead is not None:
                    found.setdefault(lead, (number, channel, group))
    return found


def _samples(times: NDArray[np.int64], group: Group, start_s: float) -> NDArray[np.int64]:
    """(k, 3) sample positions counted from one; what lies outside the group's samples is left out."""
    positions = ((times / 1000 - start_s) * group.rate).round().astype("int64") + 1
    return positions[(positions >= 1).all(axis=1) & (positions <= group.samples).all(axis=1)]
