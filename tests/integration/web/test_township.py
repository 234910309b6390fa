"""Files and orders from the township's browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from telemed.domain.errors import OutOfResources
from telemed.web import intake
from tests.cast import TOWNSHIP_A1, Cast
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.web.conftest import ORDER, Program, Way


def test_every_file_has_its_own_answer_and_a_bad_one_stops_no_other(cast: Cast, way: Way) -> None:
    good, film = ecg_bytes(), dr_bytes(patient_id="FIC-P9")
    cut = ecg_bytes(seed="cut")[:-3000]
    directory = get_testdata_file("DICOMDIR", download=False)
    assert directory is not None
    index = Path(directory).read_bytes()
    answer = way.program("technician").upload(good, b"hello, I am text", cut, film, index, b"")
    assert (answer["accepted"], answer["refused"]) == (2, 4)
    assert [one["status"] for one in answer["objects"]] == [
        "new",
        "refused",
        "refused",
        "new",
        "refused",
        "refused",
    ]
    assert [one["code"] for one in answer["objects"]] == [
        None,
        "header.not_dicom",
        "header.cut_short",
        None,
        "error.upload_dicomdir",
        "header.not_dicom",
    ]
    for one, content in zip(
        answer["objects"], (good, b"hello, I am text", cut, film, index, b""), strict=True
    ):
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
        assert one["size"] == len(content)
    # Nothing half-written stays.
    assert [p.name for p in (cast.root / "spool" / "incoming").iterdir() if p.suffix != ".lock"] == []


def test_the_digest_is_that_of_the_stored_file_and_the_same_file_again_is_a_repeat(
    cast: Cast, way: Way
) -> None:
    file = ecg_bytes()
    way.send(file)
    again = way.program("technician").upload(file)
    assert (again["objects"][0]["status"], again["accepted"]) == ("repeat", 1)
    study = way.program("technician").get(f"/api/v1/studies/{way.study_uid}")
    assert study["arrived"] == 1
    assert study["digests"] == [
        {"sop_instance_uid": way.sop_uid, "sha256": hashlib.sha256(file).hexdigest(), "size": len(file)}
    ]


def test_other_content_under_a_known_uid_is_kept_and_somebody_is_told(way: Way) -> None:
    from tests.factories.dicom import group

    way.send(ecg_bytes())
    other = way.program("technician").upload(ecg_bytes(group(label="OTHER")))
    assert other["objects"][0]["status"] == "conflict"
    technician = way.program("technician")
    assert technician.get(f"/api/v1/studies/{way.study_uid}")["conflicts"] == 1
    notice = technician.get("/api/v1/notices")["notices"][0]
    assert notice["code"] == "notice.object_conflict"
    decision = {"decision": "leave", "reason": "设备重发"}
    technician.post(f"/api/v1/corrections/{notice['id']}/resolve", decision)
    assert technician.get("/api/v1/notices")["notices"] == []


def test_a_data_set_without_its_file_head_is_stored_as_a_whole_file(cast: Cast, way: Way) -> None:
    from telemed.imaging.header import dataset_offset, read_header

    whole = ecg_bytes()
    bare = whole[dataset_offset(whole) :]
    answer = way.send(bare)["objects"][0]
    assert (answer["status"], answer["size"]) == ("new", len(bare))
    place = f"/dicom-web/studies/{way.study_uid}/series/{_series(cast, way)}/instances/{way.sop_uid}"
    stored = way.program("technician").get(place).content
    assert stored[128:132] == b"DICM"
    assert stored.endswith(bare)
    assert read_header(stored).sop_instance_uid == way.sop_uid


def _series(cast: Cast, way: Way) -> str:
    found = way.program("technician").get(f"/dicom-web/studies/{way.study_uid}/metadata")
    return str(found[0]["0020000E"]["Value"][0])


def test_a_full_disk_refuses_each_file_in_words(
    cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OutOfResources("error.disk_full")

    monkeypatch.setattr(cast.world.spool, "open_part", full)
    answer = way.program("technician").upload(ecg_bytes(), dr_bytes())
    assert [one["code"] for one in answer["objects"]] == ["error.disk_full"] * 2
    assert answer["accepted"] == 0


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(
    cast: Cast, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_HEAD", 4096)
    monkeypatch.setattr(intake, "MOST_BYTES", 50_000)
    answer = way.program("technician").upload(ecg_bytes())
    assert answer["objects"][0]["code"] == "error.file_too_large"
    assert [p.name for p in (cast.root / "spool" / "incoming").iterdir() if p.suffix != ".lock"] == []


def test_an_upload_without_files_says_so(program: Callable[[str], Program]) -> None:
    answer = program("technician").http.post("/api/v1/uploads", files={"other": ("x", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (422, "error.no_files")


def test_nobody_fills_the_disk_before_saying_who_they_are(
    app: object, program: Callable[[str], Program]
) -> None:
    http = program("technician").http
    del http.headers["Authorization"]
    read: list[int] = []

    def endless() -> object:
        for number in range(100):
            read.append(number)
            yield b"x" * 1000

    answer = http.post(
        "/api/v1/uploads",
        content=endless(),
        headers={"Content-Type": "multipart/form-data; boundary=xyz"},
    )
    assert answer.status_code == 401


def test_the_same_order_again_is_the_same_order(way: Way) -> None:
    first = way.order()
    again = way.program("technician").post("/api/v1/orders", ORDER, expect=200)
    assert again["id"] == first["id"]
    other = {**ORDER, "patient": {**ORDER["patient"], "patient_id": "FIC-OTHER"}}
    refused = way.program("technician").post("/api/v1/orders", other, expect=409)
    assert refused["code"] == "error.accession_taken"
    assert refused["params"] == {"accession_number": "FIC-0001"}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"modality": "XX"}, "error.modality_unknown", "modality"),
        ({"accession_number": "a\\b"}, "error.field_not_dicom", "accession_number"),
        ({"patient": {**ORDER["patient"], "name": " "}}, "error.field_required", "name"),
        ({"patient": {**ORDER["patient"], "sex": "X"}}, "error.sex_invalid", "sex"),
        (
            {"patient": {**ORDER["patient"], "id_card_number": "999999196002290011"}},
            "error.id_card_invalid",
            "id_card_number",
        ),
        (
            {"patient": {**ORDER["patient"], "birth_date": "yesterday"}},
            "error.request_invalid",
            "patient.birth_date",
        ),
        ({"priority": "soon"}, "error.request_invalid", "priority"),
        ({"patient": None}, "error.request_invalid", "patient"),
    ],
)
def test_a_wrong_order_names_its_field(
    program: Callable[[str], Program], change: dict[str, object], code: str, field: str
) -> None:
    refused = program("technician").post("/api/v1/orders", ORDER | change, expect=422)
    assert (refused["code"], refused["field"]) == (code, field)
    assert refused["detail"]


def test_a_list_of_orders_comes_as_excel_writes_it(program: Callable[[str], Program]) -> None:
    lines = (
        "patient_id,name,sex,birth_date,modality,description,accession_number,priority\r\n"
        "FIC-C1,测试子,M,1970-01-01,ECG,十二导联心电图,C-1,routine\r\n"
        "FIC-C2,,F,1971-01-01,ECG,十二导联心电图,C-2,routine\r\n"
        "FIC-C3,测试丑,F,1971/02/30,DX,胸部正位,C-3,urgent\r\n"
        "FIC-C4,测试寅,F,19710301,DX,胸部正位,C-4,urgent\r\n"
    )
    technician = program("technician")
    for encoding, created, existing in (("gb18030", 2, 0), ("utf-8-sig", 0, 2)):
        file = {"file": ("orders.csv", lines.encode(encoding), "text/csv")}
        answer = technician.http.post("/api/v1/orders/csv", files=file).json()
        assert (answer["created"], answer["existing"]) == (created, existing)
        assert [fault["line"] for fault in answer["errors"]] == [3, 4]
        assert "姓名" in answer["errors"][0]["problem"]
        assert "出生日期" in answer["errors"][1]["problem"]
    bad = technician.http.post("/api/v1/orders/csv", files={"file": ("o.csv", b"name\nx\n")})
    assert (bad.status_code, bad.json()["code"]) == (422, "error.csv_columns")
    assert "patient_id" in bad.json()["detail"]


def test_a_photo_of_a_paper_ecg_is_kept_inside_an_object(way: Way) -> None:
    picture = BytesIO()
    Image.new("RGB", (640, 480), "white").save(picture, "JPEG")
    (photo,) = way.program("technician").upload(picture.getvalue())["objects"]
    assert photo["status"] == "new"
    assert photo["sha256"] == hashlib.sha256(picture.getvalue()).hexdigest()


def _csv(program: Callable[[str], Program], *rows: str, end: str = "\n") -> Any:
    lines = ["patient_id,name,modality,birth_date,description,accession_number", *rows]
    file = {"file": ("orders.csv", (end.join(lines) + end).encode(), "text/csv")}
    return program("technician").http.post("/api/v1/orders/csv", files=file)


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("19850209", date(1985, 2, 9)),
        ("1985-02-09", date(1985, 2, 9)),
        # A Chinese Excel drops the zeros: read by position this one would be the second of November.
        ("1985/1/12", date(1985, 1, 12)),
        ("1985/11/2", date(1985, 11, 2)),
    ],
)
def test_a_date_from_a_spreadsheet_is_the_day_that_was_written(
    cast: Cast, program: Callable[[str], Program], written: str, born: date
) -> None:
    answer = _csv(program, f"FIC-B1,测试生日,ECG,{written},,")
    assert answer.json() == {"created": 1, "existing": 0, "errors": []}
    with cast.world.unit_of_work(write=False) as uow:
        patient = uow.patients.by_local_id(cast.sites[TOWNSHIP_A1].id, "FIC-B1")
    assert patient is not None
    assert patient.birth_date == born


@pytest.mark.parametrize(
    "row",
    [
        "FIC-B2,测试甲,ECG,1985112,,",
        "FIC-B2,测试甲,ECG,1985-02-30,,",
        "FIC-B2,测试甲,ECG,2999-01-01,,",
        "FIC-B2,测试甲,ECG,198502091,,",
        "FIC-B2,测试\x07甲,ECG,,,",
        f"FIC-B2,测试甲,ECG,,{'长' * 201},",
    ],
    ids=["seven digits", "no such day", "not yet born", "nine digits", "a control character", "too long"],
)
def test_a_line_that_no_machine_could_show_is_told_and_makes_no_order(
    program: Callable[[str], Program], row: str
) -> None:
    answer = _csv(program, row).json()
    assert (answer["created"], [fault["line"] for fault in answer["errors"]]) == (0, [2])


def test_a_table_of_an_old_macintosh_is_read_and_an_endless_field_is_refused(
    program: Callable[[str], Program],
) -> None:
    assert _csv(program, "FIC-B3,测试甲,ECG,,,", end="\r").json()["created"] == 1
    refused = _csv(program, f"FIC-B4,{'长' * 140_000},ECG,,,")
    assert (refused.status_code, refused.json()["code"]) == (422, "error.csv_unreadable")


@pytest.mark.parametrize("name", ["测\x00试", "测\ud800试", "测\x1b[31m试", "测\n试"], ids=ascii)
def test_a_name_that_is_no_text_is_refused_in_a_sentence(
    program: Callable[[str], Program], name: str
) -> None:
    body = {"patient": {"patient_id": "FIC-B5", "name": name}, "modality": "ECG"}
    answer = program("technician").http.post(
        "/api/v1/orders", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("error.request_invalid", "error.field_invalid")


def test_a_blank_accession_number_is_none(program: Callable[[str], Program]) -> None:
    body = {
        "patient": {"patient_id": "FIC-B6", "name": "测试甲"},
        "modality": "ECG",
        "accession_number": "  ",
    }
    assert program("technician").post("/api/v1/orders", body, expect=201)["accession_number"].strip()


def test_an_order_for_another_person_under_a_used_number_is_refused(way: Way) -> None:
    technician = way.program("technician")
    first = {**ORDER, "accession_number": "", "patient": {**ORDER["patient"], "patient_id": "FIC-USED"}}
    technician.post("/api/v1/orders", first, 201)
    other = {**first, "patient": {**first["patient"], "name": "另一·示例", "id_card_number": ""}}
    refusal = technician.post("/api/v1/orders", other, 409)
    assert refusal["code"] == "error.patient_id_of_another"
    assert "FIC-USED" in refusal["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "fields"),
    [
        ({"sex": "M"}, 422, "error.id_card_contradicts", "性别"),
        ({"birth_date": "1961-02-28"}, 422, "error.id_card_contradicts", "出生日期"),
        ({"name": "另一·示例"}, 409, "error.card_of_another_name", "姓名"),
    ],
)
def test_somebody_else_s_card_is_refused_by_what_it_contradicts(
    way: Way, changes: dict[str, str], status: int, code: str, fields: str
) -> None:
    order = {**ORDER, "patient": {**ORDER["patient"], "patient_id": "FIC-SPOUSE", **changes}}
    refused = way.program("technician").post("/api/v1/orders", order, expect=status)
    assert refused["code"] == code
    assert fields in refused["detail"]
    # The own card, and a name spelt in Latin letters, are one person's.
    patient = {**ORDER["patient"], "patient_id": "FIC-SPOUSE", "name": "Ceshi Jia"}
    way.program("technician").post("/api/v1/orders", {**ORDER, "patient": patient}, expect=201)
