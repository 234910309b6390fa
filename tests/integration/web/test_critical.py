"""Critical values over the API: raised, looked at twice, told without a report, received, acted upon, closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemed.application.critical_telling import escalate
from telemed.application.handlers import HANDLERS
from telemed.application.run_jobs import run_due
from telemed.application.usual_critical_values import LINES, seed_critical_values
from telemed.domain.events import Kind
from tests.cast import FORMER, HOSPITAL_A, NOW, TOWNSHIP_A1, Cast
from tests.integration.web.conftest import ORDER, Program, Way

AVB, WARNING = "ecg.avb3", "ecg.warning.qtc"


@pytest.fixture
def listed(cast: Cast) -> Cast:
    """The consortium A with the demo's list and ladder; its city duty is the colleague."""
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(
            cast.world,
            uow,
            consortium_id=hospital.consortium_id,
            hospital_id=hospital.id,
            city_duty_id=cast.people["colleague"].id,
        )
        uow.commit()
    return cast


@pytest.fixture
def case(listed: Cast, way: Way) -> Way:
    way.arrive()
    return way


def raised(way: Way, code: str = AVB, who: str = "reporting", **more: Any) -> Any:
    return way.program(who).post(f"{way.path}/critical", {"code": code, **more})


def told(way: Way, code: str = AVB) -> Any:
    found = raised(way, code)
    return way.program("reviewing").post(f"/api/v1/critical/{found['id']}/confirm")


def kinds(cast: Cast) -> list[Kind]:
    with cast.world.unit_of_work(write=False) as uow:
        return [e.kind for e in uow.events.after(0, 10_000) if e.kind.value.startswith("critical.")]


def rows(program: Program) -> list[Any]:
    return program.get("/api/v1/critical")["rows"]  # type: ignore[no-any-return]


CARD = {"how": "phone", "received_by": "虚构护士", "read_back": "三度房室传导阻滞"}


def test_the_list_of_the_case_s_modality_and_nothing_proposed_by_itself(case: Way) -> None:
    found = case.program("reporting").get(f"{case.path}/critical")
    assert {rule["code"] for rule in found["rules"]} == {x.code for x in LINES if x.modality == "ECG"}
    assert found["rows"] == []
    assert not any(rule["proposed"] for rule in found["rules"])


def test_ai_proposes_and_raises_nothing(listed: Cast, way: Way) -> None:
    listed.analyser.flags = ("AFIB",)
    way.arrive()
    found = way.program("reporting").get(f"{way.path}/critical")
    assert [rule["code"] for rule in found["rules"] if rule["proposed"]] == ["ecg.warning.af_new"]
    assert found["rows"] == []
    assert kinds(listed) == []
    assert raised(way, "ecg.warning.af_new")["proposed_by_ai"] is True
    assert raised(way, AVB)["proposed_by_ai"] is False


def test_raised_once_however_often_the_key_is_pressed(case: Way, listed: Cast) -> None:
    first, again = raised(case), raised(case)
    assert first["id"] == again["id"]
    assert kinds(listed).count(Kind.CRITICAL_RAISED) == 1
    assert datetime.fromisoformat(first["due_at"]) == NOW + timedelta(minutes=10)


def test_nobody_outside_hears_of_it_before_the_second_look(case: Way) -> None:
    found = raised(case)
    assert found["state"] == "awaiting_check"
    for who in ("technician", "family"):
        assert rows(case.program(who)) == []
        case.program(who).get(f"/api/v1/critical/{found['id']}", expect=404)
    assert [row["id"] for row in rows(case.program("reviewing"))] == [found["id"]]


def test_the_second_doctor_s_look_tells_everyone_without_a_report(case: Way, listed: Cast) -> None:
    found = told(case)
    assert (found["state"], found["check"], found["checked_by"]) == (
        "released",
        "another_doctor",
        "虚构审核医师",
    )
    for who in ("technician", "system", "family"):
        [row] = rows(case.program(who))
        assert row["id"] == found["id"]
        assert row["patient"]["name"] == "测试甲"
        assert row["card"]["finding"] == "首次发现三度房室传导阻滞"
    assert rows(case.program("technician-2")) == rows(case.program("family-2")) == []
    assert case.program("technician").get("/api/v1/inbox")["rows"] == []
    assert kinds(listed).count(Kind.CRITICAL_TOLD) == 2


def test_without_a_contract_the_institution_alone_is_told(listed: Cast, way: Way) -> None:
    patient = {**ORDER["patient"], "name": "测试丙", "id_card_number": FORMER}  # type: ignore[dict-item]
    way.order(patient=patient)
    way.send()
    listed.run_jobs()
    [row] = way.program("reporting").get("/api/v1/worklist")["rows"]
    way.case_id = row["id"]
    told(way)
    assert len(rows(way.program("technician"))) == 1
    assert rows(way.program("family")) == []


def test_the_same_doctor_twice_only_at_night(case: Way, listed: Cast) -> None:
    found = raised(case)
    reader = case.program("reporting")
    answer = reader.post(f"/api/v1/critical/{found['id']}/confirm", expect=409)
    assert answer["code"] == "error.critical_needs_another_doctor"
    listed.clock.instant = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # 23:00 at the site
    at_night = Program(reader.http.app, "reporting")  # type: ignore[arg-type]
    found = at_night.post(f"/api/v1/critical/{found['id']}/confirm")
    assert found["check"] == "same_doctor_at_night"
    assert at_night.post(f"/api/v1/critical/{found['id']}/confirm")["checked_at"] == found["checked_at"]
    assert kinds(listed).count(Kind.CRITICAL_CHECKED) == 1


def test_a_doctor_without_a_licence_neither_raises_nor_checks(case: Way) -> None:
    case.program("trainee").post(f"{case.path}/critical", {"code": AVB}, expect=403)
    found = raised(case)
    case.program("trainee").post(f"/api/v1/critical/{found['id']}/confirm", expect=403)


def test_taken_back_before_anyone_was_told_and_raised_anew(case: Way) -> None:
    found = raised(case)
    path = f"/api/v1/critical/{found['id']}/withdraw"
    case.program("reporting").post(path, {"reason": ""}, expect=422)
    assert case.program("reporting").post(path, {"reason": "误触"})["state"] == "withdrawn"
    assert rows(case.program("technician")) == []
    assert raised(case)["id"] != found["id"]


def test_the_call_card_by_telephone_has_its_six_fields(case: Way, listed: Cast) -> None:
    found = told(case)
    listed.clock.move(minutes=3)
    path = f"/api/v1/critical/{found['id']}/acknowledge"
    reader = case.program("reporting")
    assert reader.post(path, {**CARD, "read_back": ""}, expect=422)["field"] == "read_back"
    assert reader.post(path, {**CARD, "received_by": " "}, expect=422)["field"] == "received_by"
    assert reader.post(path, {**CARD, "how": "screen"}, expect=409)["code"] == "error.critical_receive_own"
    card = reader.post(path, CARD)["card"]
    assert card == {
        "finding": "首次发现三度房室传导阻滞",
        "found_at": "2026-11-21T04:00:00.000Z",
        "found_by": "虚构报告医师",
        "received_by": "虚构护士",
        "received_at": "2026-11-21T04:03:00.000Z",
        "how": "phone",
        "read_back": "三度房室传导阻滞",
    }
    # The receiver comes second: what stands is the first, and they are told so.
    answer = case.program("technician").post(path, {"how": "screen", "read_back": "同上"}, expect=409)
    assert answer["code"] == "error.critical_already_acknowledged"


def test_received_acted_upon_and_closed_by_the_family_doctor(case: Way, listed: Cast) -> None:
    found = told(case)
    doctor, path = case.program("family"), f"/api/v1/critical/{found['id']}"
    doctor.get(path)
    assert doctor.post(f"{path}/close", expect=409)["code"] == "error.critical_not_acted"
    received = doctor.post(f"{path}/acknowledge", {"how": "screen", "read_back": "三度房室传导阻滞"})
    assert (received["card"]["received_by"], received["card"]["how"]) == ("虚构家医", "screen")
    doctor.post(f"{path}/acknowledge", {"how": "screen", "read_back": "三度房室传导阻滞"})
    for kind in ("called_resident", "called_120", "called_120", "referred"):
        done = doctor.post(f"{path}/act", {"id": f"press-{kind}".replace("_", "-"), "kind": kind})
    assert [one["kind"] for one in done["actions"]] == ["called_resident", "called_120", "referred"]
    closed = doctor.post(f"{path}/close", {"note": "已到县医院"})
    assert (closed["state"], closed["closed_by"]) == ("closed", "虚构家医")
    doctor.post(f"{path}/close", {"note": "已到县医院"})
    assert rows(doctor) == []
    assert len(doctor.get("/api/v1/critical?open=0")["rows"]) == 1
    assert kinds(listed) == [
        Kind.CRITICAL_RAISED,
        Kind.CRITICAL_CHECKED,
        Kind.CRITICAL_TOLD,
        Kind.CRITICAL_TOLD,
        Kind.CRITICAL_OPENED,
        Kind.CRITICAL_ACKNOWLEDGED,
        Kind.CRITICAL_ACTED,
        Kind.CRITICAL_ACTED,
        Kind.CRITICAL_ACTED,
        Kind.CRITICAL_CLOSED,
    ]


def test_a_warning_goes_to_the_inbox_at_once_without_clock_or_check(case: Way) -> None:
    found = raised(case, WARNING)
    assert (found["state"], found["due_at"], found["check"]) == ("released", None, "not_required")
    told(case)
    assert [row["tier"] for row in rows(case.program("family"))] == ["critical", "warning"]
    path = f"/api/v1/critical/{found['id']}/acknowledge"
    assert case.program("family").post(path, {"how": "screen"})["state"] == "acknowledged"


def test_the_ladder_climbs_as_its_rows_come_due(case: Way, listed: Cast) -> None:
    found = told(case)
    path = f"/api/v1/critical/{found['id']}"
    listed.run_jobs()
    assert case.program("reviewing").get(path)["escalated"] == []
    for minutes, steps in ((10, ["team"]), (5, ["team", "centre_head"])):
        listed.clock.move(minutes=minutes)
        listed.run_jobs()
        assert case.program("reviewing").get(path)["escalated"] == steps
    case.program("technician").post(f"{path}/acknowledge", {"how": "screen", "read_back": "复述"})
    # The last step waits for the action, not for the receipt.
    listed.clock.move(minutes=5)
    listed.run_jobs()
    assert case.program("reviewing").get(path)["escalated"] == ["team", "centre_head", "city_duty"]


def test_a_worker_that_was_down_catches_up_once(case: Way, listed: Cast) -> None:
    found = told(case)
    listed.clock.move(minutes=28)
    # Nobody ran anything for half an hour; then one worker comes, and comes again.
    assert run_due(listed.world, HANDLERS, limit=20) > 0
    listed.run_jobs()
    with listed.world.unit_of_work(write=False) as uow:
        value = uow.critical.row(_actor(listed, "reporting"), found["id"])
        assert value is not None
        key = value.value.id
    escalate(listed.world, value_id=key)
    steps = case.program("reviewing").get(f"/api/v1/critical/{found['id']}")["escalated"]
    assert steps == ["team", "centre_head", "city_duty"]
    assert kinds(listed).count(Kind.CRITICAL_ESCALATED) == 3


def test_the_team_at_the_site_sees_what_nobody_received(listed: Cast, way: Way) -> None:
    """A resident without a contract: the step tells the site's family doctors, and only after ten minutes."""
    patient = {**ORDER["patient"], "name": "测试丙", "id_card_number": FORMER}  # type: ignore[dict-item]
    way.order(patient=patient)
    way.send()
    listed.run_jobs()
    way.case_id = way.program("reporting").get("/api/v1/worklist")["rows"][0]["id"]
    told(way)
    listed.clock.move(minutes=10)
    listed.run_jobs()
    assert len(rows(way.program("family"))) == 1
    assert rows(way.program("family-2")) == []


def test_a_missing_second_look_climbs_too_but_stays_in_the_reading_room(case: Way, listed: Cast) -> None:
    found = raised(case)
    listed.clock.move(minutes=30)
    listed.run_jobs()
    assert kinds(listed).count(Kind.CRITICAL_ESCALATED) == 3
    assert rows(case.program("technician")) == rows(case.program("family")) == []
    case.program("reviewing").post(f"/api/v1/critical/{found['id']}/confirm")
    assert len(rows(case.program("family"))) == 1


def test_what_was_settled_wakes_nobody(case: Way, listed: Cast) -> None:
    found = told(case)
    technician, path = case.program("technician"), f"/api/v1/critical/{found['id']}"
    technician.post(f"{path}/acknowledge", {"how": "screen", "read_back": "复述"})
    technician.post(f"{path}/act", {"id": "fictional-1", "kind": "called_120"})
    listed.clock.move(hours=2)
    listed.run_jobs()
    assert Kind.CRITICAL_ESCALATED not in kinds(listed)


def test_a_finding_that_is_not_on_the_list_is_refused(case: Way) -> None:
    for code in ("ecg.unheard_of", "ct.pe"):
        body = {"code": code}
        answer = case.program("reporting").post(f"{case.path}/critical", body, expect=422)
        assert answer["code"] == "error.critical_unknown_finding"


def test_a_consortium_without_rows_says_who_can_help(cast: Cast, way: Way) -> None:
    way.arrive()
    assert way.program("reporting").get(f"{way.path}/critical")["rules"] == []
    way.program("reporting").post(f"{way.path}/critical", {"code": AVB}, expect=422)


def test_an_administrator_sees_the_list_and_writes_editions(
    case: Way, program: Callable[[str], Program]
) -> None:
    admin = program("admin")
    found = admin.get("/api/v1/admin/critical-rules")
    assert len(found["rules"]) == len(LINES)
    assert [step["minutes"] for step in found["steps"]] == [10, 15, 20]
    before = told(case)
    line = {"code": AVB, "modality": "ECG", "tier": "critical", "text_zh": "新文", "text_en": "New words"}
    changed = admin.post("/api/v1/admin/critical-rules", line)
    assert changed["edition"] == 2
    assert admin.post("/api/v1/admin/critical-rules", line)["edition"] == 2
    # What was raised keeps the words it was raised under.
    shown = case.program("technician").get(f"/api/v1/critical/{before['id']}")
    assert shown["card"]["finding"] == "首次发现三度房室传导阻滞"
    admin.post("/api/v1/admin/critical-rules", {**line, "ended": True})
    codes = [rule["code"] for rule in case.program("reporting").get(f"{case.path}/critical")["rules"]]
    assert AVB not in codes
    assert program("admin-b").get("/api/v1/admin/critical-rules")["rules"] == []
    assert admin.http.get("/api/v1/critical").status_code == 403


def test_a_reading_centre_has_lines_of_its_own(
    case: Way, listed: Cast, program: Callable[[str], Program]
) -> None:
    admin, reader = program("admin"), case.program("reporting")

    def line() -> dict[str, Any]:
        rules = reader.get(f"{case.path}/critical")["rules"]
        [found] = [rule for rule in rules if rule["code"] == AVB]
        return found  # type: ignore[no-any-return]

    own = {"code": AVB, "modality": "ECG", "tier": "warning", "text_zh": "本中心的", "text_en": "Our own"}
    for site, shown in ((TOWNSHIP_A1, "首次发现三度房室传导阻滞"), (HOSPITAL_A, "本中心的")):
        admin.post("/api/v1/admin/critical-rules", {**own, "institution": listed.sites[site].uid})
        assert line()["text"] == shown
    # Taken off by the centre, the consortium's holds there again.
    ended = {**own, "institution": listed.sites[HOSPITAL_A].uid, "ended": True}
    admin.post("/api/v1/admin/critical-rules", ended)
    assert line()["tier"] == "critical"
    # As a form writes them.
    written = {
        **own,
        "code": "ecg.fast",
        "findings": "AFIB, ecg.x",
        "limits": "heart_rate_bpm>=180, qtc_ms<=550",
    }
    made = admin.post("/api/v1/admin/critical-rules", written)
    assert made["findings"] == ["AFIB", "ecg.x"]
    assert made["limits"] == {"heart_rate_bpm": {"at_least": 180}, "qtc_ms": {"at_most": 550}}
    admin.post("/api/v1/admin/critical-rules", {**written, "limits": "fast"}, expect=422)


def test_an_administrator_writes_the_clock_and_the_ladder(
    case: Way, listed: Cast, program: Callable[[str], Program]
) -> None:
    admin = program("admin")
    policy = {
        "tell_minutes": "5",
        "same_doctor_at_night": "false",
        "night_from": "21:00",
        "night_to": "07:00",
    }
    hospital = listed.sites[HOSPITAL_A].uid
    for _ in range(2):
        admin.put("/api/v1/admin/critical-policy", {**policy, "institution": hospital})
    assert len(admin.get("/api/v1/admin/critical-rules")["policies"]) == 2
    admin.put("/api/v1/admin/critical-policy", {**policy, "tell_minutes": 0}, expect=422)
    admin.put("/api/v1/admin/critical-policy", {**policy, "night_to": "7:00"}, expect=422)
    # One that comes due before all others; the rest move up, and whoever was told is told once.
    found = told(case)
    assert datetime.fromisoformat(found["due_at"]) == NOW + timedelta(minutes=5)
    listed.clock.move(minutes=10)
    listed.run_jobs()
    step = {"code": "值班护士", "minutes": 4, "role": "technician", "username": ""}
    admin.post("/api/v1/admin/escalation-steps", {**step, "role": ""}, expect=422)
    admin.post("/api/v1/admin/escalation-steps", {**step, "minutes": 0}, expect=422)
    first = admin.post("/api/v1/admin/escalation-steps", step)
    steps = admin.get("/api/v1/admin/critical-rules")["steps"]
    assert [(one["minutes"], one["rank"]) for one in steps] == [(4, 1), (10, 2), (15, 3), (20, 4)]
    listed.clock.move(minutes=5)
    listed.run_jobs()
    escalated = case.program("reviewing").get(f"/api/v1/critical/{found['id']}")["escalated"]
    assert escalated == ["team", "centre_head"]
    admin.http.delete(f"/api/v1/admin/escalation-steps/{first['id']}")
    assert len(admin.get("/api/v1/admin/critical-rules")["steps"]) == 3
    page = admin.http.get("/admin/critical").text
    assert "危急值清单" in page


def test_no_name_enters_an_event(case: Way, listed: Cast) -> None:
    found = told(case)
    case.program("reporting").post(f"/api/v1/critical/{found['id']}/acknowledge", CARD)
    with listed.world.unit_of_work(write=False) as uow:
        facts = [e.facts for e in uow.events.after(0, 10_000) if e.kind.value.startswith("critical.")]
    assert len(facts) > 3
    assert not [one for one in facts if "测试" in str(one) or "虚构" in str(one)]


def test_a_second_call_is_a_second_action_and_a_press_sent_twice_is_one(case: Way, listed: Cast) -> None:
    found = told(case)
    path, doctor = f"/api/v1/critical/{found['id']}", case.program("family")
    doctor.post(f"{path}/acknowledge", {"how": "screen", "read_back": "三度房室传导阻滞"})
    for key in ("fictional-1", "fictional-1", "fictional-2"):
        done = doctor.post(f"{path}/act", {"id": key, "kind": "called_resident"})
    assert [one["kind"] for one in done["actions"]] == ["called_resident"] * 2
    assert kinds(listed).count(Kind.CRITICAL_ACTED) == 2
    unsaid = doctor.post(f"{path}/act", {"id": "fictional-3", "kind": "other"}, expect=422)
    assert (unsaid["code"], unsaid["field"]) == ("error.critical_action_unsaid", "note")


def _actor(cast: Cast, username: str) -> Any:
    from telemed.domain.access import Actor

    user = cast.people[username]
    return Actor(
        user_id=user.id,
        user_uid=user.uid,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        institution_id=user.institution_id,
        consortium_id=user.consortium_id,
        license_number=user.license_number,
        language=user.language,
        authenticated_at=cast.clock.now(),
    )
