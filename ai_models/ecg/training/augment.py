"""Augmentation that keeps Einthoven's law: whatever is done to leads is done to I, II, V1-V6, the rest derived.

Noise is added at the electrodes (RA, LA, LL, V1-V6), as it is in a body, and reaches the leads through them.
"""

from __future__ import annotations

import torch
from torch import Tensor

BASE_RATE = 200
"""The recordings wait at 200 Hz, so that a stretched window read by interpolation loses little below 40 Hz."""

# Rows I II III aVR aVL aVF V1-V6 from the eight independent leads I II V1-V6.
DERIVE = torch.zeros(12, 8)
for _row, _weights in enumerate([(1, 0), (0, 1), (-1, 1), (-0.5, -0.5), (1, -0.5), (-0.5, 1)]):
    DERIVE[_row, :2] = torch.tensor(_weights, dtype=torch.float32)
DERIVE[6:, 2:] = torch.eye(6)
INDEPENDENT = [0, 1, 6, 7, 8, 9, 10, 11]

# The eight independent leads from nine electrodes RA LA LL V1-V6 (Wilson's central terminal).
ELECTRODES = torch.zeros(8, 9)
ELECTRODES[0, :2] = torch.tensor([-1.0, 1.0])
ELECTRODES[1, [0, 2]] = torch.tensor([-1.0, 1.0])
ELECTRODES[2:, :3] = -1 / 3
ELECTRODES[2:, 3:] = torch.eye(6)


def cut(base: Tensor, records: Tensor, generator: torch.Generator, length: int = 300) -> Tensor:
    """Windows (n, 12, length) at 100 Hz from `base` (r, 12, m) at 200 Hz, each stretched by 0.8 to 1.25."""
    n = len(records)
    stretch = torch.exp((torch.rand(n, generator=generator) * 2 - 1) * 0.2231) * (BASE_RATE / 100)
    room = base.shape[-1] - 1 - stretch * (length - 1)
    position = (torch.rand(n, generator=generator) * room)[:, None] + torch.arange(length) * stretch[:, None]
    lower = position.floor()
    fraction = (position - lower)[:, None, :]
    index = lower.long()[:, None, :].expand(n, 12, length)
    rows = base[records]
    return rows.gather(2, index) * (1 - fraction) + rows.gather(2, index + 1) * fraction


def vary(x: Tensor, generator: torch.Generator) -> Tensor:
    """Gain, slightly moved electrodes (mixing of independent leads), wander and muscle noise; (n, 12, t) mV."""
    n, _, t = x.shape
    leads = x[:, INDEPENDENT]
    gain = torch.exp(torch.randn(n, 1, 1, generator=generator) * 0.2)
    amount = torch.rand(n, 1, 1, generator=generator) * 0.12
    mixing = torch.eye(8) + amount * torch.randn(n, 8, 8, generator=generator)
    leads = gain * torch.bmm(mixing, leads)
    time = torch.arange(t) / 100.0
    phase = torch.rand(n, 9, 1, generator=generator) * 6.2832
    rate = 0.4 + torch.rand(n, 9, 1, generator=generator) * 0.6
    wander = torch.sin(6.2832 * rate * time + phase) * torch.rand(n, 1, 1, generator=generator) * 0.05
    noise = torch.randn(n, 9, t, generator=generator)
    noise = (noise + noise.roll(1, -1)) / 2
    muscle = noise * 0.04 * torch.rand(n, 1, 1, generator=generator) ** 3
    leads = leads + torch.einsum("le,net->nlt", ELECTRODES, wander + muscle)
    return torch.einsum("ol,nlt->not", DERIVE, leads)
