"""Key images: marked by who holds the case, kept with it, seen by those who see it."""

from __future__ import annotations

from typing import Any

from telemed.domain.events import Kind
from tests.cast import Cast
from tests.integration.web.conftest import Way
from tests.integration.web.test_film_case import send_film
from tests.integration.web.test_own_reading import events


def test_a_picture_is_marked_by_its_reader_and_kept_with_the_case(cast: Cast, way: Way) -> None:
    send_film(cast, way)
    reader = way.program("reporting")
    path = f"{way.path}/key-images"
    sop = reader.get(way.path)["series"][0]["instances"][0]["sop_instance_uid"]
    mark: dict[str, Any] = {"sop_instance_uid": sop, "frame": 1, "window": {"center": 900, "width": 1200}}
    # Nobody holds the case yet.
    reader.post(path, mark | {"on": True}, expect=409)
    reader.post(f"{way.path}/claim")
    assert reader.get(path) == {"rows": []}
    (row,) = reader.post(path, mark | {"on": True})["rows"]
    assert (row["sop_instance_uid"], row["frame"], row["mine"]) == (sop, 1, True)
    assert row["window"] == {"center": 900, "width": 1200}
    reader.post(path, mark | {"on": True})
    assert len(events(cast, Kind.KEY_IMAGE_MARKED)) == 1
    (seen,) = way.program("reviewing").get(path)["rows"]
    assert (seen["sop_instance_uid"], seen["mine"]) == (sop, False)
    way.program("reporting-b").get(path, expect=404)
    reader.post(path, mark | {"on": True, "frame": 2}, expect=422)
    reader.post(path, mark | {"on": True, "sop_instance_uid": "1.2.3"}, expect=422)
    assert reader.post(path, mark | {"on": False})["rows"] == []
    assert len(events(cast, Kind.KEY_IMAGE_MARKED)) == 2
