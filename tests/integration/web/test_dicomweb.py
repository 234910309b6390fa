"""Pictures, curves, files and metadata over HTTP."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from telemed.imaging.waveform import from_wire, read_waveform
from tests.cast import Cast
from tests.factories.dicom import beats, dr_bytes, ecg_bytes, group, uid
from tests.integration.web.conftest import Program, Way


@pytest.fixture
def film(cast: Cast, way: Way) -> str:
    """The path of a released-to-readers film."""
    way.send(dr_bytes(patient_id="FIC-P5", patient_name="测试辰"))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    way.case_id = way.program("reporting").get("/api/v1/worklist")["rows"][0]["id"]
    series = way.program("reporting").get(way.path)["series"][0]
    return (
        f"/dicom-web/studies/{way.study_uid}/series/{series['series_instance_uid']}/instances/{way.sop_uid}"
    )


def test_a_film_is_shown_as_a_picture_of_the_asked_kind_and_size(way: Way, film: str) -> None:
    doctor = way.program("reporting")
    case = doctor.get(way.path)
    instance = case["series"][0]["instances"][0]
    assert (instance["kind"], instance["rendered_url"]) == ("image", f"{film}/rendered?case={way.case_id}")
    for accept, kind, form in (("image/jpeg", "image/jpeg", "JPEG"), ("image/png", "image/png", "PNG")):
        answer = doctor.get(f"{film}/rendered", headers={"Accept": accept})
        assert answer.headers["content-type"] == kind
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, picture.size) == (form, (64, 48))
    browser = doctor.get(f"{film}/rendered", headers={"Accept": "image/avif,image/webp,image/png,*/*;q=0.8"})
    assert browser.headers["content-type"] == "image/jpeg"
    small = doctor.get(f"{film}/frames/1/rendered", params={"viewport": "32,32"})
    assert Image.open(io.BytesIO(small.content)).size == (32, 24)


def test_a_window_changes_the_grey_values(way: Way, film: str) -> None:
    doctor = way.program("reporting")

    def grey(**query: str) -> float:
        answer = doctor.get(f"{film}/rendered", headers={"Accept": "image/png"}, params=query)
        return float(np.asarray(Image.open(io.BytesIO(answer.content)), dtype=float).mean())

    assert grey(window="400,200,linear") > grey() > grey(window="3900,200,linear")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"viewport": "big"}, "error.viewport"),
        ({"viewport": "0,100"}, "error.viewport"),
        ({"viewport": "1,2,3,4"}, "error.viewport"),
        ({"window": "1"}, "error.window"),
        ({"window": "nan,nan"}, "error.window"),
        ({"window": "40,400,sigmoid"}, "error.window"),
    ],
)
def test_what_cannot_be_rendered_so_is_said(way: Way, film: str, query: dict[str, str], code: str) -> None:
    refused = way.program("reporting").get(f"{film}/rendered", params=query, expect=400)
    assert (refused["code"], refused["field"]) == (code, next(iter(query)))


def test_a_frame_that_is_not_there_is_said(way: Way, film: str) -> None:
    refused = way.program("reporting").get(f"{film}/frames/2/rendered", expect=404)
    assert refused["code"] == "pixel.no_such_frame"


def test_a_browser_asks_again_without_loading_again(way: Way, film: str) -> None:
    doctor = way.program("reporting")
    for path in (f"{film}/rendered", film):
        first = doctor.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        again = doctor.get(path, expect=304, headers={"If-None-Match": first.headers["etag"]})
        assert again.content == b""
        other = doctor.get(path, headers={"If-None-Match": '"something-else"'})
        assert other.content == first.content


def test_a_file_comes_back_byte_for_byte(way: Way, film: str) -> None:
    sent = dr_bytes(patient_id="FIC-P5", patient_name="测试辰")
    plain = way.program("reporting").get(film, headers={"Accept": "application/dicom"})
    assert plain.headers["content-type"] == "application/dicom"
    assert hashlib.sha256(plain.content).digest() == hashlib.sha256(sent).digest()
    wrapped = way.program("reporting").get(
        film, headers={"Accept": 'multipart/related; type="application/dicom"'}
    )
    kind = wrapped.headers["content-type"]
    boundary = kind.split("boundary=")[1]
    head, _, rest = wrapped.content.partition(b"\r\n\r\n")
    assert head.startswith(f"--{boundary}\r\nContent-Type: application/dicom".encode())
    assert rest == sent + f"\r\n--{boundary}--\r\n".encode()


def test_an_address_that_does_not_fit_together_is_not_found(way: Way, film: str) -> None:
    doctor = way.program("reporting")
    study, series = film.split("/")[3], film.split("/")[5]
    for wrong in (film.replace(study, "1.2.3"), film.replace(series, "1.2.3")):
        assert doctor.get(f"{wrong}/rendered", expect=404)["code"] == "error.object_not_found"


def test_metadata_leave_the_pixels_out(way: Way, film: str) -> None:
    study = film.split("/series/")[0]
    for path in (study, film.rsplit("/instances/", 1)[0], film):
        answer = way.program("reporting").http.get(f"{path}/metadata")
        assert answer.headers["content-type"].startswith("application/dicom+json")
        described = answer.json()
        assert len(described) == 1
        assert described[0]["00080018"]["Value"] == [way.sop_uid]
        assert described[0]["00100010"]["Value"] == [{"Alphabetic": "测试辰"}]
        assert described[0]["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
        assert "Value" not in described[0].get("7FE00010", {})


def test_studies_are_found_by_what_is_known_of_them(
    way: Way, film: str, program: Callable[[str], Program]
) -> None:
    doctor = way.program("reporting")
    for query in (
        {},
        {"StudyInstanceUID": way.study_uid},
        {"0020000D": way.study_uid},
        {"PatientID": "FIC-P5"},
        {"ModalitiesInStudy": "DX", "limit": "5"},
    ):
        found = doctor.get("/dicom-web/studies", params=query)
        assert [one["0020000D"]["Value"][0] for one in found] == [way.study_uid]
        assert found[0]["00201208"]["Value"] == [1]
    assert doctor.get("/dicom-web/studies", params={"PatientID": "nobody"}, expect=204).content == b""
    assert program("reporting-b").get("/dicom-web/studies", expect=204).content == b""


def test_curves_travel_with_their_head_and_lose_nothing(cast: Cast, way: Way) -> None:
    way.arrive()
    doctor = way.program("reporting")
    instance = doctor.get(way.path)["series"][0]["instances"][0]
    assert (instance["kind"], instance["rendered_url"]) == ("ecg", None)
    answer = doctor.get(instance["waveform_url"])
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int.from_bytes(answer.content[:4], "little")
    head = json.loads(answer.content[4 : 4 + length])
    body = answer.content[4 + length :]
    assert len(body) == len(head["leads"]) * head["samples"] * 2
    sent = read_waveform(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0001"))
    shown = from_wire(head, body)
    assert np.abs(shown.samples - sent.samples).max() <= head["microvolts_per_unit"] / 2000


def test_one_uid_of_two_institutions_never_shows_the_other_ones_patient(cast: Cast, way: Way) -> None:
    """Copied machines number alike: the reader of both institutions must see the bytes of the case opened."""
    same = {level: uid("twin", level) for level in ("study_uid", "series_uid", "sop_uid")}
    slow, fast = (
        ecg_bytes(group(beats(bpm=rate)), patient_id=f"FIC-T{rate:.0f}", **same) for rate in (50.0, 95.0)
    )
    sent = [
        way.program(who).upload(file)["objects"][0]
        for who, file in (("technician", slow), ("technician-2", fast))
    ]
    assert sent[0]["sop_instance_uid"] == sent[1]["sop_instance_uid"]
    cast.run_jobs()
    doctor = way.program("reporting")
    rows = doctor.get("/api/v1/worklist")["rows"]
    shown = {}
    for row in rows:
        instance = doctor.get(f"/api/v1/cases/{row['id']}")["series"][0]["instances"][0]
        shown[row["patient"]["patient_id"]] = doctor.get(instance["waveform_url"]).content
    for patient, file in (("FIC-T50", slow), ("FIC-T95", fast)):
        content = shown[patient]
        length = int.from_bytes(content[:4], "little")
        curves = from_wire(json.loads(content[4 : 4 + length]), content[4 + length :])
        assert np.abs(curves.samples - read_waveform(file).samples).max() < 0.01
    # Without the case there is no telling which of the two is meant: none is shown.
    curves_path = f"/api/v1/objects/{same['sop_uid']}/waveform"
    for path in (curves_path, f"/dicom-web/studies/{same['study_uid']}/metadata"):
        assert doctor.get(path, expect=409)["code"] == "error.uid_of_several_sites"
    other = way.program("technician-2")
    mine = next(row["id"] for row in rows if row["patient"]["patient_id"] == "FIC-T50")
    assert other.get(f"{curves_path}?case={mine}", expect=404)["code"] == "error.object_not_found"
    assert other.get(curves_path).content == shown["FIC-T95"]


def test_a_film_has_no_curves_and_an_ecg_no_picture(cast: Cast, way: Way, film: str) -> None:
    doctor = way.program("reporting")
    refused = doctor.get(f"/api/v1/objects/{way.sop_uid}/waveform", expect=422)
    assert refused["code"] == "waveform.no_waveform"
    way.arrive()
    series = doctor.get(way.path)["series"][0]["series_instance_uid"]
    place = f"/dicom-web/studies/{way.study_uid}/series/{series}/instances/{way.sop_uid}/rendered"
    assert doctor.get(place, expect=422)["code"] == "pixel.no_pixels"


def test_every_opening_is_recorded_with_its_person(cast: Cast, way: Way, film: str) -> None:
    way.program("reporting").get(f"{film}/rendered")
    way.program("technician").get(film)
    with cast.world.unit_of_work(write=False) as uow:
        study = uow.studies.visible_study(_actor(cast, "technician"), way.study_uid)
        assert study is not None
        readers = {e.actor_user_id for e in uow.events.of_study(study.id) if e.kind == "object.read"}
    assert readers == {cast.people["reporting"].id, cast.people["technician"].id}


def _actor(cast: Cast, username: str) -> object:
    from telemed.application.identity import find_session, sign_in
    from tests.cast import PASSWORD

    signed = sign_in(cast.world, username=username, password=PASSWORD, kind="bearer")
    return find_session(cast.world, token=signed.token, kind="bearer")[0]
