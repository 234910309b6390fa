"""The list over HTTP: what a row says, what moves it, who is found, and that nobody's name is left behind."""

from typing import Any

import pytest
from sqlalchemy import text

from telemed.application.usual_critical_values import seed_critical_values
from telemed.domain.routing import Duty
from tests.cast import CONTRACTED, HOSPITAL_A, Cast
from tests.factories.dicom import ecg_bytes
from tests.integration.web.conftest import ORDER, Way

FORMS = ("测试甲", "测试", "ceshijia", "cesh", "CSJ", "FIC-P1", "fic-0001", CONTRACTED, CONTRACTED[-4:])


@pytest.fixture
def seeded(cast: Cast) -> None:
    hospital = cast.sites[HOSPITAL_A]
    assert hospital.consortium_id is not None
    with cast.world.unit_of_work() as uow:
        seed_critical_values(cast.world, uow, consortium_id=hospital.consortium_id, hospital_id=hospital.id)
        uow.commit()


def rows(way: Way, view: str = "waiting", who: str = "reporting") -> Any:
    return way.program(who).get(f"/api/v1/worklist?view={view}")["rows"]


def counts(way: Way, who: str = "reporting") -> Any:
    return way.program(who).get("/api/v1/worklist")["counts"]


@pytest.mark.parametrize("typed", FORMS)
def test_a_patient_is_found_by_name_reading_initials_and_numbers(way: Way, typed: str) -> None:
    way.arrive()
    found = way.program("reporting").post("/api/v1/worklist/search", {"text": typed})
    assert [row["id"] for row in found["rows"]] == [way.case_id]
    assert (found["next_cursor"], found["partial"]) == (None, False)


def test_a_search_finds_what_is_done_too(way: Way) -> None:
    way.release()
    found = way.program("reporting").post("/api/v1/worklist/search", {"text": "csj"})
    assert [row["state"] for row in found["rows"]] == ["final"]


def test_a_search_is_recorded_without_what_was_typed(way: Way, cast: Cast) -> None:
    way.arrive()
    for typed in ("测试甲", "FIC-P1", CONTRACTED):
        way.program("reporting").post("/api/v1/worklist/search", {"text": typed})
    with cast.world.unit_of_work(write=False) as uow:
        events = [e for e in uow.events.after(0, 500) if e.kind == "query.answered"]
    assert [event.facts for event in events] == [
        {"keys": ["name"], "answers": 1},
        {"keys": ["number"], "answers": 1},
        {"keys": ["card_hash"], "answers": 1},
    ]


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 121}, {"text": "虚", "limit": 1000}])
def test_a_search_that_asks_for_nothing_is_refused(way: Way, body: Any) -> None:
    way.program("reporting").post("/api/v1/worklist/search", body, expect=422)


def test_a_search_of_separators_alone_finds_nobody(way: Way) -> None:
    way.arrive()
    for typed in (" ", "·", "^", "%"):
        assert way.program("reporting").post("/api/v1/worklist/search", {"text": typed})["rows"] == []


def test_a_raised_critical_value_moves_its_case_up_until_it_is_closed(way: Way, seeded: None) -> None:
    way.arrive()
    assert counts(way)["critical"] == 0
    raised = way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    (row,) = rows(way, "critical")
    assert (row["critical"], row["effective_priority"], row["raised_because"]) == (
        "critical",
        "stat",
        "critical",
    )
    assert "critical" in row["views"]
    assert counts(way)["critical"] == 1
    way.program("reporting").post(f"/api/v1/critical/{raised['id']}/withdraw", {"reason": "虚构"})
    assert rows(way, "critical") == []
    # What was raised once stays as urgent as it was.
    (row,) = rows(way)
    assert (row["critical"], row["effective_priority"]) == (None, "stat")


def test_a_signed_case_stays_in_the_critical_view_until_the_value_is_closed(way: Way, seeded: None) -> None:
    way.arrive()
    way.program("reporting").post(f"{way.path}/critical", {"code": "ecg.avb3"})
    way.sign()
    way.approve()
    (row,) = rows(way, "critical")
    assert (row["state"], sorted(row["views"])) == ("final", ["critical", "done"])


def test_a_report_sent_back_stands_in_its_view_until_it_is_signed_again(way: Way) -> None:
    way.arrive()
    way.sign()
    assert counts(way)["review"] == 1
    revision = way.program("reviewing").get(way.path)["report"]["revision"]
    body = {"decision": "return", "revision": revision, "comment": "虚构"}
    way.program("reviewing").post(f"{way.path}/review", body)
    (row,) = rows(way, "returned")
    assert row["returned"]
    assert counts(way)["returned"] == 1
    way.sign()
    assert rows(way, "returned") == []
    assert not rows(way, "review")[0]["returned"]


def test_priors_say_what_was_found_then_and_the_look_is_recorded(way: Way, cast: Cast) -> None:
    way.release()
    first = way.case_id
    way.program("technician").post("/api/v1/orders", ORDER | {"accession_number": "FIC-0002"}, expect=201)
    way.send(ecg_bytes(patient_id="FIC-P1", patient_name="测试甲", accession="FIC-0002", seed="second"))
    cast.run_jobs()
    (row,) = rows(way)
    assert row["priors"]["count"] == 1
    (prior,) = way.program("reporting").get(f"/api/v1/cases/{row['id']}/priors")["rows"]
    assert (prior["id"], prior["impression"], prior["comparable"]) == (first, "正常心电图", True)
    assert (prior["earlier"], prior["same_part"]) == (True, True)
    assert row["priors"]["latest"] == prior["arrived_at"]
    # Seen from the one before, this one is a later exam.
    (after,) = way.program("reporting").get(f"/api/v1/cases/{first}/priors")["rows"]
    assert (after["id"], after["earlier"]) == (row["id"], False)
    with cast.world.unit_of_work(write=False) as uow:
        looks = [e for e in uow.events.after(0, 500) if e.facts.get("keys") == ["priors"]]
    assert [(look.case_id is not None, look.facts["answers"]) for look in looks] == [(True, 1)] * 2
    way.program("reporting-b").get(f"/api/v1/cases/{row['id']}/priors", expect=404)
    way.program("technician").get(f"/api/v1/cases/{row['id']}/priors", expect=403)


def test_a_modality_cuts_the_list(way: Way) -> None:
    way.arrive()
    reader = way.program("reporting")
    assert len(reader.get("/api/v1/worklist?modality=ECG")["rows"]) == 1
    assert reader.get("/api/v1/worklist?modality=CT")["rows"] == []
    reader.get("/api/v1/worklist?view=nonsense", expect=422)


def test_a_reader_on_duty_elsewhere_reads_there_and_only_as_long(way: Way, cast: Cast) -> None:
    """The other hospital's own reader, on duty for the first one's group."""
    way.arrive()
    engine = cast.world.unit_of_work.engine  # type: ignore[attr-defined]
    reader = cast.people["reporting-b"]
    way.program("reporting-b").get(way.path, expect=404)
    with engine.begin() as connection:
        # Of the same consortium: a duty reaches no further.
        group = connection.execute(text("SELECT id FROM reading_group WHERE code = 'a-reading'")).scalar_one()
    with cast.world.unit_of_work() as uow:
        uow.rules.add(
            Duty(
                reading_group_id=group,
                user_id=reader.id,
                starts_at=cast.clock.now(),
                ends_at=None,
            )
        )
        uow.commit()
    way.program("reporting-b").get(way.path, expect=404)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE user_account SET consortium_id = :consortium WHERE id = :reader"),
            {"consortium": cast.sites[HOSPITAL_A].consortium_id, "reader": reader.id},
        )
    assert way.program("reporting-b").get(way.path)["id"] == way.case_id
    assert [row["id"] for row in rows(way, who="reporting-b")] == [way.case_id]
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE duty SET ends_at = :end WHERE user_id = :reader"),
            {"end": "2026-01-01 00:00:00", "reader": reader.id},
        )
    way.program("reporting-b").get(way.path, expect=404)
