"""The main job over HTTP alone: ordered, sent, read, signed twice, delivered, acknowledged."""

import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pypdf import PdfReader

from telemed.application.document import age_text
from tests.cast import Cast
from tests.factories.dicom import dr_bytes, ecg_bytes, uid
from tests.integration.web.conftest import ORDER, REPORT, Way


def test_a_study_goes_the_whole_way_to_its_institution_and_the_family_doctor(cast: Cast, way: Way) -> None:
    cast.analyser.flags = ("AFIB",)
    way.order()
    file = ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0001")
    sent = way.send(file)
    assert (sent["accepted"], sent["refused"]) == (1, 0)
    assert sent["objects"][0]["status"] == "new"
    assert sent["objects"][0]["sha256"] == hashlib.sha256(file).hexdigest()
    assert sent["objects"][0]["size"] == len(file)
    technician, reporting, reviewing = (way.program(n) for n in ("technician", "reporting", "reviewing"))
    study = technician.get(f"/api/v1/studies/{way.study_uid}")
    assert (study["arrived"], study["safe"], study["state"]) == (1, True, "receiving")

    cast.run_jobs()
    row = reporting.get("/api/v1/worklist")["rows"][0]
    assert row["patient"] == {
        "name": "测试甲",
        "sex": "F",
        "age": {"value": 66, "unit": "year"},
        "patient_id": "FIC-P1",
        "id_last4": row["patient"]["id_last4"],
    }
    assert len(row["patient"]["id_last4"]) == 4
    assert (row["exam"], row["history"], row["accession_number"]) == (
        "十二导联心电图",
        "胸闷三天",
        "FIC-0001",
    )
    assert (row["priority"], row["effective_priority"], row["raised_because"]) == (
        "routine",
        "urgent",
        "AFIB",
    )
    assert row["ai"] == {"state": "done", "flags": ["AFIB"]}
    assert row["order_source"] == "api"

    way.case_id = row["id"]
    assert reporting.get(way.path)["can"]["claim"] is True
    claimed = reporting.post(f"{way.path}/claim")
    assert (claimed["state"], claimed["holder"]) == ("reading", {"name": "虚构报告医师", "mine": True})
    assert technician.get(f"/api/v1/studies/{way.study_uid}")["reader"] == "虚构报告医师"
    draft = reporting.put(f"{way.path}/draft", {**REPORT, "revision": 0})
    assert (draft["state"], draft["revision"], draft["author"]) == ("draft", 1, "虚构报告医师")
    signed = reporting.post(f"{way.path}/sign", {"revision": 1})
    assert (signed["state"], signed["report"]["state"]) == ("awaiting_review", "awaiting_review")
    assert reviewing.get("/api/v1/worklist", params={"view": "review"})["rows"][0]["id"] == way.case_id
    final = reviewing.post(f"{way.path}/review", {"decision": "approve", "revision": 1})
    assert (final["state"], final["report"]["reviewed_by"]) == ("final", "虚构审核医师")

    cast.run_jobs()
    exam = technician.get("/api/v1/exams")["exams"][0]
    assert (exam["state"], exam["placed"], exam["report"]["abnormal"]) == ("reported", 1, False)
    for name in ("technician", "family"):
        person = way.program(name)
        mail = person.get("/api/v1/inbox", params={"open": 1})["rows"][0]
        assert mail["report"]["impression"] == REPORT["impression"]
        assert mail["reporting_institution"] == "虚构县医院（甲）"
        assert mail["study_instance_uid"] == way.study_uid
        pdf = person.get(mail["pdf_url"])
        assert pdf.headers["content-type"] == "application/pdf"
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages)
        assert "测试甲" in text
        assert REPORT["impression"] in text
        assert final["report"]["verification_code"] in text.replace("-", "").replace(" ", "")
        assert person.post(f"/api/v1/inbox/{mail['id']}/open")["opened_at"] is not None
        assert person.post(f"/api/v1/inbox/{mail['id']}/acknowledge")["acknowledged_at"] is not None
        assert person.get("/api/v1/inbox", params={"open": 1})["rows"] == []


def test_a_resident_without_a_contract_still_has_a_recipient(cast: Cast, way: Way) -> None:
    way.release()
    from tests.cast import UNCONTRACTED

    patient = {
        "patient_id": "FIC-P2",
        "name": "虚构乙",
        "sex": "M",
        "birth_date": "1951-07-04",
        "id_card_number": UNCONTRACTED,
    }
    way.order(accession_number="FIC-0002", patient=patient)
    way.send(ecg_bytes(patient_id="FIC-P2", patient_name="虚构乙", accession="FIC-0002"))
    cast.run_jobs()
    rows = way.program("reporting").get("/api/v1/worklist")["rows"]
    way.case_id = next(row["id"] for row in rows if row["study_instance_uid"] == way.study_uid)
    way.sign()
    way.approve()
    cast.run_jobs()
    institution = way.program("technician").get("/api/v1/inbox")["rows"]
    family = way.program("family").get("/api/v1/inbox")["rows"]
    assert sorted(row["patient"]["name"] for row in institution) == ["测试甲", "虚构乙"]
    assert [row["patient"]["name"] for row in family] == ["测试甲"]


def test_a_contract_that_ended_yesterday_brings_no_copy_today(cast: Cast, way: Way) -> None:
    from tests.cast import FORMER

    way.order(patient={**ORDER["patient"], "name": "测试丙", "id_card_number": FORMER})
    way.send()
    cast.run_jobs()
    way.case_id = way.program("reporting").get("/api/v1/worklist")["rows"][0]["id"]
    way.sign()
    way.approve()
    cast.run_jobs()
    assert way.program("family").get("/api/v1/inbox")["rows"] == []
    assert len(way.program("technician").get("/api/v1/inbox")["rows"]) == 1


def test_a_film_waits_for_its_quiet_period_and_says_that_no_model_reads_it(cast: Cast, way: Way) -> None:
    way.send(dr_bytes(patient_id="FIC-P3", patient_name="测试丁"))
    cast.run_jobs()
    assert way.program("reporting").get("/api/v1/worklist")["rows"] == []
    technician = way.program("technician")
    assert technician.get(f"/api/v1/studies/{way.study_uid}")["complete"] is False
    cast.clock.move(seconds=31)
    cast.run_jobs()
    row = way.program("reporting").get("/api/v1/worklist")["rows"][0]
    assert (row["modality"], row["ai"]["state"], row["order_source"]) == ("DX", "no_model", "study")
    assert technician.get(f"/api/v1/studies/{way.study_uid}")["complete"] is True


def test_an_image_that_comes_late_joins_its_case_and_the_reader_is_told(cast: Cast, way: Way) -> None:
    same = {"patient_id": "FIC-P3", "patient_name": "测试丁", "study_uid": uid("late-study")}
    way.send(dr_bytes(seed=1, **same))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    reporting = way.program("reporting")
    way.case_id = reporting.get("/api/v1/worklist")["rows"][0]["id"]
    way.write()
    way.send(dr_bytes(seed=2, **same))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    case = reporting.get(way.path)
    assert case["generation"] == 2
    assert [notice["code"] for notice in case["notices"]] == ["notice.late_objects"]
    assert sum(len(series["instances"]) for series in case["series"]) == 2


def test_an_image_after_the_signature_opens_a_follow_up_and_the_report_stays_in_force(
    cast: Cast, way: Way
) -> None:
    same = {"patient_id": "FIC-P3", "patient_name": "测试丁", "study_uid": uid("late-study")}
    way.send(dr_bytes(seed=1, **same))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    way.case_id = way.program("reporting").get("/api/v1/worklist")["rows"][0]["id"]
    way.sign()
    way.approve()
    cast.run_jobs()
    way.send(dr_bytes(seed=2, **same))
    cast.clock.move(seconds=31)
    cast.run_jobs()
    rows = way.program("reporting").get("/api/v1/worklist")["rows"]
    assert [row["study_instance_uid"] for row in rows] == [way.study_uid]
    assert rows[0]["id"] != way.case_id
    exam = way.program("technician").get("/api/v1/exams")["exams"][0]
    assert exam["state"] == "waiting"
    assert exam["report"]["pdf_url"] is not None


def test_a_repeat_request_is_seen_by_the_township_with_its_reason(way: Way) -> None:
    way.arrive()
    reporting = way.program("reporting")
    reporting.post(f"{way.path}/claim")
    reporting.post(f"{way.path}/repeat", {"reason": "V3 导联脱落，请重做"})
    exam = way.program("technician").get("/api/v1/exams")["exams"][0]
    assert (exam["state"], exam["repeat_reason"]) == ("repeat", "V3 导联脱落，请重做")
    page = way.program("technician").get("/township", headers={"Accept": "text/html"})
    assert "V3 导联脱落，请重做" in page.text


def test_a_signed_exam_is_amended_and_not_asked_to_be_repeated(way: Way) -> None:
    first = way.release()
    reporting = way.program("reporting")
    opened = reporting.post(f"{way.path}/amend", {"reason": "补充诊断"})
    assert (opened["can"]["write"], opened["can"]["repeat"]) == (True, False)
    refused = reporting.post(f"{way.path}/repeat", {"reason": "误点"}, expect=409)
    assert refused["code"] == "error.report_is_signed"
    case = reporting.get(way.path)
    assert (case["state"], case["versions"][0]["id"]) == ("reading", first["id"])


def test_an_amendment_reaches_the_family_doctor_whose_contract_has_ended_since(cast: Cast, way: Way) -> None:
    way.release()
    family, day = way.program("family"), timedelta(days=1)
    (before,) = family.get("/api/v1/inbox")["rows"]
    family.post(f"/api/v1/inbox/{before['id']}/open")
    with cast.world.unit_of_work() as uow:
        case = uow.cases.of_study(1)[0]
        resident = uow.patients.get(case.patient_id).resident_id
        assert resident is not None
        for contract in uow.residents.contracts(resident):
            contract.valid_to = (cast.clock.now() - 2 * day).date()
        uow.commit()
    way.program("reporting").post(f"{way.path}/amend", {"reason": "更正"})
    way.sign()
    way.approve()
    cast.run_jobs()
    (after,) = family.get("/api/v1/inbox")["rows"]
    assert (after["report"]["number"], after["opened_at"]) == (2, None)


def test_an_amendment_replaces_the_report_for_everyone_who_had_it(cast: Cast, way: Way) -> None:
    first = way.release()
    reporting, technician = way.program("reporting"), way.program("technician")
    opened = reporting.post(f"{way.path}/amend", {"reason": "补充诊断"})
    assert (opened["report"]["number"], opened["report"]["state"]) == (2, "draft")
    assert opened["report"]["impression"] == REPORT["impression"]
    # Until the next version is final the signed one stays in force.
    assert technician.get("/api/v1/exams")["exams"][0]["report"]["id"] == first["id"]
    revision = opened["report"]["revision"]
    changed = {**REPORT, "impression": "窦性心动过缓", "abnormal": True, "revision": revision}
    draft = reporting.put(f"{way.path}/draft", changed)
    reporting.post(f"{way.path}/sign", {"revision": draft["revision"]})
    final = way.approve()
    cast.run_jobs()
    assert [version["state"] for version in final["versions"]] == ["amended", "final"]
    mails = technician.get("/api/v1/inbox")["rows"]
    assert [(mail["report"]["number"], mail["report"]["impression"]) for mail in mails] == [
        (2, "窦性心动过缓")
    ]
    assert technician.get(f"/api/v1/reports/{first['id']}/pdf").status_code == 200
    page = technician.get(f"/verify/{first['verification_code']}", headers={"Accept": "text/html"})
    assert final["report"]["verification_code"] not in page.text


def test_the_printed_age_is_that_of_the_day_where_the_exam_was_made(cast: Cast, way: Way) -> None:
    """At 17:00 UTC it is already tomorrow, and a birthday, in China."""
    cast.clock.instant = datetime(2026, 11, 20, 17, tzinfo=UTC)
    way.order(patient={"patient_id": "FIC-P1", "name": "测试甲", "sex": "F", "birth_date": "1960-11-21"})
    way.send()
    cast.run_jobs()
    with cast.world.unit_of_work(write=False) as uow:
        case = uow.cases.of_study(1)[0]
        study, patient = uow.studies.get(case.study_id), uow.patients.get(case.patient_id)
    assert patient.birth_date == date(1960, 11, 21)
    assert age_text(patient, study, "zh-CN", ZoneInfo("Asia/Shanghai")) == "66岁"
