"""What helps to write a report: the centre's texts, the reports before, and what review made of the words."""

from __future__ import annotations

from typing import Any

from tests.cast import HOSPITAL_A, TOWNSHIP_A1, Cast
from tests.factories.dicom import ecg_bytes
from tests.integration.web.conftest import REPORT, Way

WORDS: dict[str, Any] = {**REPORT, "impression": "窦性心动过缓", "abnormal": True}


def review(way: Way, **body: Any) -> Any:
    reviewer = way.program("reviewing")
    revision = reviewer.get(way.path)["report"]["revision"]
    return reviewer.post(f"{way.path}/review", {"decision": "approve", "revision": revision, **body})


def test_the_first_signer_sees_what_review_made_of_the_words(cast: Cast, way: Way) -> None:
    way.arrive()
    way.sign()
    final = review(way, words=WORDS)
    assert (final["state"], final["report"]["impression"]) == ("final", "窦性心动过缓")
    junior = way.program("reporting")
    report = junior.get(way.path)["report"]
    assert (report["submitted"]["impression"], report["signed_by"]) == (REPORT["impression"], "虚构报告医师")
    told = junior.get("/api/v1/notices")["notices"]
    assert [one["code"] for one in told] == ["notice.report_revised"]
    cast.run_jobs()
    (mail,) = way.program("technician").get("/api/v1/inbox")["rows"]
    assert mail["report"]["impression"] == "窦性心动过缓"
    code = report["verification_code"]
    assert way.program("technician").http.get(f"/verify/{code}").status_code == 200


def test_words_sent_back_are_the_first_signers_to_sign_again(way: Way) -> None:
    way.arrive()
    way.sign()
    back = review(way, decision="return", comment="请看修改", words=WORDS)
    assert (back["report"]["state"], back["report"]["impression"]) == ("draft", "窦性心动过缓")
    assert back["report"]["submitted"]["impression"] == REPORT["impression"]
    doctor = way.program("reporting")
    doctor.post(f"{way.path}/claim")
    again = doctor.post(f"{way.path}/sign", {"revision": back["report"]["revision"]})
    assert (again["state"], again["report"]["submitted"]) == ("awaiting_review", None)


def test_unchanged_words_and_incomplete_ones(way: Way) -> None:
    way.arrive()
    way.sign()
    reviewer = way.program("reviewing")
    body = {"decision": "approve", "revision": 1, "words": {**WORDS, "impression": " "}}
    assert reviewer.post(f"{way.path}/review", body, expect=422)["field"] == "impression"
    assert reviewer.get(way.path)["report"]["submitted"] is None
    assert review(way, words=dict(REPORT))["report"]["submitted"] is None


def test_a_centre_hangs_its_exams_and_no_other_s(cast: Cast, way: Way) -> None:
    admin, reader = way.program("admin"), way.program("reporting")
    rule = {"institution": cast.sites[HOSPITAL_A].uid, "modality": "ct", "prior": True, "window": 2}
    for change in ({}, {"window": 3}, {"body_part": "head", "window": 5, "prior": False}):
        kept = admin.post("/api/v1/admin/hanging", {**rule, **change}, expect=201)
    elsewhere = {**rule, "institution": cast.sites[TOWNSHIP_A1].uid, "modality": "DX"}
    admin.post("/api/v1/admin/hanging", elsewhere | {"window": 4}, expect=422)
    admin.post("/api/v1/admin/hanging", elsewhere, expect=201)
    assert reader.get("/api/v1/hanging") == [
        {"modality": "CT", "body_part": "HEAD", "prior": False, "window": 5},
        {"modality": "CT", "body_part": "", "prior": True, "window": 3},
    ]
    assert len(admin.get("/api/v1/admin/hanging")) == 3
    assert admin.http.delete(f"/api/v1/admin/hanging/{kept['id']}").status_code == 204
    assert len(reader.get("/api/v1/hanging")) == 1


def test_a_centres_texts_are_kept_under_their_codes(way: Way) -> None:
    admin = way.program("admin")
    text = {"kind": "macro", "code": "SB", "title": "心动过缓", "findings": "窦性心动过缓", "modality": "ecg"}
    kept = admin.post("/api/v1/admin/report-texts", text, expect=201)
    assert (kept["code"], kept["modality"]) == ("sb", "ECG")
    admin.post("/api/v1/admin/report-texts", {**text, "findings": "窦缓"}, expect=201)
    (read,) = way.program("reporting").get("/api/v1/report-texts")
    assert (read["id"], read["findings"]) == (kept["id"], "窦缓")
    assert way.program("reporting-b").get("/api/v1/report-texts") == []
    refused = admin.post("/api/v1/admin/report-texts", {**text, "code": "窦"}, expect=422)
    assert (refused["code"], refused["field"]) == ("error.text_code_invalid", "code")
    assert admin.http.delete(f"/api/v1/admin/report-texts/{kept['id']}").status_code == 204
    assert way.program("reporting").get("/api/v1/report-texts") == []


def test_the_reports_before_come_with_their_words(cast: Cast, way: Way) -> None:
    way.release()
    way.program("technician").upload(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", seed=7))
    cast.run_jobs()
    (row,) = way.program("reporting").get("/api/v1/worklist")["rows"]
    (prior,) = way.program("reporting").get(f"/api/v1/cases/{row['id']}/priors")["rows"]
    assert (prior["findings"], prior["impression"]) == (REPORT["findings"], REPORT["impression"])
    assert way.program("reporting").http.get(prior["pdf_url"]).content.startswith(b"%PDF")
