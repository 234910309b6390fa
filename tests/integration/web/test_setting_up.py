"""A centre set up by its administrator: groups, duty, routes, triage, contracts, and the first critical values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from telemed.application.usual_critical_values import LINES
from tests.cast import CONTRACTED, HOSPITAL_A, TOWNSHIP_A1, UNCONTRACTED, Cast
from tests.integration.web.conftest import Program, Way

API = "/api/v1/admin"


@pytest.fixture
def admin(program: Callable[[str], Program]) -> Program:
    return program("admin")


def uid_of(admin: Program, username: str) -> str:
    return next(one["id"] for one in admin.get(f"{API}/users") if one["username"] == username)


def gone(admin: Program, path: str) -> None:
    assert admin.http.delete(path).status_code == 204


def new_group(admin: Program, cast: Cast, code: str = "new") -> dict[str, Any]:
    body = {"code": code, "name": "虚构中心", "institution": cast.sites[HOSPITAL_A].uid}
    found = admin.post(f"{API}/reading-groups", body, expect=201)["groups"]
    return next(one for one in found if one["code"] == code)


def test_what_waited_for_a_rule_is_routed_by_the_first_one(
    admin: Program, way: Way, cast: Cast, program: Callable[[str], Program]
) -> None:
    for rule in admin.get(f"{API}/reading-groups")["rules"]:
        gone(admin, f"{API}/routing-rules/{rule['id']}")
    way.order()
    way.send()
    cast.run_jobs()
    with cast.world.unit_of_work(write=False) as uow:
        (case,) = uow.cases.unrouted(cast.sites[HOSPITAL_A].consortium_id or 0, 10)
    assert [one["code"] for one in admin.get("/api/v1/notices")["notices"]] == ["notice.unrouted"]
    group = new_group(admin, cast)
    rule = {
        "rank": 5,
        "group": group["id"],
        "limit_minutes": 45,
        "modality": "",
        "priority": "",
        "fallback": "",
    }
    made = admin.post(f"{API}/routing-rules", rule, expect=201)["rules"]
    assert [(one["rank"], one["group"], one["limit_minutes"]) for one in made] == [(5, group["id"], 45)]
    # Pressed twice it is one rule; another one at its place is refused.
    assert admin.post(f"{API}/routing-rules", rule, expect=201)["rules"] == made
    taken = admin.post(f"{API}/routing-rules", {**rule, "limit_minutes": 60}, expect=409)
    assert taken["code"] == "error.rank_taken"
    with cast.world.unit_of_work(write=False) as uow:
        routed = uow.cases.get(case.id)
        assert routed.reading_group_id is not None
        assert (routed.deadline - routed.arrived_at).total_seconds() == 45 * 60
        assert routed.reporting_institution_id == cast.sites[HOSPITAL_A].id
    assert admin.get("/api/v1/notices")["notices"] == []
    assert case.uid in str(program("reporting").get("/api/v1/worklist?view=all"))


def test_duty_is_for_readers_and_begins_and_ends(admin: Program, cast: Cast) -> None:
    group = new_group(admin, cast)
    reviewing, path = uid_of(admin, "reviewing"), f"{API}/duties"
    body = {"group": group["id"], "user": reviewing, "starts_at": "", "ends_at": ""}

    def mine() -> list[dict[str, Any]]:
        found = admin.get(f"{API}/reading-groups")["duties"]
        return [one for one in found if one["group"] == group["id"]]

    for _ in range(2):
        admin.post(path, body, expect=201)
    (standing,) = mine()
    assert (standing["user"], standing["ends_at"]) == (reviewing, None)
    # The clock on the wall of the hospital: 08:00 in Shanghai is midnight UTC.
    shift = {**body, "starts_at": "2026-11-30T08:00", "ends_at": "2026-11-30T20:00"}
    admin.post(path, shift, expect=201)
    assert mine()[1]["starts_at"] == "2026-11-30T00:00:00.000Z"
    wrong = admin.post(path, {**shift, "ends_at": "2026-11-30T07:00"}, expect=422)
    assert wrong["code"] == "error.ends_before_start"
    nobody = admin.post(path, {**body, "user": uid_of(admin, "technician")}, expect=422)
    assert nobody["code"] == "error.duty_needs_reader"
    for one in mine():
        gone(admin, f"{path}/{one['id']}")
    assert mine() == []


def test_triage_rules_raise_and_there_is_one_for_a_finding(admin: Program) -> None:
    path, rule = f"{API}/triage-rules", {"modality": "ecg", "finding": "STTC", "priority": "urgent"}
    made = admin.post(path, rule, expect=201)
    assert admin.post(path, {**rule, "priority": "stat"}, expect=201)["id"] == made["id"]
    assert [one["priority"] for one in admin.get(path) if one["finding"] == "STTC"] == ["stat"]
    assert admin.post(path, {**rule, "priority": "routine"}, expect=422)["field"] == "priority"
    gone(admin, f"{path}/{made['id']}")
    assert "STTC" not in str(admin.get(path))


def test_a_contract_by_number_and_name(admin: Program, cast: Cast) -> None:
    path = f"{API}/contracts"
    doctor = uid_of(admin, "family")
    new = {"id_card_number": UNCONTRACTED, "name": "虚构乙", "doctor": doctor, "valid_from": "2026-11-01"}
    made = admin.post(path, {**new, "valid_to": ""}, expect=201)
    assert (made["name"], made["id_last4"], made["valid_to"]) == ("虚**", UNCONTRACTED[-4:], None)
    assert admin.post(path, new, expect=201)["id"] == made["id"]
    assert UNCONTRACTED not in str(admin.get(path))
    assert made["id"] in {one["id"] for one in admin.get(f"{path}?doctor={doctor}")}
    for wrong, status, code in (
        ({"name": "测试"}, 409, "error.card_of_another_name"),
        ({"id_card_number": UNCONTRACTED[:-1] + "?"}, 422, "error.id_card_invalid"),
        ({"doctor": uid_of(admin, "reporting")}, 422, "error.contract_needs_family_doctor"),
        ({"valid_to": "2026-10-01"}, 422, "error.ends_before_start"),
        ({"id_card_number": CONTRACTED, "name": "测试甲"}, 409, "error.contract_holds"),
    ):
        assert admin.post(path, {**new, **wrong}, expect=status)["code"] == code
    ended = admin.put(f"{path}/{made['id']}", {"valid_to": "2026-11-20"})
    assert ended["valid_to"] == "2026-11-20"
    # The day after, another contract may begin.
    admin.post(path, {**new, "valid_from": "2026-11-21"}, expect=201)
    longer = admin.put(f"{path}/{made['id']}", {"valid_to": "2026-12-31"}, expect=422)
    assert longer["code"] == "error.contract_not_longer"
    with cast.world.unit_of_work(write=False) as uow:
        facts = [one.facts for one in uow.events.after(0, 1000) if one.facts.get("what") == "contract"]
    assert len(facts) == 3
    assert "虚构" not in str(facts)


def test_a_critical_value_can_be_raised_without_a_clock_of_ones_own(
    admin: Program, way: Way, cast: Cast
) -> None:
    way.arrive()
    found = admin.post(f"{API}/critical-rules/usual", {})
    assert (len(found["rules"]), found["tell_minutes"]) == (len(LINES), 10)
    assert [step["code"] for step in found["steps"]] == ["team"]
    # The first hospital brings the steps of the centre; a township none.
    for kind in ("township", "hospital"):
        admin.post(f"{API}/institutions", {"code": f"new-{kind}", "name": "虚构", "kind": kind}, expect=201)
    steps = admin.get(f"{API}/critical-rules")["steps"]
    assert [(one["rank"], one["minutes"]) for one in steps] == [(1, 10), (2, 15), (3, 20)]
    ended = {
        "code": LINES[0].code,
        "tier": "critical",
        "text_zh": "虚构",
        "text_en": "Fictional",
        "ended": True,
    }
    admin.post(f"{API}/critical-rules", ended)
    again = admin.post(f"{API}/critical-rules/usual", {})
    assert len([one for one in again["rules"] if one["ended_at"] is None]) == len(LINES) - 1
    assert way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})["due_at"]


def test_the_pages_stand(admin: Program, browser: Any, cast: Cast) -> None:
    browser.sign_in("admin")
    for path in (
        "/admin/reading",
        "/admin/contracts",
        "/admin/critical",
        "/admin",
        "/admin/reading?language=en",
    ):
        answer = browser.http.get(path)
        assert answer.status_code == 200
        assert "page.setup." not in answer.text
    assert cast.sites[TOWNSHIP_A1].name in browser.http.get("/admin/reading").text
