"""A beat in a few kilobytes of text, to be kept beside what was measured on it."""

from __future__ import annotations

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

from telemed.imaging.waveform.wire import MISSING

MICROVOLTS_PER_UNIT = 1.0
_MOST = 32767


def pack(samples: NDArray[np.floating]) -> str:
    """(leads, n) mV, NaN where nothing is known, as base64 of deflated differences of int16 at 1 uV.

    Values beyond 32.767 mV become that. Differences from sample to sample are small, and so deflate to about a
    quarter.
    """
    with np.errstate(invalid="ignore"):
        units = np.rint(np.asarray(samples, dtype=np.float64) * (1000.0 / MICROVOLTS_PER_UNIT))
    units = np.where(np.isfinite(units), np.clip(units, -_MOST, _MOST), MISSING).astype("<i2")
    steps = np.diff(units.astype(np.int32), axis=1, prepend=0).astype("<i2")
    return base64.b64encode(zlib.compress(steps.tobytes(), 6)).decode("ascii")


def unpack(packed: str, leads: int) -> bytes:
    """The int16 little endian of `pack`, lead after lead, `wire.MISSING` where nothing is known.

    Raises ValueError where the text does not hold that many leads of one length.
    """
    raw = zlib.decompress(base64.b64decode(packed))
    if leads < 1 or len(raw) % (2 * leads):
        raise ValueError(f"{len(raw)} bytes for {leads} leads")
    steps = np.frombuffer(raw, dtype="<i2").reshape(leads, -1)
    # Differences wrap as they were taken: modulo 2^16.
    return steps.cumsum(axis=1, dtype=np.int16).astype("<i2").tobytes()
