"""Whose a received object is, where its header and what is known do not agree; and a resend that heals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from telemed.application.objects import place_object, read_object
from telemed.application.receive import Received, receive
from telemed.application.residents import register_resident
from telemed.application.verify import verify_objects
from telemed.domain.errors import Unavailable
from telemed.domain.study import ObjectRole, Reception
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.receiving import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPLICIT = "1.2.840.10008.1.2"
CARD = "11010519491231002X"


def take(town: Site, file: bytes) -> Received:
    return receive(town.world, [town.incoming(file)])[0]


class Readings:
    """Of the names in this file."""

    def pinyin(self, name: str) -> str:
        return {"虚构甲": "xugoujia", "虚构乙": "xugouyi", "单构甲": "dangoujia shangoujia"}.get(name, "")

    def initials(self, name: str) -> str:
        return ""

    def alphabetic(self, name: str) -> str:
        return name

    def latin(self, text: str) -> str:
        return text


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("XU^GOUJIA", "XU^GOUYI", True),
        ("XU^GOUJIA", "Gou Jia^Xu", False),
        ("XU^GOUJIA", "虚^构甲", False),
        ("虚^构甲", "XU^GOUYI", True),
        ("单^构甲", "SHAN^GOUJIA", False),
        ("单^构甲", "DAN^GOUJIA", False),
        ("阿^构甲·乙", "XU^GOUYI", False),
        ("虚^构甲", "", False),
    ],
)
def test_spellings_that_cannot_be_of_one_person_are_told(
    town: Site, first: str, second: str, told: bool
) -> None:
    town.world = replace(town.world, names=Readings())
    take(town, ecg_bytes(patient_id="1001", patient_name=first, seed=1))
    take(town, ecg_bytes(patient_id="1001", patient_name=second, seed=2))
    assert town.column("notice", "code") == ["notice.patient_differs"] * told
    assert town.count("patient") == 1 and town.count("study") == 2


def test_a_used_number_does_not_link_the_next_person_s_card_to_the_first(town: Site) -> None:
    register(town, "虚构乙")
    take(town, ecg_bytes(patient_id="1001", patient_name="虚^构甲", seed=1))
    again: Any = {"PatientBirthDate": "19491231", "PatientSex": "F", "OtherPatientIDs": CARD}
    take(town, ecg_bytes(patient_id="1001", patient_name="虚^构乙", seed=2, **again))
    assert town.column("patient", "resident_id") == [None]
    assert town.column("notice", "code") == ["notice.patient_differs"]


def test_somebody_else_s_card_links_nobody_and_the_own_one_is_an_event(town: Site) -> None:
    resident = register(town, "虚构乙")
    shown: Any = {"PatientBirthDate": "19491231", "PatientSex": "F", "OtherPatientIDs": CARD}
    take(town, ecg_bytes(patient_id="1", patient_name="虚^构甲", seed=1, **shown))
    take(town, ecg_bytes(patient_id="2", patient_name="虚^构乙", seed=2, **shown))
    assert town.column("patient", "resident_id") == [None, resident]
    assert town.column("event", "kind").count("patient.linked") == 1


def register(town: Site, name: str) -> int:
    with town.world.unit_of_work() as uow:
        resident = register_resident(
            town.world,
            uow,
            consortium_id=town.consortium_id,
            number=CARD,
            name=name,
            sex="F",
            birth_date=None,
        )
        uow.commit()
        return resident.id


def test_in_a_study_that_came_without_a_number_the_first_one_counts(town: Site) -> None:
    study = uid("study")
    for seed, number in enumerate(["", "A-1", "B-2", "A-1", ""]):
        take(town, dr_bytes(study_uid=study, patient_id=number, seed=seed))
    assert town.column("stored_object", "role") == ["primary", "primary", "conflict", "primary", "primary"]
    assert town.column("notice", "code") == ["notice.patient_id_missing", "notice.patient_conflict"]


def test_one_number_of_two_issuers_is_two_people(town: Site) -> None:
    # The site's own: nobody named, its code, and a name an administrator recorded.
    with town.world.unit_of_work() as uow:
        uow.institutions.get(town.institution_id).issuer_names = "T1 HIS\n虚构卫生院"
        uow.commit()
    for seed, own in enumerate(["", "T1", " t1  his", "虚构卫生院"]):
        take(town, ecg_bytes(patient_id="1001", patient_name="虚^构甲", seed=seed, **named(own)))
    assert town.count("patient") == 1 and town.count("notice") == 0
    for seed in (10, 11):
        take(town, ecg_bytes(patient_id="1001", patient_name="虚^构甲", seed=seed, **named("CITY")))
    rows = list(zip(town.column("patient", "issuer"), town.column("patient", "patient_id"), strict=True))
    assert rows == [("", "1001"), ("CITY", "1001")]
    assert town.column("study", "patient_id") == [1, 1, 1, 1, 2, 2]
    # Told once, to whoever knows whether that is a name of this house.
    assert town.column("notice", "code") == ["notice.issuer_foreign"]
    with town.world.unit_of_work(write=False) as uow:
        own_patient = uow.patients.by_local_id(town.institution_id, "1001")
        assert own_patient is not None and own_patient.id == 1


def test_another_issuers_object_does_not_join_a_study_under_the_same_number(town: Site) -> None:
    study = uid("study")
    for seed, issuer in enumerate(["CITY", "", "T1", "ELSEWHERE", "CITY"]):
        take(town, dr_bytes(study_uid=study, patient_id="1001", seed=seed, **named(issuer)))
    assert town.column("stored_object", "role") == ["primary", "primary", "conflict", "conflict", "primary"]
    assert town.column("notice", "code").count("notice.patient_conflict") == 2


def named(issuer: str) -> Any:
    charset = "ISO_IR 192"
    return {"IssuerOfPatientID": issuer, "charset": charset} if issuer else {"charset": charset}


def test_another_form_of_what_is_held_back_is_held_back_with_it(town: Site) -> None:
    sop, pixels = uid("object"), np.full((48, 64), 7, dtype=np.uint16)
    shown = take(town, dr_bytes(sop_uid=sop, study_uid=uid("a"), series_uid=uid("as"), patient_id="P-A"))
    foreign: Any = {"sop_uid": sop, "study_uid": uid("b"), "series_uid": uid("bs"), "patient_id": "P-B"}
    held = take(town, dr_bytes(pixels, **foreign))
    other = take(town, dr_bytes(pixels, transfer_syntax=IMPLICIT, **foreign))
    assert [shown.reception, held.reception, other.reception] == [
        Reception.NEW,
        Reception.CONFLICT,
        Reception.CONFLICT,
    ]
    assert roles(town, [shown, held, other]) == [ObjectRole.PRIMARY, ObjectRole.CONFLICT, ObjectRole.CONFLICT]


def roles(town: Site, received: Sequence[Received]) -> list[ObjectRole]:
    with town.world.unit_of_work(write=False) as uow:
        return [uow.studies.object(one.object_id).role for one in received]


def test_a_resend_takes_the_place_of_bytes_that_were_lost(town: Site) -> None:
    file = ecg_bytes()
    first = take(town, file)
    place_object(town.world, object_id=first.object_id)
    for path in (town.root / "objects").rglob("*.dcm"):
        path.unlink()
    assert take(town, file).reception is Reception.REPEAT
    with town.world.unit_of_work(write=False) as uow:
        stored = uow.studies.object(first.object_id)
    assert read_object(town.world, stored) == file and not stored.placed
    place_object(town.world, object_id=first.object_id)
    assert town.spool_files() == []
    assert take(town, file).reception is Reception.REPEAT and town.spool_files() == []


@pytest.mark.parametrize("where", ["objects", "spool"])
def test_a_resend_takes_the_place_of_bytes_that_were_damaged(town: Site, where: str) -> None:
    file = ecg_bytes()
    first = take(town, file)
    if where == "objects":
        place_object(town.world, object_id=first.object_id)
    for path in (town.root / where).rglob(f"{first.file_sha256}*"):
        path.chmod(0o600)
        path.write_bytes(file[:-2] + bytes((file[-2] ^ 1, file[-1])))
    # Found by a look at everything, and told once however often one looks.
    for _ in range(2):
        assert [one.fault for one in verify_objects(town.world)] == ["error.object_damaged"]
    if where == "spool":
        with pytest.raises(Unavailable):
            place_object(town.world, object_id=first.object_id)
    assert open_notices(town) == ["notice.object_lost"]
    assert take(town, file).reception is Reception.REPEAT
    assert open_notices(town) == []
    for _ in range(2):
        with town.world.unit_of_work(write=False) as uow:
            stored = uow.studies.object(first.object_id)
        assert read_object(town.world, stored) == file
        place_object(town.world, object_id=first.object_id)
    assert town.spool_files() == [] and town.world.objects.get(stored.file_sha256) == file
    assert [one.fault for one in verify_objects(town.world)] == [""]
    # Damaged again is told again; mended by other hands (a backup), the next look says so.
    (kept,) = (town.root / "objects").rglob("*.dcm")
    kept.write_bytes(b"")
    list(verify_objects(town.world))
    assert open_notices(town) == ["notice.object_lost"]
    kept.write_bytes(file)
    list(verify_objects(town.world))
    assert open_notices(town) == []


def open_notices(town: Site) -> list[str]:
    rows = zip(town.column("notice", "code"), town.column("notice", "resolved_at"), strict=True)
    return [code for code, resolved in rows if resolved is None]


def test_a_store_that_does_not_answer_has_lost_nothing(town: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ecg_bytes()
    place_object(town.world, object_id=take(town, file).object_id)

    def away(*_: object) -> bool:
        raise Unavailable("error.objects_unavailable")

    monkeypatch.setattr(type(town.world.objects), "has", away)
    assert take(town, file).reception is Reception.REPEAT
    assert town.spool_files() == []


def test_a_repeat_that_cannot_be_settled_is_sent_again_and_the_others_of_its_batch_stay(
    town: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from telemed.application import receive as module
    from telemed.application.receive import file_durable

    known, fresh = ecg_bytes(seed=1), ecg_bytes(seed=2)
    take(town, known)

    def broken(*_: object) -> bool:
        raise Unavailable("error.database_unavailable")

    monkeypatch.setattr(module, "takes_the_place", broken)
    batch = [town.incoming(known), town.incoming(fresh)]
    town.world.spool.make_durable([item.part for item in batch])
    repeated, new = file_durable(town.world, batch)
    assert isinstance(repeated, Unavailable) and isinstance(new, Received)
    with town.world.unit_of_work(write=False) as uow:
        assert read_object(town.world, uow.studies.object(new.object_id)) == fresh
