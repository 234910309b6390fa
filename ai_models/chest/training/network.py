"""The networks: small residual ones whose last stages keep their resolution, and the graph that is shipped."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FINDING = ((16, 32, 64, 128), (1, 2, 1, 1))
"""Widths and strides: after the stem's 4 a total stride of 8, so that 120 pixels give a map of 15 x 15 cells."""
GATE = ((16, 32, 48, 64), (1, 2, 2, 2))


class Block(nn.Module):
    """Two 3 x 3 convolutions with a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.short: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.short(x))


class FilmNet(nn.Module):
    """(n, 1, 120, 120) in 0..1 -> a map of evidence (n, classes, h, w); its mean over the cells is the logit."""

    def __init__(self, layout: tuple[tuple[int, ...], tuple[int, ...]], classes: int = 1) -> None:
        super().__init__()
        widths, strides = layout
        stem = widths[0]
        layers: list[nn.Module] = [
            nn.Conv2d(1, stem, 5, 2, 2, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        ]
        inputs = stem
        for width, stride in zip(widths, strides, strict=True):
            layers += [Block(inputs, width, stride), Block(width, width, 1)]
            inputs = width
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Conv2d(inputs, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean((2, 3), keepdim=True)
        scaled = centred / (centred.square().mean((2, 3), keepdim=True).sqrt() + 1e-3)
        return self.head(self.drop(self.body(scaled)))


class Shipped(nn.Module):
    """`film` (n, 1, 120, 120) float32 -> the answers of one version.

    `probability` (n, 1): calibrated, by the mean of the members' logits. `map` (n, 15, 15): that mean cell by cell,
    as probability. `gate` (n, 4): adult chest, child chest, turned, something else; sums to 1. `members` (n, m): each
    network's own calibrated probability. Member k never saw fold k, so that the shipped file itself can be asked
    for an out-of-fold answer.
    """

    def __init__(self, nets: list[FilmNet], gates: list[FilmNet], temperature: float) -> None:
        super().__init__()
        self.nets, self.gates = nn.ModuleList(nets), nn.ModuleList(gates)
        self.register_buffer("temperature", torch.tensor(float(temperature)))

    def forward(self, film: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        maps = torch.cat([both_ways(net, film) for net in self.nets], dim=1) / self.temperature
        members = maps.mean((2, 3))
        kinds = sum((gate(film).mean((2, 3)).softmax(1) for gate in self.gates), torch.zeros(()))
        return (
            torch.sigmoid(members.mean(1, keepdim=True)),
            torch.sigmoid(maps.mean(1)),
            kinds / len(self.gates),
            torch.sigmoid(members),
        )


def both_ways(net: FilmNet, film: Tensor) -> Tensor:
    """The map of a film averaged with that of its mirror image, turned back."""
    return (net(film) + net(film.flip(3)).flip(3)) / 2
