"""LUDB as tensors at 250 Hz, and the variations that a training step draws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from ai_models.ecg.delineation.tensors import RATE, conditioned
from ai_models.ecg.delineation.training import marks as ludb_marks
from ai_models.ecg.delineation.training.marks import Mark, first_and_last, lead_marks
from ai_models.ecg.signal import LEADS
from ai_models.ecg.training import data

CLASS_OF = {"P": 1, "QRS": 2, "T": 3}
CROP = 1280
MARGIN_S = 0.02
"""Just outside the first and the last mark there is no wave, or it would have been marked too."""
ROWS = 72
"""Leads in a step, from few records with many leads or many records with few."""
LEADS_DRAWN = (12, 12, 12, 12, 8, 4, 2, 1)


@dataclass(frozen=True)
class Marked:
    """`signal` (r, 12, n); `target` (r, 12, 4, n) soft classes; `known` (r, 12, n) where marks were made."""

    signal: Tensor
    target: Tensor
    known: Tensor


def soft_classes(marks: list[Mark], length: int) -> NDArray[np.float32]:
    """(4, length) at 250 Hz; one half exactly on a boundary, so that 0.5 is crossed where the mark stands."""
    step = ludb_marks.RATE / RATE
    at = np.arange(length) * step
    rows = np.zeros((4, length), dtype=np.float32)
    for mark in marks:
        inside = np.minimum((at - mark.onset) / step + 0.5, (mark.offset - at) / step + 0.5)
        rows[CLASS_OF[mark.wave]] = np.maximum(rows[CLASS_OF[mark.wave]], np.clip(inside, 0, 1))
    rows[0] = np.clip(1 - rows[1:].sum(axis=0), 0, 1)
    return rows / rows.sum(axis=0)


def load(recordings: list[data.Recording], root: Path = data.DEFAULT_ROOT) -> Marked:
    """All recordings, ten seconds each."""
    length = int(10 * RATE)
    margin = int(MARGIN_S * ludb_marks.RATE)
    signals, targets, knowns = [], [], []
    at = np.arange(length) * ludb_marks.RATE / RATE
    for recording in recordings:
        signals.append(conditioned(recording.samples, recording.rate)[:, :length])
        rows, known = [], []
        for lead in LEADS:
            marks = lead_marks(recording.key, lead, root)
            first, last = first_and_last(marks)
            rows.append(soft_classes(marks, length))
            known.append((at >= first - margin) & (at <= last + margin))
        targets.append(np.stack(rows))
        knowns.append(np.stack(known))
    return Marked(
        torch.from_numpy(np.stack(signals)),
        torch.from_numpy(np.stack(targets)),
        torch.from_numpy(np.stack(knowns).astype(np.float32)),
    )


def draw(marked: Marked, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """One step's signal (r, l, 1280), target (r, l, 4, 1280) and known (r, l, 1280); r * l is 72.

    Stretched in time by up to 1.33, both ways, so that rates and widths are seen that the set lacks.
    """

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=generator))

    leads = LEADS_DRAWN[int(torch.randint(len(LEADS_DRAWN), (1,), generator=generator))]
    count = ROWS // leads
    total = marked.signal.shape[-1]
    parts = []
    for record in torch.randint(len(marked.signal), (count,), generator=generator).tolist():
        chosen = torch.randperm(12, generator=generator)[:leads]
        stretch = math.exp(uniform(-0.288, 0.288)) if uniform(0, 1) < 0.5 else 1.0
        width = min(total, round(CROP * stretch))
        # Marks lie in the middle of the record: draw there mostly.
        start = int(uniform(0, total - width + 1))
        block = torch.cat(
            [
                marked.signal[record, chosen, None, start : start + width],
                marked.target[record, chosen, :, start : start + width],
                marked.known[record, chosen, None, start : start + width],
            ],
            dim=1,
        )
        if width != CROP:
            block = interpolate(block, size=CROP, mode="linear", align_corners=False)
        parts.append(block)
    batch = torch.stack(parts)
    return batch[:, :, 0], batch[:, :, 1:5], (batch[:, :, 5] > 0.99).float()


def vary(x: Tensor, generator: torch.Generator) -> Tensor:
    """Gain, polarity, wander, mains, muscle noise and a device's smoothing, each lead by itself."""
    records, leads, length = x.shape

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    def sometimes(share: float) -> Tensor:
        return (rand(records, leads, 1) < share).float()

    at = torch.arange(length) / RATE
    smooth = (x.roll(1, -1) + 2 * x + x.roll(-1, -1)) / 4
    x = torch.lerp(x, smooth, sometimes(0.2))
    x = x * torch.exp((rand(records, leads, 1) - 0.5) * 0.8) * (1 - 2 * sometimes(0.1))
    wander = torch.sin(2 * math.pi * ((0.1 + 0.7 * rand(records, leads, 1)) * at + rand(records, leads, 1)))
    x = x + sometimes(0.5) * 0.15 * rand(records, leads, 1) * wander
    mains = torch.sin(2 * math.pi * ((50 + 0.4 * rand(records, 1, 1) - 0.2) * at + rand(records, leads, 1)))
    x = x + sometimes(0.2) * 0.05 * rand(records, leads, 1) * mains
    noise = torch.randn(records, leads, length, generator=generator)
    muscle = noise - (noise.roll(1, -1) + noise + noise.roll(-1, -1)) / 3
    swell = 0.5 + 0.5 * torch.sin(2 * math.pi * (rand(records, leads, 1) * at + rand(records, leads, 1)))
    return x + sometimes(0.4) * 0.05 * rand(records, leads, 1) * muscle * swell
