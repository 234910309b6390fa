"""People and machines that are locked out, let in again, and a new password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import PASSWORD, TOWNSHIP_A1, Cast
from tests.integration.web.conftest import Browser, Program

USERS, DEVICES = "/api/v1/admin/users", "/api/v1/admin/devices"
NEW = "another-fictional-word"


@pytest.fixture
def admin(program: Callable[[str], Program]) -> Program:
    return program("admin")


def id_of(admin: Program, username: str) -> str:
    return next(one["id"] for one in admin.get(USERS) if one["username"] == username)


def told(cast: Cast) -> list[dict[str, Any]]:
    with cast.world.unit_of_work(write=False) as uow:
        return [one.facts for one in uow.events.after(0, 1000) if one.kind == "site.changed"]


def test_whoever_is_locked_out_is_out_at_once(
    admin: Program, program: Callable[[str], Program], browser: Browser, cast: Cast
) -> None:
    open_one, uid = program("technician"), id_of(admin, "technician")
    assert browser.sign_in("technician").status_code == 303
    for _ in range(2):
        assert admin.put(f"{USERS}/{uid}/active", {"active": False})["active"] is False
    assert open_one.http.get("/api/v1/exams").status_code == 401
    assert browser.http.get("/township").status_code == 303
    assert browser.sign_in("technician").status_code == 401
    # Asked twice, told once.
    changes = [one for one in told(cast) if one.get("user") == uid and "active" in one]
    assert changes == [{"what": "user", "active": False, "user": uid}]
    admin.put(f"{USERS}/{uid}/active", {"active": True})
    # Let in again: with a sign-in of today, not with a session from before.
    assert open_one.http.get("/api/v1/exams").status_code == 401
    assert browser.sign_in("technician").status_code == 303


def test_an_administrator_stays(admin: Program) -> None:
    refused = admin.put(f"{USERS}/{id_of(admin, 'admin')}/active", {"active": False}, expect=409)
    assert refused["code"] == "error.not_yourself"
    assert admin.get("/api/v1/session")["user"]["username"] == "admin"


def test_a_new_password_ends_every_session_and_the_wait_after_five_misses(
    admin: Program, program: Callable[[str], Program], browser: Browser, cast: Cast
) -> None:
    open_one, uid = program("family"), id_of(admin, "family")
    for _ in range(5):
        browser.sign_in("family", "not-the-password")
    # The right password is refused too while the account waits.
    assert browser.sign_in("family").status_code == 401
    short = admin.put(f"{USERS}/{uid}/password", {"password": "short"}, expect=422)
    assert (short["code"], short["field"]) == ("error.password_too_short", "password")
    answer = admin.put(f"{USERS}/{uid}/password", {"password": NEW})
    assert open_one.http.get("/api/v1/inbox").status_code == 401
    assert browser.sign_in("family", PASSWORD).status_code == 401
    assert browser.sign_in("family", NEW).status_code == 303
    assert {"what": "password", "user": uid} in told(cast)
    assert "password" not in answer
    assert NEW not in str(told(cast))


def test_a_machine_is_registered_once_and_shut_out(admin: Program, cast: Cast) -> None:
    new = {"ae_title": "FIC_ECG", "network": "10.9.0.0/16", "institution": cast.sites[TOWNSHIP_A1].uid}
    made = admin.post(DEVICES, new, expect=201)
    assert admin.post(DEVICES, new, expect=201)["id"] == made["id"]
    twin = admin.post(DEVICES, {**new, "network": "10.8.0.0/16"}, expect=409)
    assert twin["code"] == "error.device_known"
    with cast.world.unit_of_work(write=False) as uow:
        assert [one.uid for one in uow.devices.by_ae_title("FIC_ECG")] == [made["id"]]
    wrong = admin.put(f"{DEVICES}/{made['id']}", {"network": "nowhere", "active": True}, expect=422)
    assert wrong["field"] == "network"
    shut = admin.put(f"{DEVICES}/{made['id']}", {"network": "10.8.0.0/16", "active": False})
    assert (shut["network"], shut["active"]) == ("10.8.0.0/16", False)
    with cast.world.unit_of_work(write=False) as uow:
        assert uow.devices.by_ae_title("FIC_ECG") == []


def test_nobody_reads_for_a_group_who_is_locked_out(admin: Program, cast: Cast) -> None:
    consortium = cast.sites[TOWNSHIP_A1].consortium_id
    assert consortium is not None

    def on_duty() -> set[str]:
        with cast.world.unit_of_work(write=False) as uow:
            return {uow.users.get(one.user_id).username for one in uow.rules.roster(consortium)}

    before = on_duty()
    assert "reporting" in before
    admin.put(f"{USERS}/{id_of(admin, 'reporting')}/active", {"active": False})
    assert on_duty() == before - {"reporting"}
