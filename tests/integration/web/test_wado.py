"""WADO-RS: studies, series, instances, frames, bulk data, metadata and previews, in the form asked for."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import UID, RLELossless

from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import Program

LITTLE, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
STUDY = f"/dicom-web/studies/{uid('films')}"
OCTETS = 'multipart/related; type="application/octet-stream"'
OBJECTS = 'multipart/related; type="application/dicom"'


def film(number: int) -> bytes:
    return dr_bytes(
        patient_id="FIC-P5",
        study_uid=uid("films"),
        series_uid=uid("films", "series", number),
        sop_uid=uid("films", "sop", number),
        SeriesNumber=number,
    )


def place(number: int) -> str:
    return f"{STUDY}/series/{uid('films', 'series', number)}/instances/{uid('films', 'sop', number)}"


def compressed(plain: bytes) -> bytes:
    ds = dcmread(io.BytesIO(plain))
    ds.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture
def archive(program: Any) -> Program:
    """One study of two series: the first film as samples, the second one RLE compressed."""
    sender: Program = program("technician")
    assert sender.upload(film(1), compressed(film(2)))["refused"] == 0
    return sender


def raw(answer: Any) -> list[bytes]:
    """The contents of the parts."""
    boundary = answer.headers["content-type"].split("boundary=")[1].encode()
    pieces = (b"\r\n" + answer.content).split(b"\r\n--" + boundary)
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    return [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]]


def by_number(parts: list[bytes]) -> list[bytes]:
    """Objects of a study in the order of their series: they come in any."""
    return sorted(parts, key=lambda one: int(dcmread(io.BytesIO(one)).SeriesNumber))


def kinds(answer: Any) -> list[str]:
    boundary = answer.headers["content-type"].split("boundary=")[1].encode()
    heads = [
        piece.partition(b"\r\n\r\n")[0].decode() for piece in answer.content.split(b"--" + boundary)[1:-1]
    ]
    return [line.partition(": ")[2] for head in heads for line in head.split("\r\n") if "ontent-Type" in line]


def test_a_study_and_a_series_come_object_by_object(archive: Program) -> None:
    for accept in (OBJECTS, "*/*", f'{OBJECTS}; transfer-syntax="*"', "image/png, */*;q=0.1"):
        answer = archive.get(STUDY, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith('multipart/related; type="application/dicom"; bound')
        assert answer.headers["cache-control"] == "private, no-cache"
        assert by_number(raw(answer)) == [film(1), compressed(film(2))]
        assert sorted(kinds(answer)) == [f"application/dicom; transfer-syntax={s}" for s in (LITTLE, RLE)]
    series = archive.get(place(2).split("/instances")[0], headers={"Accept": OBJECTS})
    assert raw(series) == [compressed(film(2))]


def test_objects_are_decoded_for_those_who_ask_for_plain_samples(archive: Program) -> None:
    answer = archive.get(STUDY, headers={"Accept": f"{OBJECTS}; transfer-syntax={LITTLE}"})
    first, second = by_number(raw(answer))
    assert first == film(1)
    assert kinds(answer) == [f"application/dicom; transfer-syntax={LITTLE}"] * 2
    sent, got = dcmread(io.BytesIO(film(2))), dcmread(io.BytesIO(second))
    assert got.file_meta.TransferSyntaxUID == LITTLE
    assert got.SOPInstanceUID == sent.SOPInstanceUID
    assert np.array_equal(got.pixel_array, sent.pixel_array)
    alone = archive.get(place(2), headers={"Accept": f"application/dicom; transfer-syntax={LITTLE}"})
    assert (alone.headers["content-type"], alone.content) == ("application/dicom", second)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("", "application/dicom"),
        ("", "application/zip"),
        ("", f"{OBJECTS}; transfer-syntax=1.2.840.10008.1.2.4.50"),
        ("", f"{OBJECTS}; transfer-syntax=1.2.840.10008.1.2"),
        ("one", "text/plain"),
        ("one", f"{OBJECTS}; transfer-syntax=1.2.840.10008.1.2.4.91"),
        ("one", f"{OBJECTS};q=0"),
        ("one/metadata", "application/dicom+xml"),
        ("one/frames/1", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"),
        ("one/frames/1", 'multipart/related; type="image/jphc"'),
        ("one/frames/1,1", "application/octet-stream"),
        ("one/thumbnail", "video/mp4"),
        ("one/rendered", "video/mp4"),
        ("/rendered", "image/jpeg"),
    ],
)
def test_what_is_not_there_in_that_form_is_said(archive: Program, path: str, accept: str) -> None:
    address = path.replace("one", place(1)) if path.startswith("one") else STUDY + path
    refused = archive.get(address, headers={"Accept": accept}, expect=406)
    assert (refused["code"], refused["title"] != "") == ("error.not_acceptable", True)


JPEG_LOSSLESS, JPEG_LS, JPEG_2000 = (f"1.2.840.10008.1.2.4.{number}" for number in (70, 80, 90))

# Decoders of other makers than the encoders.
OTHERS = {RLE: "pydicom", JPEG_LOSSLESS: "gdcm", JPEG_LS: "gdcm", JPEG_2000: "gdcm"}


@pytest.mark.parametrize("syntax", [RLE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000])
def test_objects_are_compressed_for_those_who_ask_for_it(archive: Program, syntax: str) -> None:
    answer = archive.get(STUDY, headers={"Accept": f"{OBJECTS}; transfer-syntax={syntax}"})
    assert kinds(answer) == [f"application/dicom; transfer-syntax={syntax}"] * 2
    for number, one in enumerate(by_number(raw(answer)), 1):
        sent, got = dcmread(io.BytesIO(film(number))), dcmread(io.BytesIO(one))
        assert got.file_meta.TransferSyntaxUID == syntax
        assert got.SOPInstanceUID == sent.SOPInstanceUID
        got.pixel_array_options(decoding_plugin=OTHERS[syntax])
        assert np.array_equal(got.pixel_array, sent.pixel_array)
        rest = {e.tag for e in sent} - {sent["PixelData"].tag}
        assert all(got[tag] == sent[tag] for tag in rest)
    alone = archive.get(place(1), headers={"Accept": f"application/dicom; transfer-syntax={syntax}"})
    assert alone.content == by_number(raw(answer))[0]


def test_a_curve_is_given_in_no_form_of_pictures(archive: Program) -> None:
    known = archive.upload(ecg_bytes(patient_id="FIC-P1"))["objects"][0]
    for syntax in (RLE, JPEG_2000):
        study = f"/dicom-web/studies/{known['study_instance_uid']}"
        archive.get(study, headers={"Accept": f"{OBJECTS}; transfer-syntax={syntax}"}, expect=406)
        # The next best that is asked for.
        both = f"{OBJECTS}; transfer-syntax={syntax}, {OBJECTS}; transfer-syntax={LITTLE};q=0.5"
        assert kinds(archive.get(study, headers={"Accept": both})) == [
            f"application/dicom; transfer-syntax={LITTLE}"
        ]


@pytest.mark.parametrize("stored", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_implicit_and_big_endian_never_leave_by_http(program: Any, stored: str) -> None:
    sender: Program = program("technician")
    sent = dcmread(io.BytesIO(film(1)))
    if stored.endswith("2.2"):
        sent.PixelData = sent.pixel_array.byteswap().tobytes()
    buffer = io.BytesIO()
    sent.file_meta.TransferSyntaxUID = stored
    dcmwrite(
        buffer,
        sent,
        little_endian=not stored.endswith("2.2"),
        implicit_vr=stored.endswith("1.2"),
        force_encoding=True,
    )
    assert sender.upload(buffer.getvalue())["refused"] == 0
    answer = sender.get(place(1), headers={"Accept": f'{OBJECTS}; transfer-syntax="*"'})
    assert kinds(answer) == [f"application/dicom; transfer-syntax={LITTLE}"]
    (got,) = raw(answer)
    assert np.array_equal(dcmread(io.BytesIO(got)).pixel_array, dcmread(io.BytesIO(film(1))).pixel_array)


@pytest.mark.parametrize(
    ("kind", "syntax"),
    [
        ("image/jpeg", JPEG_LOSSLESS),
        ("image/jls", JPEG_LS),
        ("image/jp2", JPEG_2000),
        ("image/dicom-rle", RLE),
    ],
)
def test_frames_are_compressed_for_those_who_take_nothing_else(
    archive: Program, kind: str, syntax: str
) -> None:
    for number in (1, 2):
        asked = f'multipart/related; type="{kind}"'
        answer = archive.get(f"{place(number)}/frames/1", headers={"Accept": asked})
        assert kinds(answer) == [f"{kind}; transfer-syntax={syntax}"]
        (stream,) = raw(answer)
        alone = archive.get(f"{place(number)}/frames/1", headers={"Accept": kind})
        assert (alone.content, alone.headers["content-type"]) == (stream, f"{kind}; transfer-syntax={syntax}")
        ds = dcmread(io.BytesIO(film(number)))
        samples = ds.pixel_array
        ds.PixelData, ds.file_meta.TransferSyntaxUID = encapsulate([stream]), UID(syntax)
        ds["PixelData"].is_undefined_length = True
        ds.pixel_array_options(decoding_plugin=OTHERS[syntax])
        assert np.array_equal(ds.pixel_array, samples)


def test_frames_as_samples_whatever_they_were_stored_as(archive: Program) -> None:
    for number in (1, 2):
        samples = dcmread(io.BytesIO(film(number))).PixelData
        for accept in (OCTETS, f"{OCTETS}; transfer-syntax={LITTLE}", f"{OCTETS}; transfer-syntax=*"):
            answer = archive.get(f"{place(number)}/frames/1", headers={"Accept": accept})
            assert raw(answer) == [samples]
            assert kinds(answer) == [f"application/octet-stream; transfer-syntax={LITTLE}"]
        alone = archive.get(f"{place(number)}/frames/1", headers={"Accept": "application/octet-stream"})
        assert alone.content == samples
        twice = archive.get(f"{place(number)}/frames/1,1", headers={"Accept": OCTETS})
        assert raw(twice) == [samples, samples]


def test_frames_as_stored_for_those_who_take_them(archive: Program) -> None:
    for accept in ("*/*", 'multipart/related; type="image/dicom-rle"', 'multipart/related; type="image/*"'):
        answer = archive.get(f"{place(2)}/frames/1", headers={"Accept": accept})
        assert kinds(answer) == [f"image/dicom-rle; transfer-syntax={RLE}"]
        (stream,) = raw(answer)
        assert stream in compressed(film(2))
        assert int.from_bytes(stream[:4], "little") == 2, "an RLE header begins with the number of segments"
    same = {"If-None-Match": answer.headers["etag"], "Accept": accept}
    assert archive.get(f"{place(2)}/frames/1", headers=same, expect=304).content == b""


@pytest.mark.parametrize(
    ("frames", "code"),
    [("0", "error.frame_list"), ("1,", "error.frame_list"), ("1,2", "pixel.no_such_frame")],
)
def test_frames_that_are_not_there_are_said(archive: Program, frames: str, code: str) -> None:
    # A list that is none is a bad request; a frame that the object does not have is not found (PS3.18 8.5).
    expect = 404 if code == "pixel.no_such_frame" else 400
    assert archive.get(f"{place(1)}/frames/{frames}", expect=expect)["code"] == code
    assert archive.get(f"{place(1)}/frames/{frames}/rendered", expect=expect)["code"] == code


def test_metadata_name_their_bulk_data_and_it_is_found_there(archive: Program) -> None:
    for number in (1, 2):
        (told,) = archive.get(f"{place(number)}/metadata", headers={"Accept": "application/dicom+json"})
        address = told["7FE00010"]["BulkDataURI"]
        assert address == f"http://testserver{place(number)}/bulkdata/7FE00010"
        answer = archive.get(address.removeprefix("http://testserver"), headers={"Accept": OCTETS})
        assert raw(answer) == [dcmread(io.BytesIO(film(number))).PixelData]


def test_curves_are_bulk_data_of_their_own(archive: Program) -> None:
    sent = ecg_bytes(patient_id="FIC-P1")
    known = archive.upload(sent)["objects"][0]
    (told,) = archive.get(f"/dicom-web/studies/{known['study_instance_uid']}/metadata")
    (group, *_) = told["54000100"]["Value"]
    assert group["003A0005"]["Value"] == [12]
    address = group["54001010"]["BulkDataURI"].removeprefix("http://testserver")
    assert address.endswith("/bulkdata/54000100/0/54001010")
    wave = bytes(dcmread(io.BytesIO(sent)).WaveformSequence[0].WaveformData)
    assert raw(archive.get(address, headers={"Accept": OCTETS})) == [wave]
    alone = archive.get(address, headers={"Accept": "application/octet-stream"})
    assert alone.content == wave
    for wrong in ("54000100/9/54001010", "00080018", "54001010", "7FE00010"):
        assert archive.http.get(address.replace("54000100/0/54001010", wrong)).status_code in (404, 406)
    assert archive.get(f"/dicom-web/studies/{known['study_instance_uid']}/rendered", expect=422)["code"] == (
        "pixel.no_pixels"
    )


def test_pictures_of_a_study_and_thumbnails_at_every_level(archive: Program) -> None:
    answer = archive.get(f"{STUDY}/rendered", headers={"Accept": 'multipart/related; type="image/png"'})
    assert kinds(answer) == ["image/png", "image/png"]
    assert [Image.open(io.BytesIO(one)).size for one in raw(answer)] == [(64, 48)] * 2
    series = archive.get(place(1).split("/instances")[0] + "/rendered", params={"viewport": "32,32"})
    assert [Image.open(io.BytesIO(one)).size for one in raw(series)] == [(32, 24)]
    for path in (STUDY, place(1).split("/instances")[0], place(1), f"{place(1)}/frames/1"):
        small = archive.get(f"{path}/thumbnail", params={"viewport": "16,16"})
        assert small.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(small.content)).size == (16, 12)


def test_several_frames_are_rendered_into_several_parts(archive: Program) -> None:
    answer = archive.get(f"{place(1)}/frames/1,1/rendered", headers={"Accept": "image/png"})
    assert kinds(answer) == ["image/png", "image/png"]
    alone = archive.get(f"{place(1)}/frames/1/rendered", headers={"Accept": "image/png"})
    # The parameter in the address says the same for those who cannot set a header.
    named = archive.get(f"{place(1)}/rendered?accept=image/png")
    assert (named.headers["content-type"], named.content) == ("image/png", alone.content)
    assert raw(answer) == [alone.content] * 2
