"""Every page as every role in both languages: no word of the other language, no key in place of a text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from telemed.i18n import catalogue, languages
from telemed.web import guard
from tests.cast import PASSWORD, SITES, Cast
from tests.integration.web.conftest import ORIGIN, REPORT, Browser, Program, Way

CJK = re.compile(r"[⺀-〿㐀-鿿豈-﫿＀-￯]")
# What a page shows that nobody translates: names, and words that people wrote.
DATA = (
    "测试甲",
    "十二导联心电图",
    "虚构诊断中心",
    *(name for _, _, name, _ in SITES.values()),
    *("虚构医共体（甲）", "虚构医共体（乙）"),
    *(value for value in REPORT.values() if isinstance(value, str)),
)
# The switch names each language in itself.
SWITCH = ("简体中文", "中文")
PEOPLE = ("technician", "reporting", "reviewing", "family", "admin")
ROOTS = ("/township", "/inbox", "/inbox?open=0", "/reading", "/reading/cases/1", "/admin", "/nothing-here")
PUBLIC = ("/sign-in", "/verify/", "/verify/ABCDEFGH", "/nothing-here")

ROOT = Path(__file__).resolve().parents[3]


def visible(page: str, *, people: tuple[str, ...] = ()) -> str:
    """What a person can come to see: the texts and attributes, and the texts that scripts will show."""
    block = re.search(r'id="page-data">(.*?)</script>', page, re.DOTALL)
    texts = " ".join(json.loads(block[1])["texts"].values()) if block else ""
    bare = re.sub(r"<script\b.*?</script>|<style\b.*?</style>|<!--.*?-->", " ", page, flags=re.DOTALL)
    shown = html.unescape(bare) + texts
    for name in sorted((*DATA, *SWITCH, *people), key=len, reverse=True):
        shown = shown.replace(name, "")
    return shown


def keys_in(shown: str) -> list[str]:
    """Catalogue keys that stand where their text should."""
    shown = re.sub(r'(?:href|src|action|data-[a-z-]+)="[^"]*"', "", shown)
    words = set(re.findall(r"[a-z][a-z_]*(?:\.[A-Za-z0-9_]+)+", shown))
    return sorted(words & set(catalogue("en")))


def names_of(cast: Cast) -> tuple[str, ...]:
    return tuple(sorted((user.display_name for user in cast.people.values()), key=len, reverse=True))


@pytest.mark.parametrize("language", languages)
def test_every_page_speaks_one_language(app: FastAPI, cast: Cast, way: Way, language: str) -> None:
    way.release()
    people = names_of(cast)
    wrong: dict[tuple[str, str], list[str]] = {}
    walked = 0
    for username in PEOPLE:
        browser = Browser(app, **{"Accept-Language": language})
        browser.sign_in(username)
        browser.post("/api/v1/session/language", {"language": language})
        for path in ROOTS:
            answer = browser.http.get(path)
            assert answer.status_code in (200, 403, 404), (path, answer.status_code)
            assert answer.headers["content-language"] == language
            assert f'<html lang="{language}"' in answer.text
            shown = visible(answer.text, people=people)
            found = keys_in(shown) + (CJK.findall(shown) if language == "en" else [])
            walked += 1
            if found:
                wrong[username, path] = found[:10]
    assert walked == len(PEOPLE) * len(ROOTS)
    assert wrong == {}


@pytest.mark.parametrize("language", languages)
def test_pages_for_everyone_follow_the_browser(app: FastAPI, way: Way, language: str) -> None:
    report = way.release()
    client = TestClient(app, headers={"Accept-Language": f"{language},de;q=0.5", "Accept": "text/html"})
    for path in (*PUBLIC, f"/verify/{report['verification_code']}"):
        answer = client.get(path)
        shown = visible(answer.text)
        assert answer.headers["content-language"] == language, path
        assert keys_in(shown) == [], path
        # A verified report shows the family name's first character and institutions in the page's language.
        rest = shown.replace("测**", "")
        assert language == "zh-CN" or CJK.findall(rest) == [], path


def test_the_switch_is_remembered_with_the_person(app: FastAPI, browser: Browser) -> None:
    browser.sign_in("technician")
    assert browser.http.get("/township").headers["content-language"] == "zh-CN"
    assert browser.http.get("/township?language=en").headers["content-language"] == "en"
    assert browser.http.get("/township").headers["content-language"] == "en"
    again = Browser(app)
    again.sign_in("technician")
    assert again.http.get("/township").headers["content-language"] == "en"


def test_the_choice_before_the_sign_in_stays_with_the_browser(browser: Browser) -> None:
    assert browser.http.get("/sign-in?language=en").headers["content-language"] == "en"
    assert browser.http.get("/sign-in").headers["content-language"] == "en"
    refused = browser.sign_in("technician", "not-the-password")
    assert CJK.findall(visible(refused.text)) == []


@pytest.mark.parametrize("language", languages)
def test_every_refusal_of_the_api_speaks_the_language_of_the_person(
    app: FastAPI, way: Way, program: Callable[[str], Program], language: str
) -> None:
    way.arrive()
    wrong: dict[tuple[str, str, str], str] = {}
    seen = 0
    for username in ("technician", "reporting", "admin"):
        person = program(username)
        person.post("/api/v1/session/language", {"language": language}, expect=204)
        # For the routes that ask for nobody's session.
        person.http.headers["Accept-Language"] = language
        for route in guard.routes(app):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                path = re.sub(r"\{[^}]+\}", "7", str(route.path))
                if path.endswith(("/stream", "/sign-out", "/language")):
                    continue
                answer = person.http.request(method, path, json={})
                if answer.headers.get("content-type") != "application/problem+json":
                    continue
                seen += 1
                body = answer.json()
                assert {"type", "title", "status", "detail", "code"} <= set(body)
                assert body["status"] == answer.status_code
                words = f"{body['title']} {body['detail']}"
                chinese = bool(CJK.search(words))
                if chinese != (language == "zh-CN") or keys_in(words) or "…" in words:
                    wrong[username, method, path] = words
    assert seen > 60
    assert wrong == {}


def test_signed_out_programs_are_answered_in_the_language_they_ask_for(app: FastAPI) -> None:
    client = TestClient(app)
    english = client.get("/api/v1/exams", headers={"Accept-Language": "en-GB"}).json()
    chinese = client.get("/api/v1/exams", headers={"Accept-Language": "zh-TW,en;q=0.1"}).json()
    default = client.get("/api/v1/exams").json()
    assert not CJK.search(english["detail"])
    assert chinese["detail"] == default["detail"] == "请先登录。"


def raised_codes() -> dict[str, str]:
    """Every code that the sources can raise, store or tell, and where."""
    pattern = re.compile(
        r'"((?:error|notice|waveform|quality|pixel|header|validation|model|tensor|body|inference|settings)\.[a-z_]+)"'
    )
    events = {"model.approved", "model.withdrawn", "notice.raised", "notice.resolved"}
    no_codes = {"error.html", "model.onnx"} | events
    found: dict[str, str] = {}
    for folder in ("telemed", "ai_models", "dicom_node", "workers"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if {"training", "frontend"} & set(file.parts):
                continue
            for code in pattern.findall(file.read_text("utf-8")):
                found.setdefault(code, str(file.relative_to(ROOT)))
    return {code: where for code, where in found.items() if code not in no_codes}


@pytest.mark.parametrize("language", languages)
def test_every_code_that_is_raised_has_its_text(language: str) -> None:
    codes = raised_codes()
    assert len(codes) > 120
    assert {code: where for code, where in codes.items() if code not in catalogue(language)} == {}


def test_the_password_is_never_shown_again(browser: Browser) -> None:
    answer = browser.http.post(
        "/sign-in", data={"username": "nobody", "password": PASSWORD}, headers={"Origin": ORIGIN}
    )
    assert PASSWORD not in answer.text
