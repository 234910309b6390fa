"""Patient and study root queries: findscu, pynetdicom, and the raw line for cancelling."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE

from dicom_node import find
from dicom_node import services as s
from telemed.application import query
from telemed.application.ports.dicom import Level, ObjectQuery
from telemed.dimse.identifier import write_answer
from telemed.domain.matching import OneOf, name_criterion
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.pdu import RawSender, command_set, data_pdu, parse_command


def findscu(door: OpenNode, folder: Path, model: str, *keys: str, calling: str = "A1_DR") -> list[Dataset]:
    folder.mkdir(exist_ok=True)
    arguments = [word for key in keys for word in ("-k", key)]
    dcmtk(
        "findscu", model, "-X", "-od", folder, "-aet", calling, "-aec", AE_TITLE, *arguments,
        "127.0.0.1", door.port,
    )  # fmt: skip
    return [dcmread(path, force=True) for path in sorted(folder.glob("*.dcm"))]


def ask(
    door: OpenNode, *, model: str = s.STUDY_ROOT_FIND, calling: str = "A1_DR", **keys: Any
) -> tuple[list[Dataset], list[int]]:
    identifier = Dataset()
    identifier.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    node = AE(ae_title=calling)
    node.add_requested_context(model)
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    assert association.is_established
    found, statuses = [], []
    for status, answer in association.send_c_find(identifier, model):
        statuses.append(int(status.Status))
        if answer is not None:
            found.append(answer)
    association.release()
    return found, statuses


@dataclass
class Archive:
    """Three studies of two patients in township A1, one of a stranger."""

    node: OpenNode
    ecg: str
    films: str
    other: str


@pytest.fixture
def archive(door: OpenNode) -> Archive:
    ecg, films, other = str(uid("q", "ecg")), str(uid("q", "films")), str(uid("q", "other"))
    door.put(
        ecg_bytes(
            patient_id="Q-1", patient_name="张^三", accession="QA1", study_uid=ecg, StudyDescription="心电图",
            StudyDate="20261120", StudyTime="081530",
        ),
        *(
            dr_bytes(
                patient_id="Q-1", patient_name="张^三", accession="QA2", study_uid=films,
                series_uid=str(uid("q", "films", number // 2)), seed=number, InstanceNumber=number + 1,
                SeriesNumber=number // 2 + 1, StudyDate="20261121", StudyTime="143000",
            )
            for number in range(3)
        ),
        ecg_bytes(
            patient_id="Q-2", patient_name="Wang^XiaoDong", accession="QA3", study_uid=other,
            StudyDate="20261119", StudyTime="235959",
        ),
    )  # fmt: skip
    door.put(ecg_bytes(patient_id="Q-9", patient_name="陌^生", accession="QA9"), device=door.stranger)
    return Archive(door, ecg, films, other)


def test_study_root_at_every_level(archive: Archive, tmp_path: Path) -> None:
    (study,) = findscu(
        archive.node, tmp_path / "study", "-S", "QueryRetrieveLevel=STUDY", f"StudyInstanceUID={archive.films}",
        "PatientName", "PatientID", "StudyDate", "ModalitiesInStudy", "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances", "StudyID", "ReferringPhysicianName", "SOPClassesInStudy",
    )  # fmt: skip
    assert str(study.PatientName) == "Zhang^San=张^三"
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (2, 3)
    assert (study.ModalitiesInStudy, study.StudyDate) == ("DX", "20261121")
    assert (study.RetrieveAETitle, study.InstanceAvailability) == (AE_TITLE, "ONLINE")
    assert study.StudyID == "" and "ReferringPhysicianName" in study
    series = findscu(
        archive.node, tmp_path / "series", "-S", "QueryRetrieveLevel=SERIES",
        f"StudyInstanceUID={archive.films}", "SeriesInstanceUID", "SeriesNumber", "Modality",
        "NumberOfSeriesRelatedInstances",
    )  # fmt: skip
    counts = {int(one.SeriesNumber): int(one.NumberOfSeriesRelatedInstances) for one in series}
    assert counts == {1: 2, 2: 1}
    images = findscu(
        archive.node, tmp_path / "image", "-S", "QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={archive.films}",
        "SOPInstanceUID", "SOPClassUID", "InstanceNumber", "Rows", "NumberOfFrames",
    )  # fmt: skip
    assert sorted(int(one.InstanceNumber) for one in images) == [1, 2, 3]
    assert {(int(one.Rows), int(one.NumberOfFrames)) for one in images} == {(48, 1)}


def test_patient_root(archive: Archive, tmp_path: Path) -> None:
    patients = findscu(
        archive.node, tmp_path / "p", "-P", "QueryRetrieveLevel=PATIENT", "PatientID", "PatientName",
        "PatientSex", "NumberOfPatientRelatedStudies", "NumberOfPatientRelatedInstances",
    )  # fmt: skip
    counted = {
        one.PatientID: (int(one.NumberOfPatientRelatedStudies), int(one.NumberOfPatientRelatedInstances))
        for one in patients
    }
    assert counted == {"Q-1": (2, 4), "Q-2": (1, 1)}
    studies = findscu(
        archive.node, tmp_path / "s", "-P", "QueryRetrieveLevel=STUDY", "PatientID=Q-1", "StudyInstanceUID"
    )
    assert {one.StudyInstanceUID for one in studies} == {archive.ecg, archive.films}
    # Below it the whole way from the patient is told (PS3.4 C.4.1.2.1).
    way = ("-P", "PatientID=Q-1", f"StudyInstanceUID={archive.films}")
    series = findscu(
        archive.node, tmp_path / "series", *way, "QueryRetrieveLevel=SERIES", "SeriesInstanceUID",
        "SeriesNumber", "NumberOfSeriesRelatedInstances",
    )  # fmt: skip
    counts = {int(one.SeriesNumber): int(one.NumberOfSeriesRelatedInstances) for one in series}
    assert counts == {1: 2, 2: 1}
    (first,) = (one.SeriesInstanceUID for one in series if one.SeriesNumber == 1)
    images = findscu(
        archive.node, tmp_path / "image", *way, f"SeriesInstanceUID={first}", "QueryRetrieveLevel=IMAGE",
        "SOPInstanceUID", "InstanceNumber",
    )  # fmt: skip
    assert sorted(int(one.InstanceNumber) for one in images) == [1, 2]
    # Another patient's number leads to none of it.
    assert findscu(
        archive.node, tmp_path / "none", "-P", "PatientID=Q-2", f"StudyInstanceUID={archive.films}",
        "QueryRetrieveLevel=SERIES", "SeriesInstanceUID",
    ) == []  # fmt: skip


def test_matching(archive: Archive) -> None:
    ecg, films, other = archive.ecg, archive.films, archive.other
    cases: list[tuple[str, Any, set[str]]] = [
        ("PatientID", "Q-1", {ecg, films}),
        ("PatientID", "Q*", {ecg, films, other}),
        ("PatientID", "Q-?", {ecg, films, other}),
        ("PatientID", "Q_1", set()),
        ("PatientName", "zhang^san", {ecg, films}),
        ("PatientName", "ZHANG*", {ecg, films}),
        ("PatientName", "张*", {ecg, films}),
        ("PatientName", "张^三", {ecg, films}),
        ("PatientName", "*xiaodong", {other}),
        ("PatientName", "wang^xiaodong", {other}),
        ("PatientName", "z?", set()),
        ("PatientSex", "M", set()),
        ("PatientBirthDate", "19600229", {ecg, films, other}),
        ("PatientBirthDate", "19610101-", set()),
        ("StudyDate", "20261120", {ecg}),
        ("StudyDate", "20261120-", {ecg, films}),
        ("StudyDate", "-20261120", {ecg, other}),
        ("StudyDate", "20261119-20261120", {ecg, other}),
        ("StudyTime", "08", {ecg}),
        ("StudyTime", "0800-1430", {ecg, films}),
        ("StudyTime", "1431-", {other}),
        ("StudyTime", "235959", {other}),
        ("AccessionNumber", "QA2", {films}),
        ("AccessionNumber", "QA*", {ecg, films, other}),
        ("StudyDescription", "心*", {ecg}),
        ("ModalitiesInStudy", "DX", {films}),
        ("ModalitiesInStudy", ["DX", "ECG"], {ecg, films, other}),
        ("ModalitiesInStudy", "MR", set()),
        ("StudyInstanceUID", [ecg, other, "1.2.3"], {ecg, other}),
        ("StudyInstanceUID", "*", {ecg, films, other}),
    ]
    found = []
    for keyword, value, _ in cases:
        keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "", keyword: value}
        answers, statuses = ask(archive.node, **keys)
        assert statuses == [0xFF00] * len(answers) + [0x0000], (keyword, value)
        found.append((keyword, value, {str(answer.StudyInstanceUID) for answer in answers}))
    assert found == cases


def test_keys_of_series_and_images_match(archive: Archive) -> None:
    def count(level: str, **keys: Any) -> int:
        return len(ask(archive.node, QueryRetrieveLevel=level, StudyInstanceUID=archive.films, **keys)[0])

    assert count("SERIES", SeriesNumber="2") == 1
    assert count("SERIES", Modality="ECG") == 0
    assert count("IMAGE", InstanceNumber="3") == 1
    assert count("IMAGE", SeriesInstanceUID=str(uid("q", "films", 0))) == 2
    assert count("IMAGE", SOPInstanceUID=["1.2.3", "1.2.4"]) == 0


def test_what_the_level_cannot_be_is_refused(archive: Archive) -> None:
    refused = [
        {"QueryRetrieveLevel": "PATIENT", "PatientID": ""},
        {"QueryRetrieveLevel": "WARD", "PatientID": ""},
        {"PatientID": ""},
        {"QueryRetrieveLevel": "IMAGE", "SOPInstanceUID": ""},
        {"QueryRetrieveLevel": "SERIES", "PatientID": "Q-1"},
    ]
    for keys in refused:
        assert ask(archive.node, **keys) == ([], [0xA900]), keys


def test_each_machine_sees_its_institutions_studies_and_those_it_reads(archive: Archive) -> None:
    def seen(calling: str) -> set[str]:
        return {
            str(a.PatientID)
            for a in ask(archive.node, calling=calling, QueryRetrieveLevel="STUDY", PatientID="")[0]
        }

    assert seen("A1_DR") == {"Q-1", "Q-2"}
    assert seen("A2_DR") == set()
    assert seen("B_DR") == {"Q-9"}
    # The hospital that reads sees them as soon as they are its cases, not before.
    assert seen("A_PACS") == set()
    archive.node.cast.clock.move(seconds=60)
    archive.node.cast.run_jobs()
    assert seen("A_PACS") == {"Q-1", "Q-2"}
    patients, _ = ask(
        archive.node, model=s.PATIENT_ROOT_FIND, calling="A_PACS", QueryRetrieveLevel="PATIENT", PatientID="",
        NumberOfPatientRelatedStudies=None,
    )  # fmt: skip
    assert {(str(p.PatientID), int(p.NumberOfPatientRelatedStudies)) for p in patients} == {
        ("Q-1", 2),
        ("Q-2", 1),
    }


def test_finding_is_an_event_without_names(archive: Archive) -> None:
    ask(archive.node, QueryRetrieveLevel="STUDY", PatientName="张*", PatientID="")
    (facts,) = archive.node.events("query.answered")
    assert facts == {"level": "STUDY", "keys": ["PatientName"], "answers": 2}


def test_an_optional_key_that_is_not_matched_is_said_to_be_ignored(archive: Archive) -> None:
    _, statuses = ask(archive.node, QueryRetrieveLevel="STUDY", PatientID="Q-2", StudyID="7")
    assert statuses == [0xFF01, 0x0000]


def test_more_than_the_limit_is_said(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MOST_ANSWERS", 2)
    found, statuses = ask(archive.node, QueryRetrieveLevel="STUDY", StudyInstanceUID="")
    assert (len(found), statuses[-1]) == (2, 0xB001)


def test_a_cancelled_query_ends_with_its_status_and_the_association_lives_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancel comes right behind the request, and another query of the same number after it."""
    # A piece per answer, and an answer only after the cancel has had its chance to arrive.
    monkeypatch.setattr(find, "_PIECE", 1)

    def slowly(*arguments: Any) -> bytes:
        time.sleep(0.2)
        return write_answer(*arguments)

    monkeypatch.setattr(find, "write_answer", slowly)
    level = b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY " + b"\x20\x00\x0d\x00\x00\x00\x00\x00"
    request = command_set({0x0002: s.STUDY_ROOT_FIND, 0x0100: 0x0020, 0x0110: 7, 0x0700: 0, 0x0800: 1})
    cancel = command_set({0x0100: 0x0FFF, 0x0120: 7, 0x0800: 0x0101})
    with RawSender(archive.node.port, calling="A1_DR") as sender:
        assert sender.associate({1: (s.STUDY_ROOT_FIND, "1.2.840.10008.1.2")}).kind == 2
        query_pdus = data_pdu(1, request, command=True, last=True) + data_pdu(
            1, level, command=False, last=True
        )
        sender.send(query_pdus + data_pdu(1, cancel, command=True, last=True))
        statuses = read_statuses(sender)
        assert statuses[-1] == 0xFE00
        assert len(statuses) < 4
        sender.send(query_pdus)
        assert read_statuses(sender) == [0xFF00, 0xFF00, 0xFF00, 0x0000]


def read_statuses(sender: RawSender) -> list[int]:
    found: list[int] = []
    while True:
        answer = sender.read_pdu()
        assert answer.kind == 4
        if answer.body[5] & 1:
            found.append(int.from_bytes(parse_command(answer.body[6:])[0x0900], "little"))
            if found[-1] not in (0xFF00, 0xFF01):
                return found


def test_a_name_is_found_behind_any_number_that_nearly_fit(
    door: OpenNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "MOST_ANSWERS", 2)
    # The statement finds "li" within the readings too; the pattern's own beginning decides.
    for number, name in enumerate(("wangli",) * 4 + ("lina",)):
        door.put(ecg_bytes(patient_id=f"N{number}", patient_name=name, seed=number))
    wanted = frozenset({"PatientID"})
    asked = ObjectQuery(level=Level.STUDY, name=name_criterion("li*"), wanted=wanted)
    assert query.find_objects(door.cast.world, device=door.device, query=asked) == (
        [{"PatientID": "N4"}],
        False,
    )
    every = ObjectQuery(level=Level.STUDY, name=name_criterion("*li*"), wanted=wanted)
    rows, limited = query.find_objects(door.cast.world, device=door.device, query=every)
    assert (len(rows), limited) == (2, True)


def test_the_accession_number_is_the_order_s(door: OpenNode) -> None:
    """As QIDO answers it: a machine's own number is replaced once the study has found its order."""
    door.order("Q-9", "张三", accession="ORDERED")
    (study,) = map(str, door.column("scheduled_step", "study_instance_uid"))
    door.put(ecg_bytes(patient_id="Q-9", study_uid=study, accession="TYPED"))
    door.cast.run_jobs()
    for sought, answers in (("ORDERED", [{"AccessionNumber": "ORDERED"}]), ("TYPED", [])):
        asked = ObjectQuery(
            level=Level.STUDY,
            keys={"AccessionNumber": OneOf((sought,))},
            wanted=frozenset({"AccessionNumber"}),
        )
        rows, _ = query.find_objects(door.cast.world, device=door.device, query=asked)
        assert rows == answers
