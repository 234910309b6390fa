"""What surrounds every answer: headers, limits, faults, health."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from telemed.domain.errors import Unavailable
from telemed.web.pages.assets import STATIC
from telemed.web.pages.markdown import to_html
from tests.cast import Cast
from tests.integration.web.conftest import Browser, Program, Way


@pytest.mark.parametrize(
    "path", ["/sign-in", "/healthz", "/nothing", "/api/v1/exams", "/static/css/base.css"]
)
def test_every_answer_carries_the_headers_that_keep_a_browser_safe(app: FastAPI, path: str) -> None:
    headers = TestClient(app).get(path).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_webassembly_may_run_in_the_decoders_worker_and_nowhere_else(app: FastAPI) -> None:
    assets = STATIC / "app" / "assets"
    (worker,) = assets.glob("decode-worker-*.js")
    http = TestClient(app)
    policy = http.get(f"/static/app/assets/{worker.name}").headers["content-security-policy"]
    assert "'wasm-unsafe-eval'" in policy
    assert "'unsafe-eval'" not in policy
    assert "default-src 'none'" in policy
    for other in {*assets.glob("*.js"), *assets.glob("*.wasm")} - {worker}:
        answer = http.get(f"/static/app/assets/{other.name}")
        assert "unsafe" not in answer.headers["content-security-policy"], other.name
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "application/wasm")


def test_built_files_come_in_the_smallest_form_that_the_browser_takes(app: FastAPI) -> None:
    assets = STATIC / "app" / "assets"
    (script,) = assets.glob("reading-*.js")
    path, http = f"/static/app/assets/{script.name}", TestClient(app)
    for accepted, encoding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip")):
        answer = http.get(path, headers={"Accept-Encoding": accepted})
        assert answer.headers["content-encoding"] == encoding
        assert int(answer.headers["content-length"]) * 2 < script.stat().st_size
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["cache-control"]
        if encoding == "gzip":
            assert answer.text == script.read_text("utf-8")
    assert "content-encoding" not in http.get(path, headers={"Accept-Encoding": "identity"}).headers


def test_no_page_has_an_inline_script_or_style(app: FastAPI, way: Way) -> None:
    way.release()
    for username in ("technician", "reporting", "family", "admin"):
        browser = Browser(app)
        browser.sign_in(username)
        for path in ("/township", "/inbox", "/reading", "/admin", "/sign-in", "/verify/"):
            text = browser.http.get(path).text
            for tag in re.findall(r"<script\b[^>]*>", text):
                assert "src=" in tag or 'type="application/json"' in tag
            assert not re.search(r"\son\w+=|<style|\sstyle=|javascript:", text)


def test_the_first_page_of_the_township_is_small(app: FastAPI) -> None:
    browser = Browser(app)
    browser.sign_in("technician")
    page = browser.http.get("/township").text
    size = len(page.encode())
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        answer = browser.http.get(path)
        # Without a front-end build there are no scripts to weigh.
        if answer.status_code == 200:
            size += len(answer.content)
    assert size <= 300_000


def test_a_fault_of_ours_gives_a_reference_and_its_trace_goes_to_the_log_alone(
    cast: Cast, app: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    token = Program(app, "technician").http.headers["Authorization"]

    secret = "".join(("测试", "甲 must not be in the log"))

    def broken() -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(cast.clock, "now", broken)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/exams", headers={"Authorization": token})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "error.internal")
    assert re.fullmatch(r"[0-9A-F]{8}", body["reference"])
    assert body["reference"] in body["detail"]
    assert "Traceback" not in answer.text and "RuntimeError" not in answer.text
    assert body["reference"] in caplog.text
    assert "test_edges.py" in caplog.text
    assert secret[:3] not in caplog.text
    page = client.get("/township", headers={"Authorization": token, "Accept": "text/html"})
    assert page.status_code == 500
    assert '<html lang="zh-CN"' in page.text


def test_a_body_beyond_the_limit_is_refused_in_words(program: Callable[[str], Program]) -> None:
    huge = {"findings": "字" * 600_000, "revision": 0}
    answer = program("reporting").http.put("/api/v1/cases/7/draft", json=huge)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "error.body_too_large"


def test_malformed_json_is_said_in_words(program: Callable[[str], Program]) -> None:
    http = program("reporting").http
    answer = http.put("/api/v1/cases/7/draft", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "error.request_invalid")
    assert "JSON" in answer.json()["detail"]


def test_a_wrong_method_and_an_unknown_path_are_said_in_words(app: FastAPI) -> None:
    client = TestClient(app)
    assert client.delete("/api/v1/exams").json()["code"] == "error.method_not_allowed"
    assert client.get("/api/v1/nothing").json()["code"] == "error.page_not_found"
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "css/../../app.py",
        "css",
        "x%00.css",
        "app/.vite/manifest.json",
    ],
)
def test_static_files_stay_in_their_folder(app: FastAPI, path: str) -> None:
    assert TestClient(app).get(f"/static/{path}").status_code == 404


def test_health_and_readiness(cast: Cast, app: FastAPI) -> None:
    client = TestClient(app)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["status"] == "ok"
    cast.analyser.fault = Unavailable("model.busy")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["models"]) == (503, "unavailable")
    assert answer.json()["parts"]["database"] == "ok"


def test_metrics_count_what_waits_and_name_nobody(cast: Cast, app: FastAPI, way: Way) -> None:
    way.order()
    way.send()
    client = TestClient(app)
    before = client.get("/metrics").text
    assert "telemed_jobs_due 2.0" in before
    assert "telemed_objects_in_spool 1.0" in before
    cast.run_jobs()
    after = client.get("/metrics").text
    assert "telemed_jobs_due 0.0" in after
    assert "telemed_objects_in_spool 0.0" in after
    assert 'telemed_http_requests_total{method="POST",route="/api/v1/uploads",status="200"} 1.0' in after
    assert way.study_uid not in after
    assert "FIC" not in after


def test_the_description_of_the_interface_is_complete(app: FastAPI) -> None:
    described = TestClient(app).get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    paths = described["paths"]
    for path in ("/api/v1/orders", "/api/v1/uploads", "/api/v1/worklist", "/api/v1/cases/{case_id}/draft"):
        assert path in paths
    schemas = described["components"]["schemas"]
    # Two of one name would stand there with their modules.
    assert not [name for name in schemas if "__" in name]
    draft = schemas["DraftIn"]["properties"]
    assert {"findings", "impression", "recommendation"} <= set(draft)
    assert all("x-permission" in method for path in paths.values() for method in path.values())
    json.dumps(described)


def test_a_printed_code_is_confirmed_without_saying_whose_report_it_is(app: FastAPI, way: Way) -> None:
    report = way.release()
    client = TestClient(app, headers={"Accept": "text/html"})
    shown = client.get(f"/verify/{report['verification_code'].lower()}")
    assert shown.status_code == 200
    assert "测**" in shown.text
    assert "测试甲" not in shown.text
    assert "FIC-P1" not in shown.text
    assert report["impression"] not in shown.text
    asked = client.get("/verify/", params={"code": report["verification_code"]}, follow_redirects=False)
    assert asked.headers["location"] == f"/verify/{report['verification_code']}"
    unknown = client.get("/verify/AAAABBBBCCCC")
    assert unknown.status_code == 404


def test_a_report_changed_behind_our_back_is_not_confirmed(cast: Cast, app: FastAPI, way: Way) -> None:
    report = way.release()
    with cast.world.unit_of_work() as uow:
        kept = uow.reports.by_verification_code(report["verification_code"])
        assert kept is not None
        kept.impression = "改动"
        uow.commit()
    assert TestClient(app).get(f"/verify/{report['verification_code']}").status_code == 404


def test_a_model_reads_for_a_site_only_while_its_card_was_opened(cast: Cast, way: Way) -> None:
    admin = way.program("admin")
    town = cast.sites["a-township-1"].uid
    model = admin.get("/api/v1/models", params={"institution": town})[0]
    assert (model["approved"], model["card"].startswith("# ")) == (True, True)
    admin.post(f"/api/v1/models/{model['name']}/withdraw", {"institution": town}, expect=204)
    way.arrive()
    assert way.program("reporting").get(way.path)["ai"]["state"] == "off"
    body = {"sha256": model["sha256"], "institution": town}
    assert admin.post(f"/api/v1/models/{model['name']}/approve", body)["approved"] is True
    wrong = admin.post(f"/api/v1/models/{model['name']}/approve", {**body, "sha256": "cd" * 32}, expect=404)
    assert wrong["code"] == "error.model_not_found"


def test_an_administrator_adds_people_machines_and_institutions(way: Way) -> None:
    admin = way.program("admin")
    site = admin.post(
        "/api/v1/admin/institutions", {"code": "a-new", "name": "虚构新站", "kind": "station"}, expect=201
    )
    person = {
        "username": "newcomer",
        "display_name": "虚构新人",
        "role": "technician",
        "password": "fictional-2026",
        "institution": site["id"],
    }
    assert admin.post("/api/v1/admin/users", person, expect=201)["institution"]["name"] == "虚构新站"
    assert admin.post("/api/v1/admin/users", person, expect=409)["code"] == "error.username_taken"
    short = {**person, "username": "short", "password": "short"}
    assert admin.post("/api/v1/admin/users", short, expect=422)["code"] == "error.password_too_short"
    machine = {"ae_title": "NEW_ECG", "network": "10.9.0.0/16", "institution": site["id"]}
    assert admin.post("/api/v1/admin/devices", machine, expect=201)["network"] == "10.9.0.0/16"
    bad = admin.post("/api/v1/admin/devices", {**machine, "network": "everywhere"}, expect=422)
    assert bad["code"] == "error.network_invalid"
    assert way.program("newcomer").get("/api/v1/exams")["exams"] == []
    foreign = {**person, "username": "foreign", "institution": "no-such"}
    assert admin.post("/api/v1/admin/users", foreign, expect=404)["code"] == "error.institution_not_found"


def test_a_card_becomes_html_that_can_do_no_harm() -> None:
    source = (
        "# Card <b>\n\n*some* 2 * 3\nText **strong** `code<` <script>alert(1)</script>\nnext\n\n"
        "- one\n- two\n  more\n\n"
        "| a | b |\n|---|---|\n| 1 | <i> |\n\n```\n<raw>\n```"
    )
    html = str(to_html(source))
    assert "<h4>Card &lt;b&gt;</h4>" in html
    assert "<script>" not in html
    assert "<em>some</em> 2 * 3" in html
    assert "<strong>strong</strong>" in html and "<code>code&lt;</code>" in html
    assert "<ul><li>one</li><li>two more</li></ul>" in html
    assert "<tr><th>a</th><th>b</th></tr>" in html and "<td>&lt;i&gt;</td>" in html
    assert "<pre>&lt;raw&gt;</pre>" in html
