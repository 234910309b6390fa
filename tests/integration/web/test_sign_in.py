"""Sessions, their protection, and their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from telemed.web.pages.doors import local_path
from telemed.web.security import COOKIE
from tests.cast import PASSWORD, Cast
from tests.integration.web.conftest import ORIGIN, Browser, Program, Way


@pytest.mark.parametrize(
    ("username", "home"),
    [
        ("technician", "/township"),
        ("reporting", "/reading"),
        ("reviewing", "/reading"),
        ("family", "/inbox"),
        ("admin", "/admin"),
    ],
)
def test_each_role_comes_to_where_it_works(browser: Browser, username: str, home: str) -> None:
    answer = browser.sign_in(username)
    assert (answer.status_code, answer.headers["location"]) == (303, home)
    assert browser.http.get("/").headers["location"] == home
    assert browser.http.get(home).status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser: Browser) -> None:
    header = browser.sign_in("technician").headers["set-cookie"]
    assert header.startswith(f"{COOKIE}=")
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "Secure" not in header


def test_the_cookie_is_secure_over_https(app: FastAPI) -> None:
    client = TestClient(app, base_url="https://testserver", follow_redirects=False)
    data = {"username": "technician", "password": PASSWORD}
    answer = client.post("/sign-in", data=data, headers={"Origin": "https://testserver"})
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"].startswith("max-age=")


def test_a_wrong_password_and_an_unknown_name_get_the_same_words(browser: Browser) -> None:
    wrong = browser.sign_in("technician", "not-the-password")
    unknown = browser.sign_in("nobody-at-all", "not-the-password")
    assert wrong.status_code == unknown.status_code == 401
    assert "用户名或密码不正确" in wrong.text
    assert wrong.text.replace("technician", "") == unknown.text.replace("nobody-at-all", "")


def test_five_wrong_passwords_lock_the_account_for_a_while_and_nobody_learns_that_it_exists(
    cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[str] = []
    for name in ("hash", "verify"):
        real = getattr(cast.world.passwords, name)
        monkeypatch.setattr(cast.world.passwords, name, _noted(real, name, work))
    answers = {
        name: [browser.sign_in(name, "not-the-password") for _ in range(6)]
        for name in ("technician", "nobody-at-all")
    }
    # The right password too: it would tell whoever guesses that it is right.
    answers["technician"].append(browser.sign_in("technician"))
    answers["nobody-at-all"].append(browser.sign_in("nobody-at-all"))
    said = {
        (answer.status_code, answer.text.replace(name, ""))
        for name, found in answers.items()
        for answer in found
    }
    assert [status for status, _ in said] == [401]
    # One hash for the whole process, and the same work for every answer.
    assert (work.count("hash"), work.count("verify")) == (1, 14)
    assert "锁定 10 分钟" in answers["technician"][-1].text
    cast.clock.move(minutes=11)
    assert browser.sign_in("technician").status_code == 303


def _noted(real: Callable[..., Any], name: str, work: list[str]) -> Callable[..., Any]:
    def noted(*given: str) -> Any:
        work.append(name)
        return real(*given)

    return noted


def test_a_locked_signer_is_told_how_long_it_still_lasts(
    cast: Cast, program: Callable[[str], Program]
) -> None:
    doctor = program("reporting")
    wrong = {"password": "not-the-password"}
    for _ in range(5):
        doctor.post("/api/v1/session/reauthenticate", wrong, expect=403)
    cast.clock.move(minutes=7, seconds=30)
    refused = doctor.post("/api/v1/session/reauthenticate", {"password": PASSWORD}, expect=403)
    assert refused["code"] == "error.account_locked"
    assert "3 分钟" in refused["detail"]


def test_one_s_own_password_is_changed_by_whoever_knows_it_and_ends_every_other_session(
    browser: Browser, program: Callable[[str], Program]
) -> None:
    elsewhere = program("technician")
    browser.sign_in("technician")

    def change(**words: str) -> Any:
        given = {"password": PASSWORD, "new_password": "a-new-long-word", "repeated": "a-new-long-word"}
        answer = browser.http.put(
            "/api/v1/session/password",
            json=given | words,
            headers={"Origin": ORIGIN, "X-CSRF-Token": browser.csrf, "Accept": "application/json"},
        )
        return answer.json()["code"] if answer.content else answer.status_code

    assert change(password="not-the-password") == "error.password_wrong"
    assert change(new_password="short", repeated="short") == "error.password_too_short"
    assert change(repeated="another-long-word") == "error.password_repeated"
    assert change(new_password=PASSWORD, repeated=PASSWORD) == "error.password_same"
    elsewhere.get("/api/v1/session")
    assert change() == 204
    elsewhere.get("/api/v1/session", expect=401)
    assert "a-new-long-word" not in browser.http.get("/account").text
    assert browser.sign_in("technician", PASSWORD).status_code == 401
    assert browser.sign_in("technician", "a-new-long-word").status_code == 303


def test_a_session_ends_after_its_time(cast: Cast, browser: Browser) -> None:
    browser.sign_in("technician")
    assert browser.http.get("/township").status_code == 200
    cast.clock.move(hours=12, seconds=1)
    assert browser.http.get("/township").headers["location"] == "/sign-in?next=%2Ftownship"
    answer = browser.http.get("/api/v1/exams", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "error.session_over")


def test_signing_out_ends_the_session_on_the_server(browser: Browser) -> None:
    browser.sign_in("technician")
    kept = browser.http.cookies[COOKIE]
    form = {"csrf_token": browser.csrf}
    answer = browser.http.post("/sign-out", data=form, headers={"Origin": ORIGIN})
    assert answer.headers["location"] == "/sign-in"
    assert COOKIE not in browser.http.cookies
    browser.http.cookies.set(COOKIE, kept)
    assert browser.http.get("/township").status_code == 303


def test_a_request_from_another_site_is_refused(browser: Browser) -> None:
    browser.sign_in("technician")
    body = {"language": "en"}
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        answer = browser.post("/api/v1/session/language", body, Origin=origin)
        assert (answer.status_code, answer.json()["code"]) == (403, "error.foreign_origin")
    cross = {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": browser.csrf, "Accept": "application/json"}
    answer = browser.http.post("/api/v1/session/language", json=body, headers=cross)
    assert answer.json()["code"] == "error.foreign_origin"
    sign_in = {"username": "technician", "password": PASSWORD}
    refused = browser.http.post("/sign-in", data=sign_in, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403


def test_an_unsafe_request_needs_the_token_of_this_session(app: FastAPI, browser: Browser) -> None:
    browser.sign_in("technician")
    other = Browser(app)
    other.sign_in("technician-2")
    for token in ("", "guess", other.csrf):
        answer = browser.post("/api/v1/session/language", {"language": "en"}, **{"X-CSRF-Token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "error.csrf_token")
    assert browser.post("/api/v1/session/language", {"language": "en"}).status_code == 204


def test_a_bearer_token_needs_no_csrf_token_and_a_cookie_is_no_bearer(
    app: FastAPI, browser: Browser, program: Callable[[str], Program]
) -> None:
    browser.sign_in("technician")
    cookie = browser.http.cookies[COOKIE]
    stolen = TestClient(app, headers={"Authorization": f"Bearer {cookie}"})
    assert stolen.get("/api/v1/exams").status_code == 401
    assert program("technician").http.post("/api/v1/session/language", json={"language": "en"}).is_success


def test_tokens_are_for_programs(app: FastAPI) -> None:
    client = TestClient(app)
    grant = {"grant_type": "client_credentials", "client_id": "system", "client_secret": PASSWORD}
    token = client.post("/auth/token", data=grant)
    assert token.headers["cache-control"] == "no-store"
    assert set(token.json()) == {"access_token", "token_type", "expires_in"}
    # A person is no client, and a system has no password sign-in.
    person = {"grant_type": "client_credentials", "client_id": "technician", "client_secret": PASSWORD}
    system = {"grant_type": "password", "username": "system", "password": PASSWORD}
    for refused in (person, system, {}, {"grant_type": "password"}):
        answer = client.post("/auth/token", data=refused)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_grant")
    other = client.post("/auth/token", data={"grant_type": "implicit"})
    assert (other.status_code, other.json()["error"]) == (422, "unsupported_grant_type")


def test_a_token_ends_after_an_hour(cast: Cast, program: Callable[[str], Program]) -> None:
    technician = program("technician")
    technician.get("/api/v1/exams")
    cast.clock.move(hours=1)
    assert technician.get("/api/v1/exams", expect=401)["code"] == "error.session_over"


def test_the_session_says_who_one_is(program: Callable[[str], Program]) -> None:
    said = program("reporting").get("/api/v1/session")
    assert said["user"]["role"] == "reporting_doctor"
    assert said["user"]["licensed"] is True
    assert said["institution"]["name"] == "虚构县医院（甲）"
    assert said["signing_until"].endswith("Z")
    assert program("trainee").get("/api/v1/session")["user"]["licensed"] is False


def test_after_the_signing_period_a_signature_needs_the_password_again(cast: Cast, way: Way) -> None:
    way.arrive()
    cast.clock.move(minutes=14)
    draft = way.write()
    cast.clock.move(minutes=2)
    doctor = way.program("reporting")
    refused = doctor.post(f"{way.path}/sign", {"revision": draft["revision"]}, expect=403)
    assert refused["code"] == "error.reauthenticate"
    wrong = doctor.post("/api/v1/session/reauthenticate", {"password": "wrong"}, expect=403)
    assert wrong["code"] == "error.password_wrong"
    doctor.post("/api/v1/session/reauthenticate", {"password": PASSWORD})
    signed = doctor.post(f"{way.path}/sign", {"revision": draft["revision"]})
    assert signed["state"] == "awaiting_review"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/reading/cases/1?x=2", "/reading/cases/1?x=2"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("/\\evil.example", ""),
        ("/\t/evil.example", ""),
        ("javascript:alert(1)", ""),
        ("reading", ""),
        ("", ""),
    ],
)
def test_after_the_sign_in_the_way_leads_to_our_own_pages_only(target: str, path: str) -> None:
    assert local_path(target) == path


def test_the_way_back_is_kept_through_the_sign_in(browser: Browser) -> None:
    assert browser.sign_in("reporting", next_="/reading/cases/7").headers["location"] == "/reading/cases/7"
    other = browser.http.get("/sign-in", params={"next": "//evil.example"})
    assert other.headers["location"] == "/reading"
