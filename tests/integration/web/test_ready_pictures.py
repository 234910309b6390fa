"""Previews and frames made beforehand: the same picture and the same samples as without them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from imagecodecs import htj2k_decode, jpeg2k_encode
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from telemed.application import frames, pictures
from telemed.imaging.pixels import rendered
from tests.cast import Cast
from tests.factories.dicom import dr_dataset, part10, uid
from tests.integration.web.conftest import Program
from tests.integration.web.test_wado import raw

QUICK = 'multipart/related; type="image/jphc"; transfer-syntax=*, */*;q=0.5'


def film(number: int, pixels: Any, *, packed: bool = False, **attributes: Any) -> bytes:
    ds = dr_dataset(
        pixels, bits=14, patient_id="FIC-P5", seed=("ready", number), study_uid=uid("ready"),
        series_uid=uid("ready", "series"),
    )  # fmt: skip
    ds.InstanceNumber, ds.WindowCenter, ds.WindowWidth = number, 4000, 6000
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    if not packed:
        return part10(ds)
    ds.PixelData = encapsulate([jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True)])
    ds["PixelData"].VR = "OB"
    return part10(ds, JPEG2000Lossless)


@pytest.fixture
def pixels() -> Any:
    y, x = np.mgrid[0:1040, 0:1024]
    return (
        ((x * 9 + y * 4) % 16384 + np.random.default_rng(1).integers(0, 3, x.shape))
        .clip(0, 16383)
        .astype("<u2")
    )


def test_of_a_large_object_no_more_is_read_than_the_frame(
    cast: Cast, program: Any, pixels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = np.stack([pixels + np.uint16(shift) for shift in (0, 40, 80)])
    monkeypatch.setattr(frames, "LARGEST_WHOLE", 1 << 20)
    monkeypatch.setattr(cast.world.spool, "read", None)
    monkeypatch.setattr(cast.world.objects, "get", None)
    asker: Program = program("technician")
    file = film(1, stack)
    asker.upload(file)
    ds = dcmread(BytesIO(file))
    place = f"/dicom-web/studies/{uid('ready')}/series/{uid('ready', 'series')}/instances/{ds.SOPInstanceUID}"

    def got(path: str, accept: str = "image/jpeg") -> Any:
        answer = asker.http.get(f"{place}/{path}", headers={"Accept": accept})
        assert answer.status_code == 200
        return answer

    pictures.prepare_pictures(cast.world, study_id=1)
    assert got("rendered?viewport=1024,1024").content == rendered(film(1, stack[0]), max_size=(1024, 1024))
    for number in (1, 3):
        assert got(f"frames/{number}", "application/octet-stream").content == stack[number - 1].tobytes()
        assert got(f"frames/{number}/rendered").content == rendered(film(1, stack[number - 1]))
        assert np.array_equal(htj2k_decode(raw(got(f"frames/{number}", QUICK))[0]), stack[number - 1])
    several = raw(got("frames/3,1", "multipart/related; type=application/octet-stream"))
    assert several == [stack[2].tobytes(), stack[0].tobytes()]
    assert got("frames/2/thumbnail").headers["content-type"] == "image/jpeg"


def test_a_film_has_its_preview_and_its_quick_frame_before_anybody_asks(
    cast: Cast, program: Any, pixels: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [film(1, pixels), film(2, pixels, packed=True), film(3, pixels[:300, :400])]
    sender: Program = program("technician")
    sender.upload(*files)
    cast.clock.move(seconds=60)
    cast.run_jobs()
    # Nothing is left to be made.
    monkeypatch.setattr(pictures, "rendered", None)
    monkeypatch.setattr(pictures, "encoded_frame", None)
    for file in files:
        ds = dcmread(BytesIO(file))
        place = (
            f"/dicom-web/studies/{uid('ready')}/series/{uid('ready', 'series')}/instances/{ds.SOPInstanceUID}"
        )
        shown = sender.http.get(
            f"{place}/rendered", params={"viewport": "1024,1024"}, headers={"Accept": "image/jpeg"}
        )
        assert shown.content == rendered(file, max_size=(1024, 1024))
        answer = sender.http.get(f"{place}/frames/1", headers={"Accept": QUICK})
        assert answer.status_code == 200
        (frame,) = raw(answer)
        if ds.Rows < 1000:
            # Small ones come as they are stored.
            assert frame == ds.PixelData
            continue
        assert b"transfer-syntax=1.2.840.10008.1.2.4.201" in answer.content[:300]
        assert np.array_equal(htj2k_decode(frame), pixels)
        again = sender.http.get(
            f"{place}/frames/1", headers={"Accept": QUICK, "If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304
        assert sender.http.get(f"{place}/frames/2", headers={"Accept": QUICK}).status_code == 404
        as_stored = sender.http.get(f"{place}/frames/1", headers={"Accept": "*/*"})
        assert b"4.201" not in as_stored.content[:300]


def test_what_cannot_be_had_quickly_comes_as_it_is_stored(program: Any, pixels: Any) -> None:
    file = film(9, pixels.astype("<i2"), BitsStored=16, HighBit=15)
    sender: Program = program("technician")
    sender.upload(file)
    ds = dcmread(BytesIO(file))
    place = f"/dicom-web/studies/{uid('ready')}/series/{uid('ready', 'series')}/instances/{ds.SOPInstanceUID}"
    answer = sender.http.get(f"{place}/frames/1", headers={"Accept": QUICK})
    assert raw(answer) == [ds.PixelData]


def test_two_institutions_that_share_a_uid_see_each_its_own_pixels(
    cast: Cast, program: Any, pixels: Any
) -> None:
    """Copies are named by what the bytes are, never by what an object calls itself."""
    files = {"technician": film(5, pixels), "technician-2": film(5, pixels[::-1].copy())}
    for username, file in files.items():
        assert program(username).upload(file)["refused"] == 0
    cast.clock.move(seconds=60)
    cast.run_jobs()
    reader: Program = program("reporting")
    rows = reader.get("/api/v1/worklist?view=all")["rows"]
    assert len(rows) == 2
    seen = []
    for row in rows:
        (series,) = reader.get(f"/api/v1/cases/{row['id']}")["series"]
        address = series["instances"][0]["rendered_url"]
        assert address.endswith(f"?case={row['id']}")
        frame = reader.http.get(address.replace("/rendered", "/frames/1"), headers={"Accept": QUICK})
        shown = reader.http.get(f"{address}&viewport=1024,1024", headers={"Accept": "image/jpeg"}).content
        seen.append((htj2k_decode(raw(frame)[0]).tobytes(), shown))
    assert {values for values, _ in seen} == {pixels.tobytes(), pixels[::-1].tobytes()}
    own = {dcmread(BytesIO(file)).PixelData: rendered(file, max_size=(1024, 1024)) for file in files.values()}
    assert dict(seen) == own
    # Each technician has the one, whichever case is named.
    for username, file in files.items():
        place = address.split("/rendered")[0]
        frame = program(username).http.get(f"{place}/frames/1", headers={"Accept": QUICK})
        assert htj2k_decode(raw(frame)[0]).tobytes() == dcmread(BytesIO(file)).PixelData
