"""Every wave of every lead in a kilobyte or two of text, to be kept beside what was measured on it."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.waveform.model import LEADS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

WAVES = ("P", "QRS", "T")
_LONGEST_MS = 65535

Marks = dict[str, dict[str, "NDArray[np.int64]"]]
"""By lead and wave: (k, 3) onset, peak, offset, milliseconds from the recording's first sample."""


def pack_marks(leads: Sequence[Mapping[str, NDArray[np.floating]]]) -> str:
    """For each of `LEADS` its waves, (k, 3) seconds, as base64 of deflated differences of whole milliseconds.

    Up to 65 s, which no resting recording reaches; marks beyond it are put there. Empty text for no wave at all.
    """
    rows = [np.asarray(lead[wave], dtype=np.float64).reshape(-1) for lead in leads for wave in WAVES]
    counts = np.asarray([len(row) // 3 for row in rows], dtype=np.uint16)
    if not counts.any():
        return ""
    values = np.clip(np.rint(1000 * np.concatenate(rows)), 0, _LONGEST_MS).astype(np.int64)
    steps = np.diff(values, prepend=0).astype(np.uint16)
    content = np.concatenate((counts, steps)).astype("<u2").tobytes()
    return base64.b64encode(zlib.compress(content, 6)).decode("ascii")


def unpack_marks(packed: str) -> Marks:
    """What `pack_marks` packed, to the millisecond. Raises ValueError where the text holds no such marks."""
    if not packed:
        return {}
    content = zlib.decompress(base64.b64decode(packed))
    head = len(LEADS) * len(WAVES)
    if len(content) % 2 or len(content) < 2 * head:
        raise ValueError(f"{len(content)} bytes hold no marks of {len(LEADS)} leads")
    units = np.frombuffer(content, dtype="<u2")
    counts, steps = units[:head].astype(np.int64), units[head:]
    if 3 * int(counts.sum()) != len(steps):
        raise ValueError(f"{len(steps)} values for {int(counts.sum())} waves")
    # Differences wrap as they were taken: modulo 2^16.
    values = steps.cumsum(dtype=np.uint16).astype(np.int64).reshape(-1, 3)
    parts = iter(np.split(values, np.cumsum(counts)[:-1]))
    return {lead: {wave: next(parts) for wave in WAVES} for lead in LEADS}
