"""Pictures that are no upright chest film: turned films, and things that pass for nothing.

`made` is what the gate learns from; `foreign` are families it never sees, to test it with.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ai_models.chest.bottleneck import MATRIX as N
from ai_models.chest.bottleneck import through_bottleneck

Film = NDArray[np.uint8]
Chance = np.random.Generator
TURNS = ("90", "180", "270", "upside down")


def turned(film: Film, how: int) -> Film:
    """By 90, 180, 270 degrees, or upside down in the mirror (`TURNS`)."""
    return np.ascontiguousarray(film[::-1] if how == 3 else np.rot90(film, how + 1))


def _noise(chance: Chance, _film: Film) -> NDArray[np.float64]:
    """Noise whose power falls with frequency by a random exponent, 0 white to 4 clouds."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(N), np.fft.fftfreq(N)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(chance.standard_normal((N, N))) / frequency ** (chance.random() * 2)
    spectrum[0, 0] = 0
    return np.fft.ifft2(spectrum).real


def _scrambled(chance: Chance, film: Film) -> NDArray[np.float64]:
    """The film's own spectrum with another picture's phases: its texture without its anatomy."""
    phase = np.angle(np.fft.fft2(chance.standard_normal((N, N))))
    return np.fft.ifft2(np.abs(np.fft.fft2(film)) * np.exp(1j * phase)).real


def _shuffled(chance: Chance, film: Film) -> NDArray[np.float64]:
    side = int(chance.choice([16, 32, 64]))
    tiles = [film[r : r + side, c : c + side] for r in range(0, N, side) for c in range(0, N, side)]
    order = chance.permutation(len(tiles))
    while (order == np.arange(len(tiles))).mean() > 0.3:
        order = chance.permutation(len(tiles))
    per_row = N // side
    rows = [np.hstack([tiles[i] for i in order[r * per_row : (r + 1) * per_row]]) for r in range(per_row)]
    return np.vstack(rows).astype(np.float64)


def _part(chance: Chance, film: Film) -> NDArray[np.float64]:
    """A small part of a film, enlarged to the whole picture."""
    side = int(chance.integers(24, 52))
    row, column = chance.integers(0, N - side, 2)
    part = Image.fromarray(film[row : row + side, column : column + side])
    return np.asarray(part.resize((N, N), Image.Resampling.BICUBIC), dtype=np.float64)


def _negative(_chance: Chance, film: Film) -> NDArray[np.float64]:
    return 255.0 - film


def _waves(chance: Chance, _film: Film) -> NDArray[np.float64]:
    y, x = np.mgrid[0:N, 0:N] / N
    total = np.zeros((N, N))
    for _ in range(int(chance.integers(1, 4))):
        angle, frequency = chance.random() * np.pi, np.exp(chance.random() * 3.5)
        wave = np.sin(6.2832 * (frequency * (x * np.cos(angle) + y * np.sin(angle)) + chance.random()))
        total += np.sign(wave) if chance.random() < 0.4 else wave
    return total + chance.random() * 3 * x + chance.random() * 3 * y


def _shapes(chance: Chance, _film: Film) -> NDArray[np.float64]:
    """Ellipses, bars and rods: phantoms, hands, hardware."""
    picture = Image.new("L", (N, N), int(chance.integers(0, 256)) if chance.random() < 0.3 else 0)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(chance.integers(1, 14))):
        a, b = chance.integers(-20, N + 20, 2), chance.integers(-20, N + 20, 2)
        box = [*np.minimum(a, b).tolist(), *(np.maximum(a, b) + 2).tolist()]
        level = int(chance.integers(30, 256))
        kind = chance.integers(4)
        if kind == 0:
            draw.ellipse(box, fill=level)
        elif kind == 1:
            draw.rectangle(box, fill=level)
        elif kind == 2:
            draw.line([*a.tolist(), *b.tolist()], fill=level, width=int(chance.integers(2, 20)))
        else:
            draw.ellipse(box, outline=level, width=int(chance.integers(1, 8)))
    return np.asarray(picture, dtype=np.float64) + chance.standard_normal((N, N)) * chance.random() * 10


def _print(chance: Chance, _film: Film) -> NDArray[np.float64]:
    """A printed ECG: paper, grid, traces; or a page of text."""
    paper = int(chance.integers(200, 256))
    picture = Image.new("L", (N, N), paper)
    draw = ImageDraw.Draw(picture)
    if chance.random() < 0.7:
        step = int(chance.integers(4, 12))
        for at in range(0, N, step):
            level = int(paper - chance.integers(10, 70))
            draw.line([at, 0, at, N], fill=level)
            draw.line([0, at, N, at], fill=level)
        rows = int(chance.integers(3, 13))
        for row in range(rows):
            base, beat = (row + 0.5) * N / rows, chance.integers(8, 30)
            x = np.arange(N)
            y = (
                base
                - np.where((x % beat) == 0, chance.integers(4, 12), 0)
                + np.sin(x / 3) * chance.random() * 2
            )
            draw.line([v for pair in zip(x.tolist(), y.tolist(), strict=True) for v in pair], fill=20)
    else:
        for at in range(4, N, int(chance.integers(6, 14))):
            left = 4
            while left < N - 10:
                width = int(chance.integers(3, 18))
                draw.rectangle([left, at, left + width, at + 2], fill=int(chance.integers(0, 120)))
                left += width + 3
    values = np.asarray(picture, dtype=np.float64)
    return 255 - values if chance.random() < 0.3 else values


def _halves(chance: Chance, film: Film) -> NDArray[np.float64]:
    """Two views on one picture, or a film beside nothing."""
    small = np.asarray(Image.fromarray(film).resize((N // 2, N)), dtype=np.float64)
    other = small[:, ::-1] if chance.random() < 0.5 else np.zeros_like(small)
    both = np.hstack([small, other])
    return both if chance.random() < 0.5 else np.rot90(both, int(chance.integers(1, 4)))


MADE: tuple[Callable[[Chance, Film], NDArray[np.float64]], ...] = (
    _noise,
    _scrambled,
    _shuffled,
    _part,
    _negative,
    _waves,
    _shapes,
    _print,
    _halves,
)


def made(chance: Chance, film: Film) -> Film:
    """One strange picture; `film` lends its texture to some of them."""
    maker = MADE[int(chance.integers(len(MADE)))]
    return through_bottleneck(maker(chance, film))


def _voronoi(chance: Chance) -> NDArray[np.float64]:
    points, levels = chance.random((30, 2)) * N, chance.random(30)
    y, x = np.mgrid[0:N, 0:N]
    nearest = np.argmin((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2, axis=-1)
    return levels[nearest]


def _bricks(chance: Chance) -> NDArray[np.float64]:
    y, x = np.mgrid[0:N, 0:N]
    height, width = chance.integers(6, 20), chance.integers(12, 40)
    shifted = x + (y // height % 2) * (width // 2)
    return np.where((y % height < 2) | (shifted % width < 2), 0.9, 0.3) + chance.random((N, N)) * 0.1


def _rings(chance: Chance) -> NDArray[np.float64]:
    y, x = np.mgrid[0:N, 0:N] - chance.integers(30, 98, 2)[:, None, None]
    return np.sin(np.hypot(y, x) / (1.5 + chance.random() * 6))


def _matrix_code(chance: Chance) -> NDArray[np.float64]:
    return np.kron(chance.integers(0, 2, (32, 32)), np.ones((4, 4))).astype(np.float64)


def _head(chance: Chance) -> NDArray[np.float64]:
    """A skull in outline with soft insides."""
    y, x = (np.mgrid[0:N, 0:N] - N / 2) / (N / 2)
    radius = np.hypot(x / (0.6 + 0.2 * chance.random()), y / (0.75 + 0.2 * chance.random()))
    inside = np.where(radius < 1, 0.45 + 0.08 * np.sin(9 * x * chance.random() + 5 * y), 0.0)
    return np.where((radius > 0.9) & (radius < 1.02), 1.0, inside)


def _hand(chance: Chance) -> NDArray[np.float64]:
    y, x = np.mgrid[0:N, 0:N].astype(np.float64)
    picture = np.zeros((N, N))
    for finger in range(5):
        angle = (finger - 2) * 0.3 + (chance.random() - 0.5) * 0.1
        along = (x - 64) * np.sin(angle) - (y - 100) * np.cos(angle)
        across = np.abs((x - 64) * np.cos(angle) + (y - 100) * np.sin(angle))
        length = 60 + 20 * chance.random()
        picture = np.maximum(picture, np.where((along > 0) & (along < length) & (across < 8), 0.4, 0))
        bone = (along > 0) & (along < length) & (across < 4) & (along % 22 > 2)
        picture = np.maximum(picture, np.where(bone, 0.9, 0))
    return picture


FOREIGN = {
    "cells": _voronoi,
    "bricks": _bricks,
    "rings": _rings,
    "matrix code": _matrix_code,
    "head": _head,
    "hand": _hand,
}


def foreign(chance: Chance, family: str) -> Film:
    """A strange picture of a family that the gate was not built with."""
    return through_bottleneck(FOREIGN[family](chance))
