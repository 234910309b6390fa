"""The network: a small 1-D residual network per 3 s window, the record's answer, and the rhythm branch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (32, 64, 112, 160)


class Block(nn.Module):
    """Two convolutions with a shortcut; the first may halve the length."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm1d(outputs)
        )
        self.second = nn.Sequential(
            nn.Conv1d(outputs, outputs, kernel, 1, kernel // 2, bias=False), nn.BatchNorm1d(outputs)
        )
        self.short: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(
                nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.short(x))


class WindowNet(nn.Module):
    """(n, 12, 300) mV at 100 Hz, 0.5-40 Hz -> logits (n, 5). Scales each lead by the training set's spread."""

    def __init__(self, spread: Tensor, labels: int = 5) -> None:
        super().__init__()
        self.register_buffer("spread", spread.reshape(1, 12, 1).clone())
        stem, *rest = WIDTHS
        self.stem = nn.Sequential(nn.Conv1d(12, stem, 9, 2, 4, bias=False), nn.BatchNorm1d(stem), nn.ReLU())
        layers: list[nn.Module] = [Block(stem, stem, 7, 1)]
        inputs = stem
        for width, kernel in zip(rest, (7, 5, 5), strict=True):
            layers += [Block(inputs, width, kernel, 2)]
            inputs = width
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(2 * inputs, labels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.stem(x / self.spread))
        return self.head(self.drop(torch.cat([x.mean(-1), x.amax(-1)], dim=1)))


class Shipped(nn.Module):
    """The graph that is shipped.

    `windows` (n, w, 12, 300) float32 mV and `rhythm` (n, 3) float32 -> `probability` (n, 6) float32. The five
    superclasses are the maximum over the windows, averaged (as logits) over the networks; AFIB is a logistic
    regression on the rhythm features.
    """

    def __init__(self, nets: list[WindowNet], weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.register_buffer("weight", weight.reshape(3, 1))
        self.register_buffer("bias", bias.reshape(1))

    def forward(self, windows: Tensor, rhythm: Tensor) -> Tensor:
        n, w = windows.shape[0], windows.shape[1]
        flat = windows.reshape(-1, 12, 300)
        logits = sum((net(flat) for net in self.nets), torch.zeros(())) / len(self.nets)
        record = logits.reshape(n, w, -1).amax(dim=1)
        fibrillation = rhythm @ self.weight + self.bias
        return torch.sigmoid(torch.cat([record, fibrillation], dim=1))
