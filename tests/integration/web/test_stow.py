"""STOW-RS: objects by HTTP, each with its own answer, and none of them lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from telemed.application import receive
from telemed.domain.errors import OutOfResources, Unavailable
from telemed.web.dicomweb import landing
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import Program

MULTIPART = {"Content-Type": 'multipart/related; type="application/dicom"; boundary="=_b-1"'}


def body(*objects: bytes, kind: str = "application/dicom") -> bytes:
    parts = b"".join(
        b"--=_b-1\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + one + b"\r\n" for one in objects
    )
    return parts + b"--=_b-1--\r\n"


@pytest.fixture
def sender(program: Callable[[str], Program]) -> Program:
    return program("technician")


def send(sender: Program, content: Any, path: str = "/dicom-web/studies", **headers: str) -> Any:
    return sender.http.post(path, content=content, headers=MULTIPART | headers)


def left_over(cast: Cast) -> list[Path]:
    return [
        path for path in (cast.settings.data_dir / "spool" / "incoming").glob("*") if path.suffix != ".lock"
    ]


def test_objects_are_kept_byte_for_byte_and_told_with_their_place(sender: Program) -> None:
    film, ecg = dr_bytes(patient_id="FIC-P5", patient_name="测试辰"), ecg_bytes(patient_id="FIC-P6")
    answer = send(sender, body(film, ecg))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/dicom+json")
    told = answer.json()
    assert "00081198" not in told
    assert "00081190" not in told, "two studies have no common address"
    for sent, one in zip((film, ecg), told["00081199"]["Value"], strict=True):
        place = one["00081190"]["Value"][0].removeprefix("http://testserver")
        assert one["00081155"]["Value"][0] in place
        assert sender.get(place, headers={"Accept": "application/dicom"}).content == sent
    again = send(sender, body(film))
    assert (again.status_code, len(again.json()["00081199"]["Value"])) == (200, 1)
    assert again.json()["00081190"]["Value"][0].count("/") == 5


def test_a_body_without_announced_length_is_taken_piece_by_piece(cast: Cast, sender: Program) -> None:
    whole = body(dr_bytes(patient_id="FIC-P5"))

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(whole), 777):
            yield whole[start : start + 777]

    assert send(sender, pieces()).status_code == 200
    assert left_over(cast) == []


def test_one_object_may_come_without_multipart(sender: Program) -> None:
    answer = send(sender, dr_bytes(patient_id="FIC-P5"), **{"Content-Type": "application/dicom"})
    assert (answer.status_code, len(answer.json()["00081199"]["Value"])) == (200, 1)


def test_a_bad_object_stops_no_other(cast: Cast, sender: Program) -> None:
    film = dr_bytes(patient_id="FIC-P5")
    answer = send(sender, body(b"no dicom", film, film[:-20]))
    told = answer.json()
    assert answer.status_code == 202
    assert len(told["00081199"]["Value"]) == 1
    assert [one["00081197"]["Value"] for one in told["0008119A"]["Value"]] == [[0xC000]]
    assert [one["00081197"]["Value"] for one in told["00081198"]["Value"]] == [[0xC000]]
    assert told["00081198"]["Value"][0]["00081155"] == told["00081199"]["Value"][0]["00081155"]
    assert left_over(cast) == []


def test_what_cannot_be_read_is_refused_and_kept_for_a_person(cast: Cast, sender: Program) -> None:
    film = dr_bytes(patient_id="FIC-P5")
    # One that is no object from its first byte on, larger than what is looked at first; one that lost its end.
    noise, cut = b"no dicom at all " * 8192, film[:-20]
    for _ in range(2):
        # Again, as programs do: kept and told of once.
        answer = send(sender, body(noise, film, cut))
        assert answer.status_code == 202
        told = answer.json()
        assert [one["00081197"]["Value"] for one in told["0008119A"]["Value"]] == [[0xC000]]
        assert [one["00081197"]["Value"] for one in told["00081198"]["Value"]] == [[0xC000]]
    notices = [
        one
        for one in sender.get("/api/v1/notices")["notices"]
        if one["code"] == "notice.object_unreadable_upload"
    ]
    assert len(notices) == 2
    for bytes_ in (noise, cut):
        digest = sha256(bytes_).hexdigest()
        assert cast.world.spool.read(digest) == bytes_
        assert cast.world.spool.copies(digest) == 1
        (one,) = (one for one in notices if digest in one["text"])
        assert sender.username in one["text"]
    assert left_over(cast) == []


def test_where_nothing_is_kept_it_is_a_conflict(cast: Cast, sender: Program) -> None:
    for wrong in (body(b"no dicom"), body(b""), body(dr_bytes(), kind="image/jpeg")):
        answer = send(sender, wrong)
        assert (answer.status_code, "00081199" in answer.json()) == (409, False)
    assert left_over(cast) == []


def test_an_object_of_another_study_is_refused_by_its_reason(sender: Program) -> None:
    here = dr_bytes(patient_id="FIC-P5", study_uid=uid("here"))
    there = dr_bytes(patient_id="FIC-P5", study_uid=uid("there"), seed="there")
    answer = send(sender, body(here, there), f"/dicom-web/studies/{uid('here')}")
    told = answer.json()
    assert answer.status_code == 202
    assert told["00081190"]["Value"] == [f"http://testserver/dicom-web/studies/{uid('here')}"]
    assert [one["00081197"]["Value"] for one in told["00081198"]["Value"]] == [[0xA900]]


def test_other_kinds_of_content_are_not_taken(sender: Program) -> None:
    for kind in (
        "application/json",
        "multipart/form-data; boundary=b",
        'multipart/related; type="application/dicom+xml"; boundary=b',
    ):
        answer = send(sender, b"", **{"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "error.stow_media_type")


def test_a_broken_envelope_is_said_and_leaves_nothing(cast: Cast, sender: Program) -> None:
    film = dr_bytes(patient_id="FIC-P5")
    for wrong in (b"", body(film)[:-9], body(film)[:500], b"something else"):
        answer = send(sender, wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "error.stow_malformed")
    kind = 'multipart/related; type="application/dicom"'
    assert send(sender, body(film), **{"Content-Type": kind}).status_code == 400
    empty = send(sender, b"--=_b-1--")
    assert (empty.status_code, empty.json()["code"]) == (400, "error.stow_empty")
    assert left_over(cast) == []
    sender.get("/dicom-web/studies", expect=204)


def test_a_request_that_announces_too_much_is_not_read(sender: Program) -> None:
    for path in ("/dicom-web/studies", "/dicom-web/studies/1.2.3"):
        answer = send(sender, b"", path, **{"Content-Length": str((16 << 30) + 1)})
        assert (answer.status_code, answer.json()["code"]) == (413, "error.body_too_large")


def test_without_room_the_sender_is_told_to_come_back(sender: Program, monkeypatch: Any, cast: Cast) -> None:
    def full(_: Any) -> Any:
        raise OutOfResources("error.disk_full")

    film = dr_bytes(patient_id="FIC-P5")
    with monkeypatch.context() as patch:
        patch.setattr(type(cast.world.spool), "open_part", full)
        answer = send(sender, body(film))
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert answer.json()["0008119A"]["Value"][0]["00081197"]["Value"] == [0xA700]
    assert send(sender, body(film)).status_code == 200


def test_a_repeat_that_cannot_be_settled_fails_alone(sender: Program, monkeypatch: Any) -> None:
    def away(*_: Any) -> bool:
        raise Unavailable("error.database_unavailable")

    film, ecg = dr_bytes(patient_id="FIC-P5"), ecg_bytes(patient_id="FIC-P6")
    send(sender, body(film))
    with monkeypatch.context() as patch:
        patch.setattr(receive, "takes_the_place", away)
        answer = send(sender, body(film, ecg))
        uploaded = sender.upload(film, ecg_bytes(patient_id="FIC-P7"))
    told = answer.json()
    assert (answer.status_code, len(told["00081199"]["Value"])) == (202, 1)
    (failed,) = told["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0x0110]
    assert failed["00081155"]["Value"] == [dcmread(BytesIO(film)).SOPInstanceUID]
    assert [one["status"] for one in uploaded["objects"]] == ["refused", "new"]
    assert send(sender, body(film, ecg)).status_code == 200


def test_who_reads_may_not_send(program: Callable[[str], Program]) -> None:
    assert send(program("reporting"), body(dr_bytes())).status_code == 403


def test_what_is_held_back_is_said_to_be_and_found_nowhere(sender: Program) -> None:
    """Another person's number in the same study: safe, and shown to nobody."""
    study, apart = str(uid("STOW held back")), str(uid("STOW held back", "series"))
    first = dr_bytes(study_uid=study, patient_id="FIC-P1", seed=1)
    other = dr_bytes(study_uid=study, series_uid=apart, patient_id="FIC-P9", seed=2)
    assert send(sender, body(first)).status_code == 200
    for _ in range(2):
        # Sent again it is no more to be seen than before.
        answer = send(sender, body(other))
        (told,) = answer.json()["00081199"]["Value"]
        assert (answer.status_code, told["00081196"]["Value"]) == (202, [0xB0FF])
        assert told["00081190"] == {"vr": "UR"}
        assert "00081190" not in answer.json()
    for path in ("", "/metadata"):
        accept = {"Accept": "*/*"}
        assert (
            sender.http.get(f"/dicom-web/studies/{study}/series/{apart}{path}", headers=accept).status_code
            == 404
        )


def test_what_is_too_large_is_not_asked_for_again(sender: Program, monkeypatch: Any, cast: Cast) -> None:
    monkeypatch.setattr(landing, "MOST_OBJECT_BYTES", 70 << 10)
    answer = send(sender, body(dr_bytes(np.zeros((512, 512), np.uint16))))
    assert (answer.status_code, "retry-after" in answer.headers) == (409, False)
    assert left_over(cast) == []
