"""The administrator's other nodes, rules and certificates; where and when an order is to be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telemed.application.administer import create_device
from tests.cast import HOSPITAL_A, TOWNSHIP_A1, TOWNSHIP_B, Cast
from tests.certificates import Authority
from tests.factories.dicom import dr_bytes, uid
from tests.integration.web.conftest import ORDER, Browser, Program

NODES, RULES = "/api/v1/admin/nodes", "/api/v1/admin/forward-rules"
NODE = {"ae_title": "CITY_PACS", "host": "pacs.example", "port": 2762, "tls": True, "description": "市级归档"}


@pytest.fixture
def admin(program: Callable[[str], Program]) -> Program:
    return program("admin")


def changes(cast: Cast) -> int:
    engine = cast.world.unit_of_work.engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        asked = "SELECT count(*) FROM event WHERE kind = 'site.changed'"
        return int(connection.exec_driver_sql(asked).scalar_one())


def test_what_a_site_s_machines_are_held_to_is_the_administrator_s(admin: Program, cast: Cast) -> None:
    path, before = f"/api/v1/admin/institutions/{cast.sites[TOWNSHIP_A1].uid}/machine-rules", changes(cast)
    wanted = {
        "issuer_names": "T1  HIS\n\n 虚构 ",
        "worklist_days": 30,
        "step_hours": 4,
        "commitment_days": 14,
    }
    for _ in range(2):
        changed = admin.put(path, wanted)
        assert {name: changed[name] for name in wanted} == {**wanted, "issuer_names": "T1 HIS\n虚构"}
    assert changes(cast) == before + 1
    assert admin.put(path, {"worklist_days": 0}, expect=422)["code"] == "error.request_invalid"
    device = {"ae_title": "DR_1", "network": "10.0.0.0/8", "default_charset": "GB12345"}
    refused = admin.post("/api/v1/admin/devices", device, expect=422)
    assert (refused["code"], refused["field"]) == ("error.charset_unknown", "default_charset")
    other = f"/api/v1/admin/institutions/{cast.sites[TOWNSHIP_B].uid}/machine-rules"
    assert admin.put(other, wanted, expect=404)["code"] == "error.institution_not_found"


def test_a_node_is_added_once_and_changed(admin: Program, cast: Cast) -> None:
    town, before = cast.sites[TOWNSHIP_A1].uid, changes(cast)
    made = admin.post(NODES, {**NODE, "institution": town}, expect=201)
    assert {name: made[name] for name in NODE} == NODE
    assert (made["institution"]["id"], made["active"], made["waiting"]) == (town, True, 0)
    # The button pressed twice is one node and one event.
    assert admin.post(NODES, {**NODE, "institution": town}, expect=201)["id"] == made["id"]
    assert changes(cast) == before + 1
    taken = admin.post(NODES, {**NODE, "institution": town, "port": 104}, expect=409)
    assert taken["code"] == "error.node_known"
    # Another institution's machines know another node under the same title.
    other = admin.post(NODES, {**NODE, "institution": cast.sites[HOSPITAL_A].uid, "port": 104}, expect=201)
    assert other["id"] != made["id"]
    changed = admin.put(
        f"{NODES}/{made['id']}", {**NODE, "host": "new.example", "tls": False, "active": False}
    )
    assert (changed["host"], changed["tls"], changed["active"]) == ("new.example", False, False)
    stays = admin.put(f"{NODES}/{made['id']}", {**NODE, "ae_title": "OTHER"}, expect=422)
    assert (stays["code"], stays["field"]) == ("error.ae_title_stays", "ae_title")
    assert [one["id"] for one in admin.get(NODES)] == [made["id"], other["id"]]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"ae_title": " "}, "error.ae_title_invalid", "ae_title"),
        ({"ae_title": "A\\B"}, "error.ae_title_invalid", "ae_title"),
        ({"host": " "}, "error.node_address_invalid", "host"),
        ({"port": 0}, "error.node_address_invalid", "port"),
        ({"server_name": "two words"}, "error.field_invalid", "server_name"),
        ({"certificate_authority": "no certificate"}, "error.certificate_invalid", "certificate_authority"),
        (
            {"certificate_authority": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
            "error.certificate_invalid",
            "certificate_authority",
        ),
    ],
)
def test_what_cannot_be_is_told(admin: Program, wrong: dict[str, Any], code: str, field: str) -> None:
    answer = admin.post(NODES, {**NODE, **wrong}, expect=422)
    assert (answer["code"], answer["field"]) == (code, field)
    assert admin.get(NODES) == []


def test_rules_queue_until_they_end_and_a_changed_node_is_tried_again(
    admin: Program, program: Callable[[str], Program], cast: Cast
) -> None:
    town = cast.sites[TOWNSHIP_A1].uid
    node = admin.post(
        NODES, {**NODE, "institution": town, "host": "127.0.0.1", "port": 1, "tls": False}, expect=201
    )
    rule = admin.post(RULES, {"node": node["id"], "modality": "dx", "institution": town}, expect=201)
    assert (rule["modality"], rule["ae_title"]) == ("DX", "CITY_PACS")
    again = admin.post(RULES, {"node": node["id"], "modality": "DX", "institution": town}, expect=201)
    assert again["id"] == rule["id"]
    assert len(admin.get(RULES)) == 1

    def sent(number: int) -> None:
        program("technician").upload(dr_bytes(patient_id="FIC-P5", study_uid=uid("nodes", number)))
        cast.clock.move(seconds=60)
        cast.run_jobs()

    sent(1)
    (state,) = admin.get(NODES)
    assert (state["waiting"], state["failing_since"] is None) == (1, False)
    changed = admin.put(
        f"{NODES}/{node['id']}", {**NODE, "host": "127.0.0.1", "port": 2, "tls": False, "active": True}
    )
    assert changed["failing_since"] is None
    # At once, without a pause: the clock stands still here.
    cast.run_jobs()
    assert admin.get(NODES)[0]["failing_since"] is not None
    admin._answer(admin.http.delete(f"{RULES}/{rule['id']}"), 204)
    admin._answer(admin.http.delete(f"{RULES}/{rule['id']}"), 204)
    assert [one["active"] for one in admin.get(RULES)] == [False]
    sent(2)
    assert admin.get(NODES)[0]["waiting"] == 1
    # A rule that has ended is no obstacle to a new one.
    assert admin.post(RULES, {"node": node["id"], "modality": "DX", "institution": town}, expect=201)[
        "active"
    ]
    assert admin.post(RULES, {"node": node["id"], "modality": "D X"}, expect=422)["field"] == "modality"


def test_certificates_of_a_site(admin: Program, cast: Cast, tmp_path: Path) -> None:
    town = cast.sites[TOWNSHIP_A1]
    path = f"/api/v1/admin/institutions/{town.uid}/certificates"
    pem = Authority.make(tmp_path, "region").pair.pem
    with cast.world.unit_of_work() as uow:
        create_device(cast.world, uow, town, ae_title="A1_ECG", network="10.0.0.0/8")
        uow.commit()
    before = changes(cast)
    locked_out = admin.put(path, {"certificate_demanded": True}, expect=422)
    assert locked_out["code"] == "error.certificates_without_authority"
    body = {"certificate_authority": f"said around it\n{pem}\nand after", "certificate_demanded": True}
    for _ in range(2):
        answer = admin.put(path, body)
        assert answer["certificate_demanded"] is True
        assert answer["certificate_authority"].strip() == pem.strip()
    assert changes(cast) == before + 1
    assert admin.put(path, {"certificate_authority": "x"}, expect=422)["code"] == "error.certificate_invalid"
    assert admin.put(path, {})["certificate_authority"] == ""


def test_the_page_shows_what_there_is(admin: Program, browser: Browser, cast: Cast) -> None:
    town = cast.sites[TOWNSHIP_A1].uid
    node = admin.post(NODES, {**NODE, "institution": town}, expect=201)
    admin.post(RULES, {"node": node["id"], "institution": town}, expect=201)
    browser.sign_in("admin")
    for language, word in (("zh-CN", "转发规则"), ("en", "Forwarding rules")):
        page = browser.http.get(f"/admin/nodes?language={language}")
        assert page.status_code == 200
        for part in (word, "CITY_PACS", "pacs.example:2762", f'data-api="{NODES}/{node["id"]}"'):
            assert part in page.text
    assert '"/admin/nodes"' in browser.http.get("/admin").text


def steps(cast: Cast) -> list[tuple[str, str]]:
    engine = cast.world.unit_of_work.engine  # type: ignore[attr-defined]
    with engine.connect() as connection:
        asked = "SELECT station_ae_title, scheduled_at FROM scheduled_step ORDER BY id"
        return [(row[0], str(row[1])[:16]) for row in connection.exec_driver_sql(asked)]


def test_an_order_names_its_machine_and_time(
    program: Callable[[str], Program], cast: Cast, browser: Browser
) -> None:
    with cast.world.unit_of_work() as uow:
        for title, site in (("A1_ECG", TOWNSHIP_A1), ("B_ECG", TOWNSHIP_B)):
            create_device(cast.world, uow, cast.sites[site], ae_title=title, network="10.0.0.0/8")
        uow.commit()
    technician = program("technician")
    body = {**ORDER, "station_ae_title": "A1_ECG", "scheduled_at": "2026-11-23T08:30"}
    technician.post("/api/v1/orders", body, expect=201)
    # The clock on the wall of the township is eight hours ahead.
    assert steps(cast) == [("A1_ECG", "2026-11-23 00:30")]
    aware = {
        **body,
        "accession_number": "FIC-0002",
        "scheduled_at": "2026-11-23T08:30:00+01:00",
        "station_ae_title": "",
    }
    technician.post("/api/v1/orders", aware, expect=201)
    assert steps(cast)[1] == ("", "2026-11-23 07:30")
    wrong = technician.post(
        "/api/v1/orders", {**body, "accession_number": "", "station_ae_title": "诊室"}, expect=422
    )
    assert (wrong["code"], wrong["field"]) == ("error.ae_title_invalid", "station_ae_title")
    browser.sign_in("technician")
    page = browser.http.get("/township").text
    assert "<option>A1_ECG</option>" in page
    assert "B_ECG" not in page
