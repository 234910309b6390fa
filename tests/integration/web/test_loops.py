"""A recording goes back with its marked place; a case goes from hand to hand; the list is cut by site."""

from __future__ import annotations

from typing import Any

import pytest

from telemed.application.sweep import sweep
from tests.cast import TOWNSHIP_A1, TOWNSHIP_A2, Cast
from tests.factories.dicom import dr_bytes, ecg_bytes
from tests.integration.web.conftest import REPORT, Way

BOX = {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.25}


def test_a_film_goes_back_with_the_place_marked_and_its_repeat_joins_the_order(cast: Cast, way: Way) -> None:
    film: dict[str, Any] = {"patient_id": "FIC-P1", "patient_name": "测试甲", "accession": "FIC-0001"}
    way.order(modality="DX", description="胸部正位")
    way.send(dr_bytes(**film))
    cast.clock.move(minutes=2)
    cast.run_jobs()
    doctor, technician = way.program("reporting"), way.program("technician")
    (row,) = doctor.get("/api/v1/worklist")["rows"]
    way.case_id = row["id"]
    doctor.post(f"{way.path}/claim")
    mark = {"sop_instance_uid": way.sop_uid, **BOX}
    body = {"reason": "体位不正：肩胛骨重叠", "code": "image.position", "mark": mark}
    for wrong in ({**mark, "width": 0.95}, {**mark, "width": 0}, {**mark, "sop_instance_uid": "2.25.1"}):
        refused = doctor.post(f"{way.path}/repeat", {**body, "mark": wrong}, expect=422)
        assert refused["field"] == "mark"
    doctor.post(f"{way.path}/repeat", body)
    (exam,) = technician.get("/api/v1/exams")["exams"]
    assert (exam["state"], exam["repeat_reason"]) == ("repeat", "体位不正：肩胛骨重叠")
    assert {name: exam["repeat_mark"][name] for name in BOX} == BOX
    picture = technician.http.get(exam["repeat_mark"]["picture_url"])
    assert picture.headers["content-type"] == "image/jpeg"
    # The new study under the same number: read for itself, and of the same order.
    technician.upload(dr_bytes(**film, seed=5))
    cast.clock.move(minutes=2)
    cast.run_jobs()
    (again,) = doctor.get("/api/v1/worklist")["rows"]
    assert (again["accession_number"], again["order_source"]) == ("FIC-0001", "api")
    assert again["id"] != way.case_id
    (rate,) = way.program("admin").get("/api/v1/admin/repeat-rates")
    assert (rate["exams"], rate["repeats"], rate["reasons"]) == (2, 1, {"image.position": 1})
    assert (rate["site"], rate["device"]) == ("虚构一镇卫生院（甲）", "")
    assert way.program("admin-b").get("/api/v1/admin/repeat-rates") == []


def test_leads_and_a_stretch_are_marked_and_the_repeat_takes_the_case(way: Way) -> None:
    way.arrive()
    doctor = way.program("reporting")
    assert doctor.get(way.path)["can"]["repeat"] is True
    body = {"reason": "导联脱落", "code": "ecg.lead_off", "mark": {"sop_instance_uid": way.sop_uid}}
    assert doctor.post(f"{way.path}/repeat", body, expect=422)["field"] == "mark"
    marked = {**body["mark"], "leads": ["V3", "V4"], "from_ms": 2400, "to_ms": 3600}
    for wrong in ({**marked, "to_ms": 2400}, {**marked, "to_ms": None}):
        assert doctor.post(f"{way.path}/repeat", {**body, "mark": wrong}, expect=422)["field"] == "mark"
    assert doctor.get(way.path)["holder"] is None
    doctor.post(f"{way.path}/repeat", {**body, "mark": marked})
    mark = way.program("technician").get("/api/v1/exams")["exams"][0]["repeat_mark"]
    assert (mark["leads"], mark["from_ms"], mark["to_ms"]) == (["V3", "V4"], 2400, 3600)
    assert mark["picture_url"] is None


def test_a_case_is_asked_for_and_taken_with_a_reason(cast: Cast, way: Way) -> None:
    way.arrive()
    holder, other = way.program("reporting"), way.program("colleague")
    assert other.post(f"{way.path}/ask", expect=409)["code"] == "error.case_is_free"
    way.write()
    assert other.get(way.path)["can"]["take"] is True
    other.post(f"{way.path}/ask")
    assert holder.get(way.path)["asked_by"] == "虚构同事"
    refused = other.post(f"{way.path}/take", {"reason": " "}, expect=422)
    assert refused["code"] == "error.comment_required"
    taken = other.post(f"{way.path}/take", {"reason": "交班"})
    assert (taken["holder"]["mine"], taken["asked_by"]) == (True, "")
    # What was written stays, and its first writer is told and writes no more.
    assert taken["report"]["findings"] == REPORT["findings"]
    refused = holder.put(f"{way.path}/draft", {**REPORT, "revision": 1}, expect=409)
    assert refused["code"] == "error.case_not_claimed_by_you"
    told = [one["code"] for one in holder.get("/api/v1/notices")["notices"]]
    assert told == ["notice.case_taken_over"]
    # There and back again: each time is told.
    cast.clock.move(minutes=1)
    holder.post(f"{way.path}/take", {"reason": "说好了"})
    other.post(f"{way.path}/take", {"reason": "又交班"})
    told = [one["code"] for one in holder.get("/api/v1/notices")["notices"]]
    assert told == ["notice.case_taken_over"] * 2


def test_a_lease_returns_by_itself(cast: Cast, way: Way) -> None:
    way.arrive()
    way.program("reporting").post(f"{way.path}/claim")
    way.program("colleague").post(f"{way.path}/ask")
    cast.clock.move(minutes=16)
    sweep(cast.world)
    case = way.program("colleague").get(way.path)
    assert (case["state"], case["holder"], case["asked_by"]) == ("waiting", None, "")


@pytest.mark.parametrize("view", ["waiting", "all", "done"])
def test_the_list_is_cut_by_site(cast: Cast, way: Way, view: str) -> None:
    way.arrive()
    way.program("technician-2").upload(ecg_bytes(patient_id="FIC-2", seed=3))
    cast.run_jobs()
    doctor = way.program("reporting")
    if view == "done":
        for row in doctor.get("/api/v1/worklist")["rows"]:
            doctor.post(f"/api/v1/cases/{row['id']}/claim")
            doctor.post(f"/api/v1/cases/{row['id']}/repeat", {"reason": "虚构"})
    names = {one["id"]: one["name"] for one in doctor.get("/api/v1/worklist/sites")}
    for code in (TOWNSHIP_A1, TOWNSHIP_A2):
        site = cast.sites[code]
        query = {"view": view, "site": site.uid}
        (row,) = doctor.get("/api/v1/worklist", params=query)["rows"]
        assert (row["site_id"], row["site"]) == (site.uid, names[site.uid])
    assert doctor.get("/api/v1/worklist", params={"view": view, "site": "none"})["rows"] == []
