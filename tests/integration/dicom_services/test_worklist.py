"""The modality worklist, asked by DCMTK's findscu and by pynetdicom."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pynetdicom import AE

from dicom_node.worklist import MATCHED
from telemed.application import modality_worklist
from telemed.application.administer import create_device
from telemed.application.modality_worklist import Schedule
from telemed.application.order_csv import place_csv
from telemed.application.orders import place_order
from telemed.domain.errors import InvalidInput
from telemed.domain.order import OrderSource, Priority
from telemed.web.api.orders import request_of
from telemed.web.api.shapes import OrderIn
from tests.cast import TOWNSHIP_A1
from tests.factories.dicom import ecg_bytes
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk, dump

WORKLIST = "1.2.840.10008.5.1.4.31"
STEP = "ScheduledProcedureStepSequence"


def findscu(door: OpenNode, folder: Path, *keys: str, calling: str = "A1_DR") -> list[Dataset]:
    """The answers of `findscu -W -X`, read back from the files it writes."""
    folder.mkdir(exist_ok=True)
    arguments = [word for key in keys for word in ("-k", key)]
    dcmtk(
        "findscu", "-W", "-X", "-od", folder, "-aet", calling, "-aec", AE_TITLE, *arguments,
        "127.0.0.1", door.port,
    )  # fmt: skip
    return [dcmread(path, force=True) for path in sorted(folder.glob("*.dcm"))]


def ask(door: OpenNode, identifier: Dataset, *, calling: str = "A1_DR") -> tuple[list[Dataset], list[int]]:
    node = AE(ae_title=calling)
    node.add_requested_context(WORKLIST)
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    assert association.is_established
    found, statuses = [], []
    for status, answer in association.send_c_find(identifier, WORKLIST):
        statuses.append(int(status.Status))
        if answer is not None:
            found.append(answer)
    association.release()
    return found, statuses


def everything() -> Dataset:
    """Every key of type 1 and 2 that PS3.4 table K.6-1 names, and some of type 3."""
    step = Dataset()
    for keyword in (
        "ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
        "Modality", "ScheduledPerformingPhysicianName", "ScheduledProcedureStepDescription",
        "ScheduledStationName", "ScheduledProcedureStepLocation", "PreMedication", "ScheduledProcedureStepID",
        "RequestedContrastAgent", "ScheduledProcedureStepStatus",
    ):  # fmt: skip
        setattr(step, keyword, "")
    step.ScheduledProtocolCodeSequence = []
    keys = Dataset()
    setattr(keys, STEP, [step])
    for keyword in (
        "RequestedProcedureID", "RequestedProcedureDescription", "StudyInstanceUID", "RequestedProcedurePriority",
        "PatientTransportArrangements", "AccessionNumber", "RequestingPhysician", "ReferringPhysicianName",
        "AdmissionID", "CurrentPatientLocation", "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
        "PatientWeight", "ConfidentialityConstraintOnPatientDataDescription", "PatientState", "PregnancyStatus",
        "MedicalAlerts", "Allergies", "SpecialNeeds", "InstitutionName", "AdditionalPatientHistory",
        "OtherPatientIDs", "PatientComments",
    ):  # fmt: skip
        if keyword == "PregnancyStatus":
            keys.add_new(0x001021C0, "US", None)
        elif keyword == "PatientWeight":
            keys.PatientWeight = None
        else:
            setattr(keys, keyword, "")
    keys.RequestedProcedureCodeSequence = []
    keys.ReferencedStudySequence = []
    keys.ReferencedPatientSequence = []
    return keys


def test_findscu_gets_the_order_with_its_name_in_characters_and_pinyin(
    door: OpenNode, tmp_path: Path
) -> None:
    order = door.order("P-1", "张三", accession="ACC-1")
    found = findscu(
        door, tmp_path / "out", "PatientName", "PatientID", "AccessionNumber", "StudyInstanceUID",
        "PatientBirthDate", "PatientSex", f"{STEP}[0].ScheduledStationAETitle=A1_DR", f"{STEP}[0].Modality=ECG",
        f"{STEP}[0].ScheduledProcedureStepStartDate=20261121",
    )  # fmt: skip
    (answer,) = found
    assert answer.SpecificCharacterSet == "GB18030"
    assert str(answer.PatientName) == "Zhang^San=张^三"
    assert (answer.PatientID, answer.AccessionNumber, answer.PatientSex) == ("P-1", "ACC-1", "F")
    assert answer.PatientBirthDate == "19600229"
    assert str(answer.StudyInstanceUID).startswith("2.25.")
    step = answer[STEP][0]
    assert (step.Modality, step.ScheduledStationAETitle) == ("ECG", "A1_DR")
    assert step.ScheduledProcedureStepStartDate == "20261121"
    assert order.accession_number == "ACC-1"


def test_the_answer_is_in_a_set_that_the_asker_reads(door: OpenNode, tmp_path: Path) -> None:
    """As pydicom and as DCMTK read it: in the set the request declares, else the one recorded for the machine."""
    door.order("P-2", "欧阳镕基", accession="ACC-2", description="胸部正位")
    whole, cut = "Ouyang^Rongji=欧阳^镕基", "Ouyang^Rongji=欧阳^〓基"
    table = (
        ("GB18030", "", "GB18030", whole),
        ("GBK", "", "GBK", whole),
        ("ISO_IR 192", "", "ISO_IR 192", whole),
        ("\\ISO 2022 IR 58", "", "\\ISO 2022 IR 58", cut),
        ("ISO_IR 100", "", "GB18030", whole),
        ("", "", "GB18030", whole),
        ("", "ISO_IR 192", "ISO_IR 192", whole),
        ("", "ISO 2022 IR 58", "\\ISO 2022 IR 58", cut),
        ("ISO_IR 100", "ISO_IR 100", "ISO_IR 100", "Ouyang^Rongji"),
    )
    for number, (declared, recorded, term, name) in enumerate(table):
        with door.cast.world.unit_of_work() as uow:
            uow.devices.get(door.device.id).default_charset = recorded or None
            uow.commit()
        folder = tmp_path / str(number)
        asked = (f"SpecificCharacterSet={declared}", "PatientName", "RequestedProcedureDescription")
        (answer,) = findscu(door, folder, *asked)
        told = answer.SpecificCharacterSet
        assert (told if isinstance(told, str) else "\\".join(told)) == term
        described = "xiong bu zheng wei" if term == "ISO_IR 100" else "胸部正位"
        # pydicom decodes GB 2312 in G1 rightly and leaves its escape sequence standing.
        texts = (str(answer.PatientName), str(answer.RequestedProcedureDescription))
        assert tuple(text.replace("\x1b$)A", "") for text in texts) == (name, described)
        (file,) = folder.glob("*.dcm")
        read = dump(file)
        assert f"[{name}]" in read and f"[{described}]" in read, read


def test_every_return_key_is_answered_empty_where_unknown(door: OpenNode) -> None:
    door.order("P-4", "李四", priority=Priority.STAT)
    asked = everything()
    (answer,), statuses = ask(door, asked)
    assert statuses == [0xFF00, 0x0000]
    missing = {element.tag for element in asked} - {element.tag for element in answer}
    missing |= {element.tag for element in asked[STEP][0]} - {element.tag for element in answer[STEP][0]}
    assert missing == set()
    for keyword in (
        "StudyInstanceUID",
        "PatientID",
        "PatientName",
        "RequestedProcedureID",
        "AccessionNumber",
    ):
        assert answer[keyword].value, keyword
    for keyword in ("ScheduledStationAETitle", "ScheduledProcedureStepStartTime", "ScheduledProcedureStepID"):
        assert answer[STEP][0][keyword].value, keyword
    assert answer.RequestedProcedurePriority == "STAT"
    assert answer.AdmissionID == "" and list(answer.ReferencedStudySequence) == []


def test_an_empty_sequence_asks_for_all_of_it(door: OpenNode) -> None:
    door.order(
        "P-5", "王五", schedule=Schedule(code_value="ECG12", code_scheme="99F", code_meaning="十二导联")
    )
    keys = Dataset()
    keys.PatientID = ""
    setattr(keys, STEP, [])
    keys.RequestedProcedureCodeSequence = []
    (answer,), _ = ask(door, keys)
    assert answer[STEP][0].ScheduledProcedureStepStatus == "SCHEDULED"
    code = answer.RequestedProcedureCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("ECG12", "99F")
    assert code.CodeMeaning == "十二导联"


def test_codes_of_an_order_and_of_a_file_of_orders_reach_the_machine(door: OpenNode) -> None:
    person = {"name": "测试甲", "sex": "F"}
    body = {"patient": person | {"patient_id": "P-6"}, "modality": "ECG", "description": "常规心电图"}
    coded = OrderIn.model_validate(
        body | {"code_value": "P2-3120A", "code_scheme": "SRT", "code_meaning": "12 lead ECG"}
    )
    world, actor = door.cast.world, door.actor("technician")
    place_order(world, actor=actor, request=request_of(coded), source=OrderSource.API)
    lines = "patient_id,name,modality,code_value,code_scheme,code_meaning\nP-7,测试乙,ECG,XD12,,十二导联\n"
    assert place_csv(world, actor=actor, data=lines.encode()).faults == ()
    keys = Dataset()
    keys.PatientID = ""
    keys.SpecificCharacterSet = "ISO_IR 192"
    keys.RequestedProcedureCodeSequence = []
    setattr(keys, STEP, [])
    answers, _ = ask(door, keys)
    found = {
        one.PatientID: (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning)
        for one in answers
        for code in (one.RequestedProcedureCodeSequence[0], one[STEP][0].ScheduledProtocolCodeSequence[0])
    }
    assert found == {"P-6": ("P2-3120A", "SRT", "12 lead ECG"), "P-7": ("XD12", "99LOCAL", "十二导联")}
    for wrong, field in (({"code_meaning": "x"}, "code_value"), ({"code_value": "A\\B"}, "code_value")):
        request = request_of(OrderIn.model_validate(body | wrong))
        with pytest.raises(InvalidInput) as refused:
            place_order(world, actor=actor, request=request, source=OrderSource.API)
        assert refused.value.field == field


def keyed(path: tuple[str, ...], value: str) -> Dataset:
    keys, step = Dataset(), Dataset()
    keys.PatientID = ""
    setattr(keys, STEP, [step])
    keys.SpecificCharacterSet = "ISO_IR 192"
    setattr(step if len(path) > 1 else keys, path[-1], value)
    return keys


CASES: list[tuple[str, str, set[str]]] = [
    ("PatientID", "M-1", {"M-1"}),
    ("PatientID", "M-?", {"M-1", "M-2", "M-3"}),
    ("PatientID", "*2", {"M-2"}),
    ("PatientID", "m-1", set()),
    ("PatientID", "%-1", set()),
    ("PatientName", "zhang*", {"M-1"}),
    ("PatientName", "ZHANG^SAN", {"M-1"}),
    ("PatientName", "张*", {"M-1"}),
    ("PatientName", "张^三", {"M-1"}),
    ("PatientName", "Zhang^San=张^三", {"M-1"}),
    ("PatientName", "Chan^Yu", {"M-2"}),
    ("PatientName", "Shan^Yu", {"M-2"}),
    ("PatientName", "s*n", set()),
    ("PatientName", "s*u", {"M-2"}),
    ("PatientName", "*", {"M-1", "M-2", "M-3"}),
    ("AccessionNumber", "MACC2", {"M-2"}),
    ("Modality", "DX", {"M-3"}),
    ("Modality", "ECG", {"M-1", "M-2"}),
    ("ScheduledStationAETitle", "A1_DR", {"M-1", "M-2"}),
    ("ScheduledStationAETitle", "ROOM2", {"M-1", "M-2", "M-3"}),
    ("ScheduledStationAETitle", "ROOM*", {"M-1", "M-2", "M-3"}),
    ("ScheduledProcedureStepStartDate", "20261121", {"M-1", "M-3"}),
    ("ScheduledProcedureStepStartDate", "20261122-", {"M-2"}),
    ("ScheduledProcedureStepStartDate", "-20261121", {"M-1", "M-3"}),
    ("ScheduledProcedureStepStartDate", "20261121-20261122", {"M-1", "M-2", "M-3"}),
    ("ScheduledProcedureStepStartDate", "20200101", set()),
    ("ScheduledProcedureStepStartTime", "1100-1300", {"M-1", "M-3"}),
    ("ScheduledProcedureStepStartTime", "12", {"M-1", "M-3"}),
    ("ScheduledProcedureStepStartTime", "0700-0800", {"M-2"}),
]


def test_matching(door: OpenNode) -> None:
    door.order("M-1", "张三", accession="MACC1")
    door.order(
        "M-2", "单雨", accession="MACC2", schedule=Schedule(at=datetime(2026, 11, 21, 23, 30, tzinfo=UTC))
    )
    door.order("M-3", "Wang XiaoDong", modality="DX", schedule=Schedule(station_ae_title="ROOM2"))
    found = []
    for keyword, value, _ in CASES:
        (path,) = [path for path in MATCHED if path[-1] == keyword]
        answers, statuses = ask(door, keyed(path, value))
        assert statuses == [0xFF00] * len(answers) + [0x0000], (keyword, value)
        found.append((keyword, value, {str(answer.PatientID) for answer in answers}))
    assert found == CASES


def test_a_study_uid_list_finds_each(door: OpenNode) -> None:
    for number in range(3):
        door.order(f"U-{number}", "测试")
    uids = [str(uid) for uid in door.column("scheduled_step", "study_instance_uid")]
    keys = Dataset()
    keys.PatientID, keys.StudyInstanceUID = "", [uids[0], uids[2], "1.2.3"]
    found, _ = ask(door, keys)
    assert {answer.PatientID for answer in found} == {"U-0", "U-2"}


def test_only_the_devices_own_institution_is_seen(door: OpenNode) -> None:
    door.order("MINE", "甲")
    door.order("THEIRS", "乙", by="technician-2")
    door.order("STRANGE", "丙", by="technician-b")
    keys = Dataset()
    keys.PatientID = ""
    seen = {
        title: {a.PatientID for a in ask(door, keys, calling=title)[0]}
        for title in ("A1_DR", "A2_DR", "B_DR")
    }
    assert seen == {"A1_DR": {"MINE"}, "A2_DR": {"THEIRS"}, "B_DR": {"STRANGE"}}
    # The hospital's own machine sees no order of a township: it reads their studies, it does not make them.
    assert ask(door, keys, calling="A_PACS")[0] == []


def test_a_key_that_is_not_matched_is_said_to_be_ignored(door: OpenNode) -> None:
    door.order("P-6", "赵六")
    keys = Dataset()
    keys.PatientID, keys.AdmissionID = "P-6", "WARD-9"
    _, statuses = ask(door, keys)
    assert statuses == [0xFF01, 0x0000]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((STEP, "ScheduledProcedureStepStartDate"), "20261399"),
        ((STEP, "ScheduledProcedureStepStartTime"), "2561"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_an_impossible_date_or_time_is_refused(door: OpenNode, path: tuple[str, ...], value: str) -> None:
    found, statuses = ask(door, keyed(path, value))
    assert (found, statuses) == ([], [0xA900])


def test_a_step_leaves_the_list_when_its_study_comes_by_uid_alone(door: OpenNode) -> None:
    order = door.order("P-7", "孙七")
    keys = Dataset()
    keys.PatientID, keys.StudyInstanceUID = "P-7", ""
    (answer,), _ = ask(door, keys)
    # The machine took over the UID and the number, and left the accession number out.
    door.put(ecg_bytes(patient_id="P-7", study_uid=str(answer.StudyInstanceUID), accession=""))
    assert ask(door, keys)[0] == []
    door.cast.run_jobs()
    with door.cast.world.unit_of_work(write=False) as uow:
        study = uow.studies.by_instance_uid(door.device.institution_id, str(answer.StudyInstanceUID))
        assert study is not None and study.procedure_id is not None
        assert uow.orders.procedure(study.procedure_id).order_id == order.id
    assert door.column("exam_order", "source") == ["api"]


def test_a_worklist_uid_used_for_somebody_else_joins_no_order(door: OpenNode) -> None:
    order = door.order("P-8", "周八")
    (uid,) = door.column("scheduled_step", "study_instance_uid")
    door.put(ecg_bytes(patient_id="OTHER", study_uid=str(uid)))
    door.cast.run_jobs()
    with door.cast.world.unit_of_work(write=False) as uow:
        study = uow.studies.by_instance_uid(door.device.institution_id, str(uid))
        assert study is not None and study.procedure_id is not None
        assert uow.orders.procedure(study.procedure_id).order_id != order.id


def test_what_a_machine_sees_first_is_an_event_and_a_poll_is_none(door: OpenNode) -> None:
    door.order("P-9", "吴九")
    keys = Dataset()
    keys.PatientID = ""
    for _ in range(3):
        ask(door, keys)
    assert [len(facts["steps"]) for facts in door.events("step.shown")] == [1]  # type: ignore[arg-type]
    door.order("P-10", "郑十")
    ask(door, keys)
    assert len(door.events("step.shown")) == 2


def test_no_name_stands_in_an_event(door: OpenNode) -> None:
    door.order("P-11", "张三")
    keys = Dataset()
    keys.PatientID = ""
    ask(door, keys)
    assert "张" not in str(door.events("step.shown"))


@pytest.mark.parametrize("implicit", [True, False])
def test_both_encodings_are_spoken(door: OpenNode, implicit: bool) -> None:
    door.order("P-12", "张三")
    node = AE(ae_title="A1_DR")
    node.add_requested_context(WORKLIST, "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1")
    association = node.associate("127.0.0.1", door.port, ae_title=AE_TITLE)
    answers = [answer for _, answer in association.send_c_find(everything(), WORKLIST) if answer is not None]
    association.release()
    assert str(answers[0].PatientName) == "Zhang^San=张^三"


def test_a_garbled_identifier_gets_an_answer_and_the_next_one_its_matches(door: OpenNode) -> None:
    door.order("P-13", "张三")
    from tests.pdu import RawSender, command_set, data_pdu

    command = command_set({0x0002: WORKLIST, 0x0100: 0x0020, 0x0110: 1, 0x0700: 0, 0x0800: 1})
    cut = struct.pack("<HHL", 0x0010, 0x0020, 400) + b"P"
    with RawSender(door.port, calling="A1_DR") as sender:
        assert sender.associate({1: (WORKLIST, "1.2.840.10008.1.2")}).kind == 2
        for data, expected in ((cut, 0xC000), (struct.pack("<HHL", 0x0010, 0x0020, 0), 0xFF00)):
            sender.send(data_pdu(1, command, command=True, last=True))
            sender.send(data_pdu(1, data, command=False, last=True))
            assert sender.read_status() == expected


def listed(door: OpenNode, **keys: str) -> list[str]:
    asked = Dataset()
    for keyword, value in {"PatientID": "", **keys}.items():
        setattr(asked, keyword, value)
    return [str(answer.PatientID) for answer in ask(door, asked)[0]]


def test_the_list_is_of_now_and_of_this_machine(door: OpenNode, monkeypatch: pytest.MonkeyPatch) -> None:
    now = door.cast.world.clock.now()
    for days in (-9, -2, 0, 3):
        door.order(f"D{days}", "测试", schedule=Schedule(at=now + timedelta(days=days)))
    other = Schedule(at=now, station_ae_title="ROOM2")
    door.order("ROOM", "测试", schedule=other)
    assert listed(door) == ["D-2", "D0", "ROOM", "D3"]
    # Once the other station is a registered machine, its orders are its own, unless somebody asks for them.
    with door.cast.world.unit_of_work() as uow:
        site = door.cast.sites[TOWNSHIP_A1]
        create_device(door.cast.world, uow, site, ae_title="ROOM2", network="127.0.0.0/8")
        uow.commit()
    assert listed(door) == ["D-2", "D0", "D3"]
    # Who is late is found by number.
    assert listed(door, PatientID="D-9") == ["D-9"]
    # The limit cuts off what is farthest from now, not what is newest.
    monkeypatch.setattr(modality_worklist, "MOST_STEPS", 2)
    assert listed(door) == ["D-2", "D0"]
