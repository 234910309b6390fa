"""An emergency report goes out at once, plainly marked; the final one follows and takes its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Cast
from tests.integration.web.conftest import REPORT, Way


def mails(way: Way, who: str = "technician") -> list[Any]:
    rows: list[Any] = way.program(who).get("/api/v1/inbox")["rows"]
    return rows


def release(way: Way, expect: int = 200) -> Any:
    draft = way.write(impression="急性ST段抬高，请结合临床", abnormal=True)
    path = f"{way.path}/preliminary"
    return way.program("reporting").post(path, {"revision": draft["revision"]}, expect=expect)


def test_it_is_out_before_the_second_signature_and_the_final_follows_it(cast: Cast, way: Way) -> None:
    way.arrive(priority="stat")
    case = release(way)
    # The same key twice, with what was shown then.
    assert way.program("reporting").post(f"{way.path}/preliminary", {"revision": 1})["report"]["number"] == 2
    assert [one["state"] for one in case["versions"]] == ["preliminary", "draft"]
    assert (case["state"], case["holder"]["mine"], case["can"]["preliminary"]) == ("reading", True, False)
    # What went out is where the final report begins.
    assert case["report"]["impression"] == "急性ST段抬高，请结合临床"
    cast.run_jobs()
    for who in ("technician", "family"):
        (mail,) = mails(way, who)
        assert (mail["report"]["state"], mail["report"]["number"]) == ("preliminary", 1)
    exam = way.program("technician").get("/api/v1/exams")["exams"][0]
    assert (exam["state"], exam["report"]["preliminary"]) == ("reading", True)
    assert way.program("technician").http.get(mail["pdf_url"]).content.startswith(b"%PDF")
    code = case["versions"][0]["verification_code"]
    assert "急诊初步报告" in way.program("technician").http.get(f"/verify/{code}").text

    doctor = way.program("reporting")
    draft = doctor.put(f"{way.path}/draft", {**REPORT, "impression": "急性前壁心肌梗死", "revision": 0})
    doctor.post(f"{way.path}/sign", {"revision": draft["revision"]})
    cast.run_jobs()
    # Until the second signature the emergency report is what they have.
    assert [one["report"]["number"] for one in mails(way)] == [1]
    way.approve()
    cast.run_jobs()
    for who in ("technician", "family"):
        (mail,) = mails(way, who)
        assert (mail["report"]["state"], mail["report"]["number"]) == ("final", 2)
        assert mail["opened_at"] is None
    versions = doctor.get(way.path)["versions"]
    assert [(one["state"], one["impression"]) for one in versions] == [
        ("amended", "急性ST段抬高，请结合临床"),
        ("final", "急性前壁心肌梗死"),
    ]
    assert way.program("technician").http.get(versions[0]["pdf_url"]).content.startswith(b"%PDF")
    assert versions[1]["id"] != versions[0]["id"]


@pytest.mark.parametrize("priority", ["urgent", "routine"])
def test_it_is_for_emergencies_alone(way: Way, priority: str) -> None:
    way.arrive(priority=priority)
    assert release(way, expect=409)["code"] == "error.preliminary_only_for_emergencies"
    assert way.program("reporting").get(way.path)["can"]["preliminary"] is False


def test_what_is_out_is_not_asked_for_again_as_a_recording(way: Way) -> None:
    way.arrive(priority="stat")
    release(way)
    refused = way.program("reporting").post(f"{way.path}/repeat", {"reason": "导联脱落"}, expect=409)
    assert refused["code"] == "error.report_is_signed"


def test_one_signature_never_takes_the_place_of_what_two_have_signed(cast: Cast, way: Way) -> None:
    way.arrive(priority="stat")
    way.sign()
    way.approve()
    doctor = way.program("reporting")
    for _ in range(2):
        # The same key twice opens one amendment.
        case = doctor.post(f"{way.path}/amend", {"reason": "补充测量"})
        assert (case["report"]["number"], case["can"]["preliminary"]) == (2, False)
    doctor.post(f"{way.path}/amend", {"reason": "补充测量"})
    refused = release(way, expect=409)
    assert refused["code"] == "error.preliminary_after_release"
    assert [one["state"] for one in doctor.get(way.path)["versions"]] == ["final", "draft"]


def test_an_amendment_is_opened_by_who_may_sign_it(way: Way) -> None:
    way.release()
    trainee = way.program("trainee")
    assert trainee.get(way.path)["can"]["amend"] is False
    refused = trainee.post(f"{way.path}/amend", {"reason": "补充测量"}, expect=403)
    assert refused["code"] == "error.signer_without_license"
    assert way.program("reporting").get(way.path)["can"]["amend"] is True
