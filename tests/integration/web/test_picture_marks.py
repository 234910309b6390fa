"""Measurements in pictures: kept by who holds the case, seen by those who see it, printed with the key images."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from pypdf import PdfReader

from telemed.domain.events import Kind
from tests.cast import Cast
from tests.integration.web.conftest import Way
from tests.integration.web.test_film_case import send_film
from tests.integration.web.test_own_reading import events


def test_a_measurement_is_kept_moved_and_removed_by_its_reader(cast: Cast, way: Way) -> None:
    send_film(cast, way)
    reader = way.program("reporting")
    path = f"{way.path}/marks"
    sop = reader.get(way.path)["series"][0]["instances"][0]["sop_instance_uid"]
    mark: dict[str, Any] = {
        "kind": "length", "sop_instance_uid": sop, "frame": 1, "points": [[1, 2], [31, 42]],
        "values": {"length": 7.5}, "unit": "mm", "hounsfield": False,
    }  # fmt: skip
    # Nobody holds the case yet.
    reader.put(f"{path}/m-1", mark, expect=409)
    reader.post(f"{way.path}/claim")
    assert reader.put(f"{path}/m-1", mark)["rows"] == [mark | {"id": "m-1"}]
    reader.put(f"{path}/m-1", mark)
    assert len(events(cast, Kind.PICTURE_MEASURED)) == 1
    moved = mark | {"points": [[1, 2], [31, 50]], "values": {"length": 8.25}}
    reader.put(f"{path}/m-1", moved)
    assert way.program("reviewing").get(path)["rows"] == [moved | {"id": "m-1"}]
    way.program("reporting-b").get(path, expect=404)
    for wrong in (
        {"points": [[1, 2]]}, {"values": {"angle": 3}}, {"unit": "inch"}, {"frame": 2}, {"sop_instance_uid": "1.2"},
    ):  # fmt: skip
        reader.put(f"{path}/m-2", mark | wrong, expect=422)
    assert reader.http.delete(f"{path}/m-1").json() == {"rows": []}
    assert reader.http.delete(f"{path}/m-1").json() == {"rows": []}
    assert len(events(cast, Kind.PICTURE_MEASURED)) == 3


def test_the_report_prints_the_key_images_as_they_were_marked(cast: Cast, way: Way) -> None:
    send_film(cast, way)
    reader = way.program("reporting")
    reader.post(f"{way.path}/claim")
    sop = reader.get(way.path)["series"][0]["instances"][0]["sop_instance_uid"]
    key = {"sop_instance_uid": sop, "frame": 1, "window": {"center": 100, "width": 20}, "on": True}
    (row,) = reader.post(f"{way.path}/key-images", key | {"note": " 右肺 结节 "})["rows"]
    assert row["note"] == "右肺 结节"
    box = {
        "kind": "rectangle", "sop_instance_uid": sop, "points": [[10, 10], [50, 10], [10, 40], [50, 40]],
        "values": {"area": 12.0, "mean": 45.0, "spread": 6.0}, "unit": "mm",
    }  # fmt: skip
    reader.put(f"{way.path}/marks/m-1", box)
    way.sign()
    way.approve()
    cast.run_jobs()
    pdf = PdfReader(BytesIO(reader.http.get(reader.get(way.path)["report"]["pdf_url"]).content))
    assert "图 1 / 1 右肺 结节" in " ".join(pdf.pages[-1].extract_text().split())
    (picture,) = pdf.pages[-1].images
    pixels = np.asarray(picture.image.convert("RGB")).astype(int)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    scale = picture.image.width / 64
    # The frame of the rectangle is of a colour, as nothing of the film is.
    coloured = (red - blue > 60) & (green - blue > 40)
    assert coloured[round(40 * scale), round(14 * scale) : round(46 * scale)].mean() > 0.8
    # By a narrow window most of the ramp is black or white.
    grey = pixels[:, : int(8 * scale)].mean(axis=2)
    assert ((grey < 20) | (grey > 235)).mean() > 0.7
