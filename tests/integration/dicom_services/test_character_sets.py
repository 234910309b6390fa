"""Names of the field, as machines really write them: right in the index, on the page, in C-FIND and MWL answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread

from telemed.application.administer import create_device
from telemed.web.app import create_app
from tests.cast import TOWNSHIP_A1
from tests.factories.dicom import ecg_bytes, with_text
from tests.integration.dicom_services.conftest import AE_TITLE, OpenNode, dcmtk
from tests.integration.web.conftest import Browser, Joined


@dataclass(frozen=True)
class Written:
    """A name as bytes, what the machine declares, what is set for the machine, and what a person must see."""

    what: str
    name: bytes
    declared: str | list[str] | None
    shown: str
    device: str = "CS_NONE"


GB2312_G1 = b"\x1b$)A"
TABLE = (
    Written("GB18030", "张^三".encode("gb18030"), "GB18030", "张三"),
    Written("GB18030, three groups", "Li^Si=李^四=Li^Si".encode("gb18030"), "GB18030", "李四"),
    Written("GB18030, four bytes a character", "陈^𤇾𬭚".encode("gb18030"), "GB18030", "陈𤇾𬭚"),
    Written("GBK, beyond GB 2312", "Zhu^Rongji=朱^镕喆".encode("gbk"), "GBK", "朱镕喆"),
    # Its second byte is a backslash, which separates values elsewhere.
    Written("GBK, a backslash inside a character", "誠".join(("王", "")).encode("gbk"), "GBK", "王誠"),
    Written(
        "GB 2312 by ISO 2022 escapes",
        b"Zhang^XiaoDong=" + b"^".join(GB2312_G1 + part.encode("gb2312") for part in ("张", "小东")),
        ["", "ISO 2022 IR 58"],
        "张小东",
    ),
    Written(
        "GB 2312, the escape forgotten after the caret",
        b"Wang^XiaoDong=" + GB2312_G1 + "王^小东".encode("gb2312"),
        ["", "ISO 2022 IR 58"],
        "王小东",
    ),
    Written("UTF-8", "赵^六".encode(), "ISO_IR 192", "赵六"),
    Written("UTF-8, a minority name", "阿依古丽·买买提".encode(), "ISO_IR 192", "阿依古丽·买买提"),
    Written("GB18030, a minority name", "吐尔逊·艾力".encode("gb18030"), "GB18030", "吐尔逊·艾力"),
    Written("UTF-8, a character beyond the first plane", "邓^𠮷".encode(), "ISO_IR 192", "邓𠮷"),
    Written("GB18030 declared as Latin-1", "孙^七".encode("gb18030"), "ISO_IR 100", "孙七"),
    Written("GB18030 without a tag", "周^八".encode("gb18030"), None, "周八", "CS_GB"),
    Written("UTF-8 without a tag", "吴^九".encode(), None, "吴九", "CS_UTF8"),
    Written(
        "a rare name without a tag, by the device's set", "龘^龘".encode("gb18030"), None, "龘龘", "CS_GB"
    ),
    Written("UTF-8 declared as GB18030", "郑^晓明".encode(), "GB18030", "郑晓明"),
    Written("GB18030 declared as UTF-8", "冯^晓明".encode("gb18030"), "ISO_IR 192", "冯晓明"),
    Written(
        "Korean by ISO 2022 escapes",
        b"Hong^Gildong=\x1b$)C" + "洪".encode("euc_kr") + b"^\x1b$)C" + "吉洞".encode("euc_kr"),
        ["", "ISO 2022 IR 149"],
        "洪吉洞",
    ),
)
DEVICES = {"CS_NONE": "", "CS_GB": "GB18030", "CS_UTF8": "UTF-8"}


def number(row: Written) -> str:
    return f"CS-{TABLE.index(row):02}"


def file_of(row: Written) -> bytes:
    data = ecg_bytes(patient_id=number(row), patient_name="#NAME#", charset=row.declared, seed=row.what)
    return with_text(data, "#NAME#", row.name)


def send(door: OpenNode, folder: Path) -> None:
    for title in DEVICES:
        sent = folder / title
        sent.mkdir()
        for row in TABLE:
            if row.device == title:
                (sent / f"{number(row)}.dcm").write_bytes(file_of(row))
        dcmtk("storescu", "-aet", title, "-aec", AE_TITLE, "+sd", "127.0.0.1", door.port, sent)


def answers(door: OpenNode, folder: Path, model: str, charset: str, *keys: str) -> dict[str, Dataset]:
    """What DCMTK is answered, by the patient's number."""
    folder.mkdir()
    asked = [f"SpecificCharacterSet={charset}", "PatientName", *keys]
    words = [word for key in asked for word in ("-k", key)]
    dcmtk(
        "findscu",
        model,
        "-X",
        "-od",
        folder,
        "-aet",
        "CS_NONE",
        "-aec",
        AE_TITLE,
        *words,
        "127.0.0.1",
        door.port,
    )
    found = [dcmread(path, force=True) for path in folder.glob("*.dcm")]
    return {str(one.PatientID): one for one in found}


def written_name(answer: Dataset) -> str:
    """The written group, without its carets: as a person reads it."""
    name = answer.PatientName
    return re.sub(r"[\^ ]", "", str(name.ideographic) or str(name.alphabetic))


def test_every_name_is_right_everywhere(door: OpenNode, tmp_path: Path) -> None:
    world, site = door.cast.world, door.cast.sites[TOWNSHIP_A1]
    with world.unit_of_work() as uow:
        for title, charset in DEVICES.items():
            create_device(world, uow, site, ae_title=title, network="127.0.0.0/8", default_charset=charset)
        uow.commit()
    send(door, tmp_path)
    shown = {number(row): row.shown for row in TABLE}

    with world.unit_of_work(write=False) as uow:
        patients = [uow.patients.by_local_id(site.id, key) for key in shown]
    assert {one.patient_id: one.name for one in patients if one} == shown

    browser = Browser(create_app(Joined(world, door.cast.settings)))
    browser.sign_in("technician")
    page = browser.http.get("/township").text
    assert [name for name in shown.values() if f"<strong>{name}</strong>" not in page] == []

    for charset in ("ISO_IR 192", "GB18030"):
        found = answers(
            door,
            tmp_path / f"find-{len(charset)}",
            "-S",
            charset,
            "QueryRetrieveLevel=STUDY",
            "PatientID=CS-*",
        )
        assert {key: written_name(one) for key, one in found.items()} == shown, charset
        assert {str(one.SpecificCharacterSet) for one in found.values()} == {charset}

    for row in TABLE:
        door.order(number(row), row.shown, sex="")
    for charset in ("ISO_IR 192", "GB18030"):
        found = answers(door, tmp_path / f"list-{len(charset)}", "-W", charset, "PatientID")
        assert {key: written_name(one) for key, one in found.items()} == shown, charset


def test_whoever_reads_latin_letters_alone_gets_them(door: OpenNode, tmp_path: Path) -> None:
    with door.cast.world.unit_of_work() as uow:
        create_device(
            door.cast.world, uow, door.cast.sites[TOWNSHIP_A1], ae_title="CS_NONE", network="127.0.0.0/8"
        )
        uow.commit()
    door.put(ecg_bytes(patient_id="CS-L", patient_name="张^三"))
    found = answers(
        door, tmp_path / "latin", "-S", "ISO_IR 100", "QueryRetrieveLevel=STUDY", "PatientID=CS-L"
    )
    name = found["CS-L"].PatientName
    assert str(name.alphabetic).isascii()
    assert str(name.alphabetic).lower().startswith("zhang")


def test_a_corrected_recording_leaves_the_door_under_the_right_person(door: OpenNode, tmp_path: Path) -> None:
    from telemed.application.reassign import Wish, reassign

    door.put(ecg_bytes(patient_id="CS-P1", patient_name="测^试甲"))
    door.cast.run_jobs()
    door.order("CS-P2", "阿依古丽·测试", accession="CS-A2", sex="")
    (uid,) = (str(value) for value in door.column("study", "study_instance_uid"))
    wish = Wish(from_patient_id="CS-P1", patient_id="CS-P2", accession_number="CS-A2", reason="虚构")
    reassign(door.cast.world, actor=door.actor("technician"), study_instance_uid=uid, wish=wish)
    with door.cast.world.unit_of_work() as uow:
        create_device(
            door.cast.world, uow, door.cast.sites[TOWNSHIP_A1], ae_title="CS_NONE", network="127.0.0.0/8"
        )
        uow.commit()
    keys = ("QueryRetrieveLevel=STUDY", "PatientID=CS-P*", f"StudyInstanceUID={uid}", "AccessionNumber")
    found = answers(door, tmp_path / "find", "-S", "GB18030", *keys)
    assert list(found) == ["CS-P2"]
    assert (written_name(found["CS-P2"]), found["CS-P2"].AccessionNumber) == ("阿依古丽·测试", "CS-A2")
    got = tmp_path / "got"
    got.mkdir()
    dcmtk(
        "getscu", "-S", "-aet", "CS_NONE", "-aec", AE_TITLE, "-od", got, "127.0.0.1", door.port,
        "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}",
    )  # fmt: skip
    # What models said of the recording goes where the recording goes, and under the same name.
    left = [dcmread(path) for path in got.iterdir()]
    assert [ds.Modality for ds in left].count("ECG") == 1
    for ds in left:
        assert (ds.PatientID, ds.AccessionNumber, written_name(ds)) == ("CS-P2", "CS-A2", "阿依古丽·测试")
