"""A wrong card number in an order, and all the way back: who saw a stranger's reports, and who should have."""

from __future__ import annotations

from datetime import date
from typing import Any

from telemed.application.usual_critical_values import seed_critical_values
from telemed.domain.events import Event, Kind
from telemed.domain.resident import Contract
from tests.cast import CONTRACTED, FORMER, HOSPITAL_A, UNCONTRACTED, Cast, card_number
from tests.factories.dicom import ecg_bytes
from tests.integration.web.conftest import ORDER, Way
from tests.integration.web.test_reassign import told

WHY = "录入申请时抄错了证件"
# Of the same birth date, sex and name as the contracted one, as only the last digits tell them apart.
RIGHT_CARD = card_number("19600229", "022")
PERSON: dict[str, Any] = ORDER["patient"]  # type: ignore[assignment]


def add_doctor(cast: Cast, number: str, username: str) -> None:
    """The holder of the card, of the cast's first name, with a family doctor in the other township."""
    doctor = cast.people[username]
    from telemed.application.residents import register_resident

    with cast.world.unit_of_work() as uow:
        resident = register_resident(
            cast.world,
            uow,
            consortium_id=doctor.consortium_id,
            number=number,
            name="测试甲",
            sex="F",
            birth_date=None,
        )
        contract = Contract(
            uid=cast.world.identifiers.uid(),
            resident_id=resident.id,
            family_doctor_id=doctor.id,
            institution_id=doctor.institution_id,
            consortium_id=doctor.consortium_id,
            valid_from=date(2026, 1, 1),
            valid_to=None,
        )
        uow.residents.add_contract(contract)
        uow.commit()


def standing(way: Way) -> Any:
    (person,) = way.program("technician").get("/api/v1/patients?q=FIC-P1")["people"]
    return way.program("technician").get(f"/api/v1/patients/{person['id']}/resident")


def act(way: Way, what: str, expect: int = 200, **changes: Any) -> Any:
    now = standing(way)
    shown = now["resident"]["id"] if now["resident"] else ""
    body = {"shown": shown, "reason": WHY} | ({"id_card_number": RIGHT_CARD} if what == "link" else {})
    path = f"/api/v1/patients/{now['id']}/resident/{what}"
    return way.program("technician").post(path, body | changes, expect=expect)


def events(cast: Cast, *kinds: Kind) -> list[Event]:
    with cast.world.unit_of_work(write=False) as uow:
        return [one for one in uow.events.after(0, 5000) if one.kind in kinds]


def inbox(way: Way, username: str) -> list[Any]:
    return list(way.program(username).get("/api/v1/inbox")["rows"])


def test_the_report_leaves_the_stranger_s_doctor_and_reaches_the_right_one(cast: Cast, way: Way) -> None:
    add_doctor(cast, RIGHT_CARD, "family-2")
    report = way.release()
    (linked,) = events(cast, Kind.PATIENT_LINKED)
    assert linked.actor_user_id == cast.people["technician"].id
    assert (linked.facts["by"], linked.facts["accession_number"]) == ("order", "FIC-0001")
    family, other = way.program("family"), way.program("family-2")
    (copy,) = inbox(way, "family")
    family.post(f"/api/v1/inbox/{copy['id']}/acknowledge")
    before = standing(way)
    assert (before["resident"]["id_last4"], before["delivered"]) == (CONTRACTED[-4:], 1)
    assert before["doctors"] == ["虚构家医"]

    # The right card in the next order is refused, and the answer leads to the patient.
    right = {**ORDER, "accession_number": "FIC-0009", "patient": {**PERSON, "id_card_number": RIGHT_CARD}}
    refused = way.program("technician").post("/api/v1/orders", right, expect=409)
    assert refused["code"] == "error.patient_is_other_resident"
    assert refused["params"]["patient"] == before["id"] and CONTRACTED[-4:] in refused["detail"]

    answer = act(way, "link")
    assert (answer["changed"], answer["taken_back"]) == (True, 1)
    assert (answer["resident"]["id_last4"], answer["doctors"]) == (RIGHT_CARD[-4:], ["虚构家医二"])
    # The same again changes nothing.
    assert act(way, "link")["changed"] is False
    cast.run_jobs()

    # Access went with the link: list, copy, report, document, pictures.
    assert inbox(way, "family") == []
    family.post(f"/api/v1/inbox/{copy['id']}/open", expect=404)
    family.get(f"/api/v1/reports/{report['id']}/pdf", expect=404)
    family.get(way.path, expect=404)
    family.get(f"/dicom-web/studies/{way.study_uid}/metadata", expect=404)
    (notice,) = family.get("/api/v1/notices")["notices"]
    assert notice["code"] == "notice.not_your_resident"
    assert CONTRACTED[-4:] in notice["text"] and notice["about"]["patient_id"] == "FIC-P1"
    (row,) = inbox(way, "family-2")
    assert (row["opened_at"], row["patient"]["id_last4"]) == (None, RIGHT_CARD[-4:])
    document = other.get(f"/api/v1/reports/{report['id']}/pdf").content
    assert document.startswith(b"%PDF") and told(way, "family-2") == []
    # The institution that asked keeps its copy; the next order with the card is taken.
    assert len(inbox(way, "technician")) == 1
    way.program("technician").post("/api/v1/orders", right, expect=201)

    (undone,) = events(cast, Kind.PATIENT_UNLINKED)
    assert undone.actor_user_id == cast.people["technician"].id
    assert (undone.facts["reason"], undone.facts["resident"]) == (WHY, before["resident"]["id"])
    assert undone.facts["opened"] == [{"report": report["id"], "user": cast.people["family"].uid}]
    assert [one.facts["by"] for one in events(cast, Kind.PATIENT_LINKED)] == ["order", "person"]


def test_back_under_the_first_resident_the_copy_is_handed_out_anew(cast: Cast, way: Way) -> None:
    way.release()
    way.program("family").post(f"/api/v1/inbox/{inbox(way, 'family')[0]['id']}/acknowledge")
    assert act(way, "unlink")["resident"] is None
    assert act(way, "unlink")["changed"] is False
    assert (inbox(way, "family"), len(events(cast, Kind.PATIENT_UNLINKED))) == ([], 1)
    act(way, "link", id_card_number=CONTRACTED)
    cast.run_jobs()
    (row,) = inbox(way, "family")
    assert (row["opened_at"], row["acknowledged_at"]) == (None, None)


def test_who_may_and_what_is_demanded(cast: Cast, way: Way) -> None:
    way.arrive()
    now = standing(way)
    path = f"/api/v1/patients/{now['id']}/resident"
    way.program("technician-2").get(path, expect=404)
    way.program("technician-2").post(f"{path}/unlink", {"shown": "", "reason": WHY}, expect=404)
    for username in ("family", "reporting", "system", "admin"):
        way.program(username).post(f"{path}/unlink", {"shown": "", "reason": WHY}, expect=403)
    assert act(way, "unlink", 422, reason=" ")["code"] == "error.comment_required"
    # Somebody was quicker: what is on this page is not what would be undone.
    assert act(way, "unlink", 409, shown="")["code"] == "error.link_changed_since_shown"
    assert act(way, "link", 409, shown="")["code"] == "error.link_changed_since_shown"
    for number, code, expect in (
        ("11010519491231002", "error.id_card_invalid", 422),
        # Another sex and birth date; another name.
        (UNCONTRACTED, "error.id_card_contradicts", 422),
        (FORMER, "error.card_of_another_name", 409),
    ):
        assert act(way, "link", expect, id_card_number=number)["code"] == code
    assert standing(way) == now and events(cast, Kind.PATIENT_UNLINKED) == []
    find = f"{path}/find"
    held = way.program("technician").post(find, {"id_card_number": FORMER})
    assert (held["resident"]["name"], held["differing"]) == ("测试丙", ["name"])
    held = way.program("technician").post(find, {"id_card_number": UNCONTRACTED})
    assert held["differing"] == ["birth_date", "sex"]
    held = way.program("technician").post(find, {"id_card_number": RIGHT_CARD.lower()})
    assert (held["resident"], held["differing"], held["id_last4"]) == (None, [], RIGHT_CARD[-4:])
    assert len(events(cast, Kind.RESIDENT_SOUGHT)) == 3


def test_a_card_that_a_mistake_registered_is_free_for_its_holder_again(cast: Cast, way: Way) -> None:
    card = card_number("19600229", "044")
    way.order(patient={**PERSON, "id_card_number": card})
    holder = {**PERSON, "patient_id": "FIC-P5", "name": "虚构戊", "id_card_number": card}
    second = {**ORDER, "accession_number": "FIC-0005", "patient": holder}
    refused = way.program("technician").post("/api/v1/orders", second, expect=409)
    assert refused["code"] == "error.card_of_another_name"
    act(way, "unlink")
    way.program("technician").post("/api/v1/orders", second, expect=201)
    (row,) = way.program("technician").get("/api/v1/patients?q=FIC-P5")["people"]
    assert row["id_last4"] == card[-4:]


def test_nobody_is_linked_whom_order_machine_and_card_do_not_agree_about(way: Way) -> None:
    technician = way.program("technician")
    born = {"PatientSex": "F", "PatientBirthDate": "19610228"}
    way.send(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0001", **born))
    way.cast.run_jobs()
    own = {**PERSON, "birth_date": "1961-02-28"}
    for change, code in (
        # An order that comes after its study, of somebody else under the same number.
        ({"name": "虚构戊"}, "error.patient_id_of_another"),
        ({"sex": "M"}, "error.patient_id_of_another"),
        ({"birth_date": "1961-03-01"}, "error.patient_id_of_another"),
        # What the order leaves open, the machine had sent.
        ({"birth_date": None, "sex": ""}, "error.id_card_contradicts"),
        ({}, "error.id_card_contradicts"),
    ):
        body = {**ORDER, "patient": {**own, **change}}
        answer = technician.http.post("/api/v1/orders", json=body)
        assert (answer.status_code in (409, 422), answer.json()["code"]) == (True, code)
        assert standing(way)["resident"] is None


def raised_critical(cast: Cast, way: Way) -> Any:
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(cast.world, uow, consortium_id=hospital.consortium_id, hospital_id=hospital.id)
        uow.commit()
    raised = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    way.program("reviewing").post(f"/api/v1/critical/{raised['id']}/confirm")
    return raised


def test_a_critical_value_goes_to_the_right_doctor_and_what_the_wrong_one_answered_is_said_anew(
    cast: Cast, way: Way
) -> None:
    add_doctor(cast, RIGHT_CARD, "family-2")
    way.arrive()
    raised = raised_critical(cast, way)
    family = way.program("family")
    path = f"/api/v1/critical/{raised['id']}"
    act(way, "link")
    # Nobody had answered it: the same value, told to the right one.
    assert family.get("/api/v1/critical")["rows"] == []
    assert [one["id"] for one in way.program("family-2").get("/api/v1/critical")["rows"]] == [raised["id"]]
    act(way, "link", id_card_number=CONTRACTED)
    assert [one["id"] for one in family.get("/api/v1/critical")["rows"]] == [raised["id"]]
    cast.clock.move(minutes=3)
    family.post(f"{path}/acknowledge", {"how": "screen", "read_back": "三度房室传导阻滞"})
    act(way, "link")
    # Answered about somebody else: its clock runs on, and the right doctor hears of it.
    (anew,) = way.program("family-2").get("/api/v1/critical")["rows"]
    assert anew["id"] != raised["id"] and anew["acknowledged_at"] is None
    assert anew["due_at"] == raised["due_at"]
    assert [one["id"] for one in way.program("technician").get("/api/v1/critical")["rows"]] == [anew["id"]]
    family.post(f"{path}/acknowledge", {"how": "screen", "read_back": "虚构"}, expect=404)
    assert told(way, "family") == ["notice.not_your_resident"] * 2


def test_earlier_exams_are_the_person_s_own_on_both_sides_and_their_readers_are_told(
    cast: Cast, way: Way
) -> None:
    """The stranger's resident has an exam of her own at the same place."""
    own = {**PERSON, "patient_id": "FIC-P7"}
    way.order(accession_number="FIC-0007", patient=own)
    way.send(ecg_bytes(patient_id="FIC-P7", patient_name="测试甲", accession="FIC-0007", seed=7))
    cast.clock.move(minutes=1)
    cast.run_jobs()
    cast.clock.move(minutes=5)
    way.arrive()
    reading = way.program("reporting")

    def priors() -> list[int]:
        return sorted(row["priors"]["count"] for row in reading.get("/api/v1/worklist")["rows"])

    assert priors() == [0, 1]
    way.write()
    assert act(way, "unlink")["told"] == 1
    assert priors() == [0, 0]
    assert reading.get(f"{way.path}/priors")["rows"] == []
    assert told(way, "reporting") == ["notice.earlier_exams_of_another"]
