"""Variations of films in training: how a person stood and was framed, how the film was shown; on (n, 1, 128, 128)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ai_models.chest.bottleneck import RIM


def vary(films: Tensor, generator: torch.Generator, mirrored: float, turn: float = 0.2) -> Tensor:
    """(n, 1, 128, 128) in 0..1 -> (n, 1, 120, 120): rotated, scaled, shifted, sometimes mirrored, shown otherwise.

    What a rotation uncovers is black, white, gray or the continued edge by chance, for every set alike: the
    variants of one set come with such wedges and those of the others do not.
    """
    n = len(films)

    def draw(low: float, high: float) -> Tensor:
        return torch.rand(n, generator=generator) * (high - low) + low

    angle, scale = draw(-turn, turn), torch.exp(draw(-0.16, 0.16))
    aspect = torch.exp(draw(-0.08, 0.08))
    side = torch.where(draw(0, 1) < mirrored, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack([cos * side * aspect, -sin, draw(-0.14, 0.14)], 1)
    columns = torch.stack([sin * side * aspect, cos, draw(-0.14, 0.14)], 1)
    grid = functional.affine_grid(torch.stack([rows, columns], 1), list(films.shape), align_corners=False)
    inside = functional.grid_sample(films, grid, padding_mode="border", align_corners=False)
    cover = functional.grid_sample(torch.ones_like(films), grid, align_corners=False)
    fill = draw(-1.0, 2.0).clamp(0, 1).reshape(n, 1, 1, 1)
    wedge = (draw(0, 1) < 0.6).float().reshape(n, 1, 1, 1) * (1 - cover)
    x = inside * (1 - wedge) + fill * wedge
    x = x.clamp(1e-4, 1) ** torch.exp(draw(-0.45, 0.45)).reshape(n, 1, 1, 1)
    soft = functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    x = x + (soft - x) * draw(-0.5, 1.0).reshape(n, 1, 1, 1)
    x = x + torch.randn(x.shape, generator=generator) * (draw(0, 1) ** 2 * 0.04).reshape(n, 1, 1, 1)
    return x[:, :, RIM:-RIM, RIM:-RIM].clamp(0, 1)
