"""Where a network's evidence lay on a film, as a Secondary Capture of its own: model attention, not an outline."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from highdicom.sc import SCImage
from PIL import Image, ImageDraw, ImageFont

from telemed.imaging.ecg_object import to_file
from telemed.imaging.machine_objects.subject import (
    MANUFACTURER,
    SERIES_NUMBERS,
    MadeKind,
    Subject,
    finish,
)
from telemed.imaging.pixels import rendered
from telemed.imaging.pixels.decode import parsed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from telemed.domain.analysis import HeatMap

LONGEST_SIDE = 1024
MARK = "MODEL ATTENTION - NOT AN OUTLINE - NOT FOR DIAGNOSIS"
_STRONGEST = 0.5
"""Opacity of the colour where the evidence is greatest; below it the film is seen through."""
_WEAKEST = 0.25
"""Evidence below it has no colour."""
_COLOURED = 0.25
"""Of a film that is evidence all over no more than this share is coloured, as on the readers' page."""
_CERTAIN = 0.95
"""Colour begins below it even where the network is certain everywhere: else nothing is left to divide by."""


def attention_picture(subject: Subject, film: bytes) -> bytes:
    """A Part 10 file: `film` (Part 10, as it leaves the house) in grey, at most 1024 pixels long, with the cells
    of the heat map in colour and the mark burned in. Raises ValueError without a heat map, PixelError for the film.
    """
    heat_map = subject.analysis.heat_map
    if heat_map is None:
        raise ValueError("an answer without a heat map has no picture")
    with Image.open(io.BytesIO(rendered(film, max_size=LONGEST_SIDE, format="png"))) as picture:
        pixels = np.asarray(marked(overlaid(np.asarray(picture.convert("RGB")), heat_map), heat_map.finding))
    image = SCImage.from_ref_dataset(
        subject.evidence(),
        pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=subject.series_uid(MadeKind.ATTENTION),
        series_number=SERIES_NUMBERS[MadeKind.ATTENTION],
        sop_instance_uid=subject.instance_uid(MadeKind.ATTENTION),
        instance_number=1,
        manufacturer=MANUFACTURER,
        patient_orientation=("L", "F"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        specific_character_set="ISO_IR 192",
    )
    # Highdicom asks for one; what is true is what the film says, or nothing.
    image["PatientOrientation"].value = parsed(film).get("PatientOrientation") or None
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER", "HEATMAP"]
    image.BurnedInAnnotation = "YES"
    image.DerivationDescription = f"Model attention of {subject.description}: no outline of a lesion"
    image.SeriesDescription = f"{subject.description} attention"[:64]
    finish(image, subject)
    return to_file(image)


def overlaid(grey: NDArray[np.uint8], heat_map: HeatMap) -> NDArray[np.uint8]:
    """(rows, columns, 3) uint8 with amber where the evidence was strongest; smooth between the coarse cells."""
    rows, columns = grey.shape[:2]
    left, top, right, bottom = heat_map.region
    x0, x1 = round(left * columns), round(right * columns)
    y0, y1 = round(top * rows), round(bottom * rows)
    cells = np.asarray(heat_map.cells, dtype=np.float32)
    strength = np.zeros((rows, columns), np.float32)
    # The region may begin outside the picture where the film was squared by padding.
    fitted = Image.fromarray(colour_share(cells)).resize((x1 - x0, y1 - y0), Image.Resampling.BICUBIC)
    inside = np.asarray(fitted)[max(0, -y0) : rows - y0, max(0, -x0) : columns - x0]
    at_y, at_x = max(0, y0), max(0, x0)
    strength[at_y : at_y + inside.shape[0], at_x : at_x + inside.shape[1]] = np.clip(inside, 0, 1)
    share = (_STRONGEST * strength)[..., None]
    amber = np.asarray([255, 140, 0], np.float32)
    return np.asarray(np.rint(grey * (1 - share) + amber * share), dtype=np.uint8)


def colour_share(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evidence (0 to 1) as a share of the full colour (0 to 1), same shape: none below a floor, and none outside
    the strongest quarter of the cells. How strong the rest is stays as the network gave it.
    """
    strongest_first = np.sort(cells, axis=None)[::-1]
    quarter = strongest_first[int(strongest_first.size * _COLOURED)]
    least = min(max(_WEAKEST, float(quarter)), _CERTAIN)
    return np.asarray(np.clip((cells - least) / (1 - least), 0, 1), dtype=np.float32)


def marked(pixels: NDArray[np.uint8], finding: str) -> Image.Image:
    """The same picture with what it is and what it is not, on a band of its own beneath it."""
    size = max(12, pixels.shape[1] // 48)
    band = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + 3 * size + size // 2))
    band.paste(Image.fromarray(pixels))
    draw, font = ImageDraw.Draw(band), ImageFont.load_default(size)
    for line, text in enumerate((f"{finding}: {MARK.split(' - ')[0]}", " - ".join(MARK.split(" - ")[1:]))):
        at = pixels.shape[0] + size // 4 + line * round(1.5 * size)
        draw.text((size // 2, at), text, fill=(255, 176, 64), font=font)
    return band
