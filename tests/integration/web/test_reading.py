"""Two doctors at one case, clicks that come twice, and what a signature binds."""

from __future__ import annotations

from telemed.domain.events import Kind
from tests.cast import Cast
from tests.integration.web.conftest import REPORT, Way


def test_a_claimed_case_is_held_against_others_until_its_lease_ends(cast: Cast, way: Way) -> None:
    way.arrive()
    first, second = way.program("reporting"), way.program("colleague")
    first.post(f"{way.path}/claim")
    refused = second.post(f"{way.path}/claim", expect=409)
    assert refused["code"] == "error.case_is_claimed"
    assert second.get(way.path)["holder"] == {"name": "虚构报告医师", "mine": False}
    assert second.get(way.path)["can"]["claim"] is False
    cast.clock.move(minutes=15)
    assert second.post(f"{way.path}/claim")["holder"] == {"name": "虚构同事", "mine": True}
    late = first.put(f"{way.path}/draft", {**REPORT, "revision": 0}, expect=409)
    assert late["code"] == "error.case_not_claimed_by_you"


def test_a_case_given_back_can_be_taken_by_another(way: Way) -> None:
    way.arrive()
    way.program("reporting").post(f"{way.path}/claim")
    assert way.program("reporting").post(f"{way.path}/release")["state"] == "waiting"
    assert way.program("colleague").post(f"{way.path}/claim")["state"] == "reading"


def test_saving_renews_the_lease(cast: Cast, way: Way) -> None:
    way.arrive()
    way.write()
    cast.clock.move(minutes=14)
    doctor = way.program("reporting")
    doctor.put(f"{way.path}/draft", {**REPORT, "revision": 1})
    cast.clock.move(minutes=14)
    assert doctor.put(f"{way.path}/draft", {**REPORT, "revision": 2})["revision"] == 3


def test_a_save_over_a_newer_save_is_a_conflict_and_loses_nothing(way: Way) -> None:
    way.arrive()
    way.write(findings="第一次")
    doctor = way.program("reporting")
    refused = doctor.put(f"{way.path}/draft", {**REPORT, "findings": "旧页面", "revision": 0}, expect=409)
    assert refused["code"] == "error.report_changed_since_shown"
    assert doctor.get(way.path)["report"]["findings"] == "第一次"


def test_a_signature_binds_the_revision_that_was_shown(way: Way) -> None:
    way.arrive()
    way.write()
    doctor = way.program("reporting")
    doctor.put(f"{way.path}/draft", {**REPORT, "impression": "改过", "revision": 1})
    refused = doctor.post(f"{way.path}/sign", {"revision": 1}, expect=409)
    assert refused["code"] == "error.report_changed_since_shown"


def test_words_are_claimed_written_and_signed_in_one_step_or_not_at_all(cast: Cast, way: Way) -> None:
    way.arrive()
    doctor, other = way.program("reporting"), way.program("colleague")
    empty = {**REPORT, "impression": " "}
    assert (
        doctor.post(f"{way.path}/sign", {"revision": 0, "words": empty}, expect=422)["field"] == "impression"
    )
    assert (doctor.get(way.path)["report"], doctor.get(way.path)["holder"]) == (None, None)
    for _ in range(2):
        signed = doctor.post(f"{way.path}/sign", {"revision": 0, "words": REPORT})
        assert (signed["state"], signed["report"]["revision"]) == ("awaiting_review", 1)
        assert {name: signed["report"][name] for name in REPORT} == REPORT
    # Other words than were signed are no second click.
    doctor.post(f"{way.path}/sign", {"revision": 0, "words": {**REPORT, "findings": "别的"}}, expect=409)
    with cast.world.unit_of_work(write=False) as uow:
        kinds = [event.kind for event in uow.events.after(0, 10_000)]
    assert (kinds.count(Kind.CASE_CLAIMED), kinds.count(Kind.REPORT_SIGNED)) == (1, 1)
    other.post(f"{way.path}/sign", {"revision": 1, "words": REPORT}, expect=409)


def test_words_upon_a_revision_that_is_not_the_last_or_a_case_of_another_are_refused(way: Way) -> None:
    way.arrive()
    way.write(findings="第一次")
    body = {"revision": 0, "words": REPORT}
    refused = way.program("reporting").post(f"{way.path}/sign", body, expect=409)
    assert refused["code"] == "error.report_changed_since_shown"
    held = way.program("colleague").post(f"{way.path}/sign", {**body, "revision": 1}, expect=409)
    assert held["code"] == "error.case_is_claimed"
    assert way.program("reporting").get(way.path)["report"]["findings"] == "第一次"


def test_the_same_click_twice_signs_once(cast: Cast, way: Way) -> None:
    way.arrive()
    draft = way.write()
    doctor = way.program("reporting")
    for _ in range(2):
        again = doctor.post(f"{way.path}/sign", {"revision": draft["revision"]})
        assert again["state"] == "awaiting_review"
    reviewer = way.program("reviewing")
    codes = set()
    for _ in range(2):
        body = {"decision": "approve", "revision": draft["revision"]}
        codes.add(reviewer.post(f"{way.path}/review", body)["report"]["verification_code"])
    assert len(codes) == 1
    cast.run_jobs()
    mails = way.program("technician").get("/api/v1/inbox")["rows"]
    assert len(mails) == 1
    acknowledged = {
        way.program("technician").post(f"/api/v1/inbox/{mails[0]['id']}/acknowledge")["acknowledged_at"]
        for _ in range(2)
    }
    assert len(acknowledged) == 1


def test_the_reviewer_s_click_comes_twice_and_counts_once(cast: Cast, way: Way) -> None:
    way.arrive()
    way.sign()
    reviewer, words = way.program("reviewing"), {**REPORT, "impression": "大致正常心电图"}
    back = {"decision": "return", "revision": 1, "comment": "请补充心率", "words": words}
    for _ in range(2):
        case = reviewer.post(f"{way.path}/review", back)
        assert (case["state"], case["report"]["revision"]) == ("waiting", 2)
    # Another comment is no second click.
    reviewer.post(f"{way.path}/review", {**back, "comment": "别的"}, expect=409)
    way.sign()
    approve = {"decision": "approve", "revision": 3, "words": words}
    for _ in range(2):
        case = reviewer.post(f"{way.path}/review", approve)
        assert (case["state"], case["report"]["revision"]) == ("final", 4)
    reviewer.post(f"{way.path}/review", {**approve, "words": REPORT}, expect=409)
    with cast.world.unit_of_work(write=False) as uow:
        kinds = [event.kind for event in uow.events.after(0, 10_000)]
    assert (kinds.count(Kind.REPORT_RETURNED), kinds.count(Kind.REPORT_APPROVED)) == (1, 1)


def test_a_repeat_is_asked_for_once_however_often_it_is_sent(cast: Cast, way: Way) -> None:
    way.arrive()
    doctor = way.program("reporting")
    asked = {"reason": "导联脱落", "code": "ecg.lead_off"}
    for _ in range(2):
        assert doctor.post(f"{way.path}/repeat", asked)["state"] == "repeat_requested"
    doctor.post(f"{way.path}/repeat", {**asked, "reason": "别的"}, expect=409)
    with cast.world.unit_of_work(write=False) as uow:
        kinds = [event.kind for event in uow.events.after(0, 10_000)]
    assert kinds.count(Kind.CASE_REPEAT_REQUESTED) == 1


def test_the_reviewer_is_never_the_signer(way: Way) -> None:
    way.arrive()
    way.sign("reviewing")
    reviewer = way.program("reviewing")
    assert reviewer.get(way.path)["can"]["review"] is False
    body = {"decision": "approve", "revision": 1}
    assert reviewer.post(f"{way.path}/review", body, expect=409)["code"] == "error.reviewer_is_author"
    back = {"decision": "return", "revision": 1, "comment": "x"}
    assert reviewer.post(f"{way.path}/review", back, expect=409)["code"] == "error.reviewer_is_author"


def test_a_returned_report_comes_back_to_the_list_with_its_comment(way: Way) -> None:
    way.arrive()
    way.sign()
    reviewer = way.program("reviewing")
    body = {"decision": "return", "revision": 1, "comment": ""}
    assert reviewer.post(f"{way.path}/review", body, expect=422)["code"] == "error.comment_required"
    back = reviewer.post(f"{way.path}/review", {**body, "comment": "请补充心率"})
    assert (back["state"], back["report"]["review_comment"]) == ("waiting", "请补充心率")
    assert way.write(findings="心率 72 次/分")["revision"] == 2


def test_who_has_no_licence_writes_but_does_not_sign(way: Way) -> None:
    way.arrive()
    draft = way.write("trainee")
    refused = way.program("trainee").post(f"{way.path}/sign", {"revision": draft["revision"]}, expect=403)
    assert refused["code"] == "error.signer_without_license"


def test_an_empty_report_is_not_signed_and_the_field_is_named(way: Way) -> None:
    way.arrive()
    way.write(impression=" ")
    refused = way.program("reporting").post(f"{way.path}/sign", {"revision": 1}, expect=422)
    assert (refused["code"], refused["field"]) == ("error.report_field_empty", "impression")
    assert "诊断意见" in refused["detail"]


def test_a_character_no_font_can_print_is_found_before_the_signature(way: Way) -> None:
    way.arrive()
    way.write(findings="房颤 \U00030000")
    refused = way.program("reporting").post(f"{way.path}/sign", {"revision": 1}, expect=422)
    assert refused["code"] == "error.glyphs_missing"
    assert "\U00030000" in refused["detail"]


def test_what_is_signed_cannot_be_written_over(way: Way) -> None:
    way.release()
    doctor = way.program("reporting")
    assert doctor.post(f"{way.path}/claim", expect=409)["code"] == "error.case_is_final"
    refused = doctor.put(f"{way.path}/draft", {**REPORT, "revision": 1}, expect=409)
    assert refused["code"] == "error.case_not_claimed_by_you"


def test_who_only_receives_never_sees_a_draft(way: Way) -> None:
    way.arrive()
    way.write(findings="尚未签名")
    case = way.program("technician").get(way.path)
    assert (case["report"], case["versions"]) == (None, [])
    assert not any(case["can"].values())
    assert way.program("family").get(way.path, expect=404)["code"] == "error.case_not_found"


def test_the_list_goes_on_where_its_page_ended(cast: Cast, way: Way) -> None:
    from tests.factories.dicom import ecg_bytes

    technician = way.program("technician")
    technician.upload(*(ecg_bytes(patient_id=f"FIC-{n}", seed=n) for n in range(5)))
    cast.run_jobs()
    doctor = way.program("reporting")
    whole = [row["id"] for row in doctor.get("/api/v1/worklist")["rows"]]
    found, cursor = [], None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = doctor.get("/api/v1/worklist", params=query)
        found += [row["id"] for row in page["rows"]]
        cursor = page["next_cursor"]
    assert (found, cursor) == (whole, None)
    refused = doctor.get("/api/v1/worklist", params={"cursor": "bm9uc2Vuc2U="}, expect=422)
    assert refused["code"] == "error.bad_cursor"
    assert doctor.get("/api/v1/worklist", params={"limit": 0}, expect=422)["code"] == "error.request_invalid"
