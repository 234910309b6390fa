"""A drawn test object that stands in for a chest film: shapes and a step wedge, no anatomy of anyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLUMNS = 1800, 1500
BITS = 12
View = Literal["PA", "LL"]

# Gray levels of twelve bits, air dark and lead bright as MONOCHROME2 shows them.
_AIR, _BODY, _LUNG, _HEART, _SPINE, _RIB = 150, 2100, 850, 2550, 2950, 320
_TEXT = 4095


def chest_phantom(view: View = "PA", *, seed: int = 1) -> NDArray[np.uint16]:
    """Twelve-bit levels, uint16 of shape (ROWS, COLUMNS), bright is dense; the word PHANTOM is burned in."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    x, y = (x - COLUMNS / 2) / (COLUMNS / 2), (y - ROWS / 2) / (ROWS / 2)
    levels = np.full((ROWS, COLUMNS), _AIR, np.float32)
    levels[_ellipse(x, y, 0, 0.15, 0.86 if view == "PA" else 0.66, 1.0)] = _BODY
    (_frontal if view == "PA" else _lateral)(levels, x, y)
    _step_wedge(levels)
    levels += np.random.default_rng(seed).normal(0, 12, levels.shape).astype(np.float32)
    _burn_in(levels, view)
    return np.clip(np.rint(levels), 0, (1 << BITS) - 1).astype(np.uint16)


def _frontal(levels: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
    for side in (-1, 1):
        lung = _ellipse(x, y, 0.40 * side, 0.02, 0.30, 0.62)
        levels[lung] = _LUNG
        for rib in range(8):
            arc = np.abs(y - (-0.50 + 0.14 * rib) - 0.25 * (np.abs(x) - 0.40) ** 2 + 0.10 * np.abs(x)) < 0.013
            levels[lung & arc] += _RIB
    levels[_ellipse(x, y, 0.13, 0.30, 0.27, 0.30)] = _HEART
    levels[(np.abs(x) < 0.07) & (y > -0.95)] = _SPINE
    levels[(np.abs(x) < 0.07) & (np.mod(y * 9, 1) < 0.12) & (y > -0.95)] -= 350


def _lateral(levels: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
    levels[_ellipse(x, y, -0.02, 0.02, 0.46, 0.62)] = _LUNG
    levels[_ellipse(x, y, -0.20, 0.28, 0.22, 0.28)] = _HEART
    spine = np.abs(x - 0.42 - 0.10 * y**2) < 0.06
    levels[spine] = _SPINE
    levels[spine & (np.mod(y * 9, 1) < 0.12)] -= 350


def _ellipse(
    x: NDArray[np.float32], y: NDArray[np.float32], cx: float, cy: float, rx: float, ry: float
) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
    return inside


def _step_wedge(levels: NDArray[np.float32]) -> None:
    """Sixteen steps over the whole range at the left edge: a wrong window or inversion shows at once."""
    for step in range(16):
        top = 100 + 60 * step
        levels[top : top + 60, 20:80] = (step + 0.5) * 4095 / 16


def _burn_in(levels: NDArray[np.float32], view: View) -> None:
    image = Image.new("L", (COLUMNS, ROWS))
    draw = ImageDraw.Draw(image)
    draw.text((COLUMNS - 620, 40), "PHANTOM", fill=255, font=ImageFont.load_default(size=120))
    draw.text((COLUMNS - 620, 175), f"not a patient   {view}", fill=255, font=ImageFont.load_default(size=56))
    levels[np.asarray(image) > 127] = _TEXT
