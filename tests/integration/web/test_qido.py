"""QIDO-RS at every level: which keys find what, in which order, on which page, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from telemed.application import search
from telemed.web.dicomweb import search_keys
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import Program

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"


@pytest.fixture
def archive(cast: Cast, program: Callable[[str], Program]) -> Program:
    """Three studies, the newest last: an ECG of 张三, two films of 李四 in two series, one film of 王五."""
    sender = program("technician")
    common = {"StudyDate": "20261120", "StudyTime": "081500"}
    ecg = ecg_bytes(
        patient_id="FIC-P1", patient_name="张^三", accession="A-1", study_uid=uid("one"), **common
    )
    films = [
        dr_bytes(
            patient_id="FIC-P2",
            patient_name="李^四",
            accession="A-2",
            study_uid=uid("two"),
            series_uid=uid("two", number),
            sop_uid=uid("two", number, "sop"),
            SeriesNumber=number,
            InstanceNumber=7 + number,
            StudyDate="20261121",
        )
        for number in (2, 1)
    ]
    last = dr_bytes(patient_id="FIC-P3", patient_name="王^五", study_uid=uid("three"), StudyDate="20261122")
    for files in ([ecg], films, [last]):
        sender.upload(*files)
        cast.clock.move(seconds=1)
    return sender


def found(who: Program, path: str = "/studies", tag: str = STUDY, **query: Any) -> list[str]:
    answer = who.http.get(f"/dicom-web{path}", params=query)
    assert answer.status_code in (200, 204), answer.text
    return [one[tag]["Value"][0] for one in answer.json()] if answer.status_code == 200 else []


ONE, TWO, THREE = (str(uid(name)) for name in ("one", "two", "three"))


@pytest.mark.parametrize(
    ("query", "studies"),
    [
        ({}, [THREE, TWO, ONE]),
        ({"StudyInstanceUID": ONE}, [ONE]),
        ({"0020000d": f"{ONE},{TWO}"}, [TWO, ONE]),
        ({"StudyInstanceUID": f"{ONE}\\{THREE}"}, [THREE, ONE]),
        ({"PatientID": "FIC-P2"}, [TWO]),
        ({"PatientID": "fic-p?"}, [THREE, TWO, ONE]),
        ({"00100020": "FIC-*3"}, [THREE]),
        ({"AccessionNumber": "A-1"}, [ONE]),
        ({"AccessionNumber": "A-?"}, [TWO, ONE]),
        ({"StudyDate": "20261121"}, [TWO]),
        ({"StudyDate": "20261121-"}, [THREE, TWO]),
        ({"StudyDate": "-20261121"}, [TWO, ONE]),
        ({"StudyDate": "20261120-20261121"}, [TWO, ONE]),
        ({"StudyTime": "08-0900"}, [ONE]),
        ({"ModalitiesInStudy": "ECG"}, [ONE]),
        ({"ModalitiesInStudy": "DX,ECG"}, [THREE, TWO, ONE]),
        ({"PatientName": "李四"}, [TWO]),
        ({"PatientName": "李*"}, [TWO]),
        ({"PatientName": "LI^SI"}, [TWO]),
        ({"PatientName": "三"}, []),
        ({"PatientName": "三", "fuzzymatching": "true"}, [ONE]),
        ({"PatientName": "zhang", "fuzzymatching": "true"}, [ONE]),
        ({"PatientName": "wang wu", "fuzzymatching": "true"}, [THREE]),
        ({"PatientName": "*", "ModalitiesInStudy": "DX"}, [THREE, TWO]),
        ({"PatientID": "FIC-P1", "ModalitiesInStudy": "DX"}, []),
        ({"PatientID": "%"}, []),
        ({"limit": "2"}, [THREE, TWO]),
        ({"limit": "1", "offset": "1"}, [TWO]),
        ({"limit": "5", "offset": "3"}, []),
        ({"PatientName": "a", "fuzzymatching": "true"}, [THREE, ONE]),
        ({"PatientName": "a", "limit": "1", "offset": "1", "fuzzymatching": "true"}, [ONE]),
    ],
)
def test_keys_find_what_they_say(archive: Program, query: dict[str, str], studies: list[str]) -> None:
    assert found(archive, **query) == studies


def test_a_study_is_told_with_what_the_standard_asks(archive: Program) -> None:
    (told,) = archive.get("/dicom-web/studies", params={"PatientID": "FIC-P2"})
    values = {tag: one.get("Value") for tag, one in told.items()}
    assert values["00080061"] == ["DX"]
    assert (values["00201206"], values["00201208"]) == ([2], [2])
    assert values["00100010"] == [{"Alphabetic": "李四"}]
    assert values["00081190"] == [f"http://testserver/dicom-web/studies/{TWO}"]
    assert (values["00080056"], values["00080050"], values["00080020"]) == (["ONLINE"], ["A-2"], ["20261121"])
    assert told["00080090"] == {"vr": "PN"}
    assert "00080062" not in told
    for field in ("all", "00080062", "SOPClassesInStudy,Unknown"):
        (more,) = archive.get("/dicom-web/studies", params={"PatientID": "FIC-P2", "includefield": field})
        assert more["00080062"]["Value"] == ["1.2.840.10008.5.1.4.1.1.1.1"]


def test_series_and_instances_come_as_they_are_read(archive: Program) -> None:
    first, second = str(uid("two", 1)), str(uid("two", 2))
    assert found(archive, f"/studies/{TWO}/series", SERIES) == [first, second]
    assert found(archive, "/series", SERIES, StudyInstanceUID=TWO, SeriesNumber="2") == [second]
    assert found(archive, "/series", STUDY, Modality="DX") == [THREE, TWO, TWO]
    objects = [str(uid("two", number, "sop")) for number in (1, 2)]
    assert found(archive, f"/studies/{TWO}/instances", SOP) == objects
    assert found(archive, f"/studies/{TWO}/series/{second}/instances", SOP) == objects[1:]
    assert found(archive, "/instances", SOP, PatientID="FIC-P2", InstanceNumber="8") == objects[:1]
    assert found(archive, f"/studies/{TWO}/instances", SOP, limit=1, offset=1) == objects[1:]
    (told,) = archive.get(f"/dicom-web/studies/{TWO}/series/{first}/instances")
    place = f"http://testserver/dicom-web/studies/{TWO}/series/{first}/instances/{objects[0]}"
    assert told["00081190"]["Value"] == [place]
    assert (told["00280010"]["Value"], told["00200013"]) == ([48], {"vr": "IS", "Value": [8]})
    assert "00100010" not in told
    (whole,) = archive.get("/dicom-web/instances", params={"SOPInstanceUID": objects[0]})
    assert whole["00100020"]["Value"] == ["FIC-P2"]
    assert whole["00080060"]["Value"] == ["DX"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"Unknown": "1"}, "error.search_key"),
        ({"00281050": "1"}, "error.search_key"),
        ({"StudyDate": "yesterday"}, "error.query_date_invalid"),
        ({"StudyTime": "99"}, "error.query_time_invalid"),
        ({"limit": "-1"}, "error.search_page"),
        ({"offset": "many"}, "error.search_page"),
    ],
)
def test_a_query_that_is_not_right_is_said(archive: Program, query: dict[str, str], code: str) -> None:
    assert archive.get("/dicom-web/studies", params=query, expect=400)["code"] == code


def test_our_own_limit_is_told_and_the_asker_s_is_not(archive: Program, monkeypatch: Any) -> None:
    assert "warning" not in archive.http.get("/dicom-web/studies", params={"limit": 1}).headers
    for module in (search, search_keys):
        monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    for query in ({}, {"limit": "99"}):
        answer = archive.http.get("/dicom-web/studies", params=query)
        assert len(answer.json()) == 2
        assert answer.headers["warning"].startswith("299 ")
    assert found(archive, offset=2) == [ONE]


def test_nobody_else_finds_them_and_every_search_is_recorded(
    cast: Cast, archive: Program, program: Callable[[str], Program]
) -> None:
    for path in ("/studies", "/series", "/instances"):
        for other in ("technician-b", "technician-2", "reporting"):
            assert found(program(other), path) == []
    program("technician-b").get(f"/dicom-web/studies/{ONE}/series", expect=404)
    assert found(archive, PatientName="张三") == [ONE]
    with cast.world.unit_of_work(write=False) as uow:
        events = [e for e in uow.events.after(0, 1000) if e.kind == "query.answered"]
    assert events[-1].actor_user_id == cast.people["technician"].id
    assert events[-1].facts == {"level": "STUDY", "keys": ["PatientName"], "answers": 1}
