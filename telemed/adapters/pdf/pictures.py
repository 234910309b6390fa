"""Film pictures as the page takes them: the JPEG's own bytes, wrapped, never decoded and encoded again."""

import base64
import io
from collections.abc import Sequence
from typing import TypedDict

from PIL import Image

from telemed.domain.errors import InvalidInput


class Picture(TypedDict):
    svg: str
    aspect: float  # width / height


def wrapped(pictures: Sequence[bytes]) -> list[Picture]:
    """Each JPEG inside an SVG: so it travels as text and no patient's picture is written to a disk on its way.

    Raises InvalidInput for a picture that cannot be read to its end.
    """
    return [_wrap(picture, number) for number, picture in enumerate(pictures, start=1)]


def _wrap(jpeg: bytes, number: int) -> Picture:
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            # A cut picture only shows when it is decoded; the page would carry it on unseen.
            image.load()
            width, height = image.size
            if image.mode not in ("L", "RGB"):
                converted = io.BytesIO()
                image.convert("RGB").save(converted, "JPEG", quality=95)
                jpeg = converted.getvalue()
    except (OSError, SyntaxError, Image.DecompressionBombError) as reason:
        raise InvalidInput("error.picture_unreadable", number=number) from reason
    data = base64.b64encode(jpeg).decode("ascii")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'href="data:image/jpeg;base64,{data}"/></svg>'
    )
    return {"svg": svg, "aspect": width / height}
