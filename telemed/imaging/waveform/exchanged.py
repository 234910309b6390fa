"""Electrodes on each other's places, as far as the leads of one recording tell."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from telemed.imaging.waveform.model import CHEST, LEADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Left arm and right arm exchanged turn lead I over, and no chest lead: I and V6 then run against each other. Of 675
# recordings of three collections one does so as it is (a conduction disorder).
_OPPOSITE = -0.65
# aVR looks into the heart from behind: it runs against V5 and V6. With right arm and leg exchanged it is aVF, and
# runs along with them.
_ALONG = 0.65
# From V1 to V6 each lead is most like its neighbour. Two of them exchanged make the way through all six longer, by
# this much of a correlation and more.
_SHORTER = 0.7
# V6 runs against aVR and V1 does not, or less so; with the whole row reversed it is the other way round.
_REVERSED = -0.5
_LEAST_MV = 0.05
_BAND_HZ = (1.0, 40.0)
_ENOUGH_HZ = 100.0
_WATCHED = ("I", "aVR", *CHEST)
_ROWS = [LEADS.index(lead) for lead in _WATCHED]
_I, _AVR, _V1, _V5, _V6 = (_WATCHED.index(lead) for lead in ("I", "aVR", "V1", "V5", "V6"))

_PAIRS = tuple(combinations(range(len(CHEST)), 2))


def _orders() -> NDArray[np.int64]:
    """The chest leads in their order, and with each pair exchanged."""
    orders = np.tile(np.arange(len(CHEST)), (len(_PAIRS) + 1, 1))
    for row, (first, second) in zip(orders[1:], _PAIRS, strict=True):
        row[[first, second]] = second, first
    return orders


_ORDERS = _orders()


def exchanged(samples: NDArray[np.float32], rate: float) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Codes and leads for (12, n) mV at `rate` Hz: quality.arms_exchanged, quality.limb_exchanged,
    quality.chest_exchanged (the two leads that seem to be in each other's place, or all six in reverse).

    All six chest leads in reverse mostly look as exchanged arms do, which are the commoner fault and so what is said.
    Right axis, dextrocardia, infarction and ventricular rhythms may look so too: a reason to look at the electrodes,
    no more. How often each exchange is seen, and how often none is there: docs/ecg-quality.md. Arm and leg of the
    left side exchanged leave no trace that a healthy heart could not leave.
    """
    alike, height = _alike(samples[_ROWS], rate)
    if alike is None:
        return
    enough = height >= _LEAST_MV / 2
    arms = enough[[_I, _V6]].all() and alike[_I, _V6] <= _OPPOSITE
    behind = not arms and enough[[_AVR, _V5, _V6]].all()
    leg = behind and min(alike[_AVR, _V5], alike[_AVR, _V6]) >= _ALONG
    if arms:
        yield "quality.arms_exchanged", ("I",)
    if leg:
        yield "quality.limb_exchanged", ("aVR",)
    if enough[-len(CHEST) :].all():
        pair = _chest_pair(alike[-len(CHEST) :, -len(CHEST) :])
        if pair is not None:
            yield "quality.chest_exchanged", pair
        elif behind and not leg and alike[_AVR, _V1] - alike[_AVR, _V6] <= _REVERSED:
            yield "quality.chest_exchanged", CHEST


def _alike(leads: NDArray[np.float32], rate: float) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Correlations of all leads from 1 to 40 Hz, and each one's RMS there (mV); None where a lead has a gap."""
    # A mean of each few samples is a low-pass far above the band, and a fifth of the work.
    few = max(1, int(rate // _ENOUGH_HZ))
    length = leads.shape[1] // few
    nothing = np.zeros(len(leads))
    if length * few < rate:
        return None, nothing
    parts = np.ascontiguousarray(leads[:, : length * few]).reshape(-1, few)
    both = (parts @ np.full(few, 1 / few, dtype=np.float32)).reshape(len(leads), length)
    if not np.isfinite(both).all():
        return None, nothing
    spectrum = np.fft.rfft(both - both.mean(axis=1, keepdims=True), axis=1)
    hertz = np.fft.rfftfreq(length, few / rate)
    first, last = np.searchsorted(hertz, _BAND_HZ)
    part = np.ascontiguousarray(spectrum[:, first : last + 1])
    # Real and imaginary parts side by side: their product is the real part of one times the other's conjugate.
    side = part.view(part.real.dtype)
    power = np.einsum("lf,mf->lm", side, side)
    own = np.sqrt(np.maximum(power.diagonal(), 1e-30))
    # RMS of the band: 2 sum|X|^2 / n^2.
    return power / np.outer(own, own), np.sqrt(2.0) * own / length


def _chest_pair(alike: NDArray[np.float64]) -> tuple[str, str] | None:
    """The exchange of two chest leads that shortens the way from V1 to V6 most, where it does so by enough."""
    ways = (1 - alike[_ORDERS[:, :-1], _ORDERS[:, 1:]]).sum(axis=1)
    best = int(np.argmin(ways))
    if ways[0] - ways[best] <= _SHORTER:
        return None
    first, second = _PAIRS[best - 1]
    return CHEST[first], CHEST[second]
