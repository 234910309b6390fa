"""A rendered picture with what a reader measured in it, for paper: drawn into the pixels, each with its value."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from telemed.domain.picture_mark import MarkKind, PictureMark

_INK, _EDGE = (255, 221, 87), (0, 0, 0)
_UNITS = {"mm": "mm", "detector": "mm (detector)", "pixels": "px"}


def with_marks(jpeg: bytes, marks: Sequence[PictureMark], columns: int) -> bytes:
    """`jpeg` shows a picture of `columns` pixels across, at any size; the marks' points are in its own pixels.

    The same bytes where there are no marks, else an RGB JPEG of the same size.
    """
    if not marks:
        return jpeg
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as opened:
        image = opened.convert("RGB")
    scale, width = image.width / columns, max(round(image.width / 450), 2)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=max(image.width / 42, 14))
    for mark in marks:
        points = [(x * scale, y * scale) for x, y in mark.points]
        # Once wider and dark: seen on bone as well as on air.
        for ink, line in ((_EDGE, width + 4), (_INK, width)):
            _shape(draw, mark.kind, points, ink, line)
        text = said(mark)
        left, _, right, bottom = draw.textbbox((0, 0), text, font=font, stroke_width=2)
        x = min(max(max(x for x, _ in points) + 3 * width, 0), image.width - (right - left) - width)
        y = min(max(min(y for _, y in points), 0), image.height - bottom - width)
        draw.text((x, y), text, font=font, fill=_INK, stroke_width=2, stroke_fill=_EDGE)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def said(mark: PictureMark) -> str:
    """What came out, in signs that every language shares: `70.0 mm`, `35.2°`, `12.0 mm², 45 ± 6 HU`."""
    values, unit = mark.values, _UNITS[mark.unit]
    grey = " HU" if mark.hounsfield else ""
    parts = []
    if "length" in values:
        parts.append(f"{values['length']:.1f} {unit}")
    if "angle" in values:
        parts.append(f"{values['angle']:.1f}°")
    if "area" in values:
        parts.append(f"{values['area']:.1f} {unit.replace('mm', 'mm²').replace('px', 'px²')}")
    if "mean" in values:
        spread = f" ± {values['spread']:.0f}" if "spread" in values else ""
        parts.append(f"{values['mean']:.0f}{spread}{grey}")
    return ", ".join(parts)


def _shape(
    draw: ImageDraw.ImageDraw,
    kind: MarkKind,
    points: list[tuple[float, float]],
    ink: tuple[int, ...],
    line: int,
) -> None:
    if kind in (MarkKind.LENGTH, MarkKind.ANGLE):
        draw.line(points, fill=ink, width=line, joint="curve")
        return
    xs, ys = [x for x, _ in points], [y for _, y in points]
    box = (min(xs), min(ys), max(xs), max(ys))
    if kind is MarkKind.ELLIPSE:
        draw.ellipse(box, outline=ink, width=line)
    else:
        draw.rectangle(box, outline=ink, width=line)
