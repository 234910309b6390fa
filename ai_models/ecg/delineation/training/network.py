"""The network: a 1-D U-Net per lead whose leads tell each other what they see, level by level."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 48, 64, 80)
KERNEL = 7
CLASSES = 4


def _layer(inputs: int, outputs: int, stride: int = 1, kernel: int = KERNEL) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
    )


class Talk(nn.Module):
    """Adds to each lead what the mean of all leads of the recording says at the same instant.

    A mean works for any number of leads in any order, one lead included (it then hears itself).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x: Tensor, records: int, leads: int) -> Tensor:
        apart = x.reshape(records, leads, x.shape[-2], -1)
        heard = self.mix(apart.mean(1))
        return torch.relu(apart + heard[:, None]).reshape(records * leads, x.shape[-2], -1)


class Delineator(nn.Module):
    """(n, leads, t) at 250 Hz, t a multiple of 32 -> logits (n, leads, 4, t): none, P, QRS, T."""

    def __init__(self) -> None:
        super().__init__()
        first, *rest = WIDTHS
        self.stem = nn.Sequential(_layer(1, first, 2, 9), _layer(first, first))
        self.down, self.up, self.up_talk = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.down_talk = nn.ModuleList()
        inputs = first
        for width in rest:
            self.down.append(nn.Sequential(_layer(inputs, width, 2), _layer(width, width)))
            self.down_talk.append(Talk(width))
            inputs = width
        for width in reversed(WIDTHS[:-1]):
            self.up.append(nn.Sequential(_layer(inputs + width, width), _layer(width, width)))
            self.up_talk.append(Talk(width))
            inputs = width
        self.head = nn.Conv1d(inputs, 2 * CLASSES, 5, padding=2)

    def forward(self, signal: Tensor) -> Tensor:
        records, leads = signal.shape[0], signal.shape[1]
        x = self.stem(signal.reshape(records * leads, 1, -1))
        kept = []
        for down, talk in zip(self.down, self.down_talk, strict=True):
            kept.append(x)
            x = talk(down(x), records, leads)
        for up, talk, skip in zip(self.up, self.up_talk, reversed(kept), strict=True):
            x = torch.cat([nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"), skip], dim=1)
            x = talk(up(x), records, leads)
        # Two values a class for each sample at 125 Hz, laid out as two samples at 250 Hz.
        x = self.head(x).reshape(records * leads, CLASSES, 2, -1).transpose(2, 3)
        return x.reshape(records, leads, CLASSES, -1)


class Shipped(nn.Module):
    """The graph that is shipped: `signal` (n, leads, t) -> `probability` (n, leads, 4, t), float32."""

    def __init__(self, net: Delineator) -> None:
        super().__init__()
        self.net = net

    def forward(self, signal: Tensor) -> Tensor:
        return torch.softmax(self.net(signal), dim=2)
