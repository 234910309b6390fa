"""The representative beat: which beats are alike, how they lie on each other, and their median."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

RATE = 500.0
"""2 ms a sample: amplitudes and the median beat are taken from the recording itself at this rate."""
BEFORE_S, AFTER_S = 0.36, 0.64
QRS_REACH_S = 0.10
LARGEST_SHIFT_S = 0.024
ALIKE = 0.90
"""Correlation of two QRS over all leads from which they are of one form."""
COMPARABLE = 0.4
PREMATURE = 0.85

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """`fiducial` (b,) seconds, the same point of each beat of one form; `form` (b,) its number; `dominant` (b,)."""

    fiducial: NDArray[np.float64]
    form: NDArray[np.int64]
    dominant: NDArray[np.bool_]


class Shifts(NamedTuple):
    """`parts` (shifts, leads, w), a view of the recording; `means` (shifts, leads); `energy` (shifts,) about them."""

    parts: Signal
    means: Signal
    energy: Signal

    def at(self, shift: int) -> Signal:
        """The QRS at one shift (leads, w), each lead without its mean."""
        return np.asarray(self.parts[shift] - self.means[shift][:, None], dtype=np.float64)


def _shifted(signal: Signal, at: float) -> Shifts | None:
    """The QRS about `at` seconds at every shift up to 24 ms.

    None where it is not whole within the record.
    """
    reach, limit = round(QRS_REACH_S * RATE), round(LARGEST_SHIFT_S * RATE)
    start, end = round(at * RATE) - reach - limit, round(at * RATE) + reach + limit + 1
    if start < 0 or end > signal.shape[1]:
        return None
    width = 2 * reach + 1
    # Sums over neighbouring shifts share nearly all of their samples. Levelled first, so that nothing is lost
    # between the large sums of an offset.
    cut = signal[:, start:end] - signal[:, start:end].mean(axis=1, keepdims=True)
    sums, squares = (
        np.concatenate((np.zeros((len(cut), 1)), np.cumsum(values, axis=1)), axis=1)
        for values in (cut, cut * cut)
    )
    means = (sums[:, width:] - sums[:, :-width]) / width
    energy = (squares[:, width:] - squares[:, :-width] - width * means * means).sum(axis=0)
    parts = sliding_window_view(cut, width, axis=1).transpose(1, 0, 2)
    return Shifts(parts, means.T, np.maximum(energy, 0.0))


def _best(cut: Shifts, template: Signal) -> tuple[float, int]:
    """Highest correlation of any shift with `template` (leads, w), each lead without its mean, and which shift."""
    lengths = np.sqrt(cut.energy * np.einsum("lw,lw->", template, template))
    # Not a matrix product: the library behind it would start threads on cores that others have. A template
    # without means makes nothing of the means of the parts.
    values = np.einsum("slw,lw->s", cut.parts, template) / np.maximum(lengths, 1e-12)
    best = int(np.argmax(values))
    return float(values[best]), best


def align(signal: Signal, middle: NDArray[np.float64]) -> Alignment:
    """Group beats by the form of their QRS over all leads and lay those of one form on each other.

    `signal` (leads, n) mV at 500 Hz; `middle` (b,) seconds. A beat joins the first form whose mean correlates
    with it by at least 0.90, at the best shift within 24 ms; its members are then laid on their median, twice. The
    dominant form is the largest; of forms at least 0.4 as large, the one whose beats come latest after the beat
    before, because in bigeminy the ectopic beats are the premature ones. Of its beats those that come earlier
    than 0.85 of the usual interval are left out (atrial extrasystoles), as long as half of them, and three, stay.
    A beat too near the record's end to be seen whole belongs to no form (-1).
    """
    cuts = [_shifted(signal, float(at)) for at in middle]
    none = round(LARGEST_SHIFT_S * RATE)
    form = np.full(len(middle), -1, dtype=np.int64)
    shift = np.full(len(middle), none, dtype=np.int64)
    templates: list[Signal] = []
    for beat, cut in enumerate(cuts):
        if cut is None:
            continue
        form[beat] = len(templates)
        for index, template in enumerate(templates):
            value, best = _best(cut, template)
            if value >= ALIKE:
                form[beat], shift[beat] = index, best
                break
        else:
            templates.append(cut.at(none))
    for index in range(len(templates)):
        members = [(int(beat), cuts[beat]) for beat in np.flatnonzero(form == index)]
        whole = [(beat, cut) for beat, cut in members if cut is not None]
        for _ in range(2):
            template = np.median(np.stack([cut.at(int(shift[beat])) for beat, cut in whole]), axis=0)
            # A median of parts without means has one.
            template -= template.mean(axis=1, keepdims=True)
            for beat, cut in whole:
                shift[beat] = _best(cut, template)[1]
    fiducial = (np.round(middle * RATE) + shift - none) / RATE
    return Alignment(fiducial, form, dominant_beats(fiducial, form))


def dominant_beats(fiducial: NDArray[np.float64], form: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which beats represent the recording; see `align`."""
    whole = form[form >= 0]
    if not len(whole):
        return np.zeros(len(form), dtype=np.bool_)
    before = np.concatenate(([np.nan], np.diff(fiducial)))
    sizes = np.bincount(whole)
    rivals = [int(i) for i in np.flatnonzero(sizes >= max(1, COMPARABLE * sizes.max()))]

    def lateness(index: int) -> float:
        waits = before[(form == index) & np.isfinite(before)]
        return float(np.median(waits)) if len(waits) else 0.0

    chosen = rivals[0] if len(rivals) == 1 else max(rivals, key=lambda i: (lateness(i), sizes[i]))
    dominant = form == chosen
    waits = before[dominant & np.isfinite(before)]
    if len(waits):
        timely = dominant & ~(before < PREMATURE * np.median(waits))
        if timely.sum() >= max(3, dominant.sum() / 2):
            dominant = timely
    return np.asarray(dominant, dtype=np.bool_)


def beat_stack(signal: Signal, fiducial: NDArray[np.float64]) -> Signal:
    """(beats, leads, w) around each fiducial point, 360 ms before to 640 ms after, NaN beyond the record."""
    before, after = round(BEFORE_S * RATE), round(AFTER_S * RATE)
    padded = np.pad(signal, ((0, 0), (before, after)), constant_values=np.nan)
    centres = [round(float(at) * RATE) for at in fiducial]
    return np.stack([padded[:, centre : centre + before + after] for centre in centres])


def median_beat(stack: Signal) -> Signal:
    """(leads, w) mV: the median over the beats; NaN where fewer than half of them lie within the record."""
    seen = np.isfinite(stack).sum(axis=0)
    # What is missing sorts to the end, so that the middle of the rest lies at half their number.
    ordered = np.sort(stack, axis=0)
    low, high = (
        np.take_along_axis(ordered, at[None], axis=0)[0] for at in (np.maximum(seen - 1, 0) // 2, seen // 2)
    )
    return np.asarray(np.where(seen >= 0.5 * len(stack), (low + high) / 2, np.nan), dtype=np.float64)


def without_wander(signal: Signal, isoelectric: NDArray[np.float64]) -> Signal:
    """`signal` (leads, n) mV at 500 Hz less the broken line through its isoelectric points (b,), seconds.

    The classic baseline correction: through the PR segments of successive beats, constant before the first and
    after the last. It takes off no part of ST, as a high-pass filter would.
    """
    ends = [round(float(at) * RATE) for at in isoelectric]
    width = round(0.016 * RATE)
    kept = [end for end in ends if end - width >= 0 and end <= signal.shape[1]]
    if not kept:
        return signal - np.median(signal, axis=1, keepdims=True)
    levels = np.stack([signal[:, end - width : end].mean(axis=1) for end in kept], axis=1)
    at = np.asarray(kept) - width / 2
    grid = np.arange(signal.shape[1])
    return np.stack([lead - np.interp(grid, at, level) for lead, level in zip(signal, levels, strict=True)])
