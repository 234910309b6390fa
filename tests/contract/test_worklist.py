"""The order of the list, its pages, and who sees which rows."""

import random

import pytest

from telemed.application.world import World
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import InvalidInput
from telemed.domain.order import Priority
from telemed.domain.people import User
from tests.contract.cast import Cast, a_study, add_case, add_delivered_report, instant
from tests.contract.world import NOON


def list_order(case: Case) -> tuple[int, object, object, int]:
    return (int(case.effective_priority), case.deadline, case.arrived_at, case.id)


def seen_by(world: World, cast: Cast, user: User, view: str = "all") -> set[int]:
    with world.unit_of_work(write=False) as uow:
        page = uow.cases.worklist(cast.actor(user), view, None, 100, NOON)
    return {row.case.id for row in page.rows}


def test_the_list_is_ordered_by_priority_deadline_and_arrival(world: World, cast: Cast) -> None:
    chance = random.Random(20261120)
    with world.unit_of_work() as uow:
        cases = [
            add_case(
                uow,
                cast,
                effective_priority=chance.choice(list(Priority)),
                # Few different values: each part of the order has to decide some of them.
                deadline=instant(chance.choice((5, 5.0001, 30))),
                arrived_at=instant(chance.choice((-2, -1))),
            )
            for _ in range(40)
        ]
        uow.commit()
    expected = [case.id for case in sorted(cases, key=list_order)]
    shown: list[int] = []
    cursor, pages = None, 0
    while True:
        with world.unit_of_work(write=False) as uow:
            page = uow.cases.worklist(cast.actor(cast.doctor), "waiting", cursor, 7, NOON)
        shown += [row.case.id for row in page.rows]
        pages, cursor = pages + 1, page.next_cursor
        if cursor is None:
            break
    assert (shown, pages) == (expected, 6)


def test_a_case_that_comes_between_two_pages_shifts_no_row(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        cases = [add_case(uow, cast, deadline=instant(number)) for number in range(6)]
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        first = uow.cases.worklist(cast.actor(cast.doctor), "waiting", None, 3, NOON)
    with world.unit_of_work() as uow:
        add_case(uow, cast, effective_priority=Priority.STAT)
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        second = uow.cases.worklist(cast.actor(cast.doctor), "waiting", first.next_cursor, 3, NOON)
    assert [row.case.id for row in (*first.rows, *second.rows)] == [case.id for case in cases]


# A row of a number that no database counts to, and an instant that no calendar has.
BEYOND = [f"0.{1:018}.{1:018}.{10**19 - 1:019}", f"0.{10**18 - 1:018}.{1:018}.{1:019}"]


@pytest.mark.parametrize("cursor", ["x", "1.2.3.4", f"7.{1:018}.{1:018}.{1:019}", "ÿ", "１", *BEYOND])
def test_a_made_up_cursor_is_refused(world: World, cast: Cast, cursor: str) -> None:
    with world.unit_of_work(write=False) as uow, pytest.raises(InvalidInput):
        uow.cases.worklist(cast.actor(cast.doctor), "waiting", cursor, 3, NOON)


def test_each_role_sees_the_cases_of_its_own_scope(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        own = add_case(uow, cast)
        elsewhere = add_case(
            uow,
            cast,
            institution_id=cast.other_township.id,
            reporting_institution_id=cast.other_hospital.id,
        )
        unrouted = add_case(uow, cast, reporting_institution_id=None)
        add_delivered_report(uow, cast, own, cast.family_doctor)
        uow.commit()
    assert seen_by(world, cast, cast.doctor) == {own.id}
    assert seen_by(world, cast, cast.other_doctor) == {elsewhere.id}
    assert seen_by(world, cast, cast.technician) == {own.id, unrouted.id}
    assert seen_by(world, cast, cast.other_technician) == {elsewhere.id}
    assert seen_by(world, cast, cast.family_doctor) == {own.id}
    assert seen_by(world, cast, cast.other_family_doctor) == set()
    assert seen_by(world, cast, cast.administrator) == set()


def test_a_row_of_another_scope_cannot_be_fetched_by_its_identifier(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast)
        report, delivery = add_delivered_report(uow, cast, case, cast.family_doctor)
        study = uow.studies.get(case.study_id)
        uow.commit()
    sees = {cast.doctor: True, cast.technician: True, cast.family_doctor: True}
    for user in (
        *sees,
        cast.other_doctor,
        cast.other_technician,
        cast.other_family_doctor,
        cast.administrator,
    ):
        actor, expected = cast.actor(user), sees.get(user, False)
        with world.unit_of_work(write=False) as uow:
            assert (uow.cases.visible(actor, case.uid) is not None) is expected
            assert (uow.cases.row(actor, case.uid) is not None) is expected
            assert (len(uow.cases.rows_of(actor, [case.id])) == 1) is expected
            assert (uow.reports.visible(actor, report.uid) is not None) is expected
            found = uow.studies.visible_study(actor, study.study_instance_uid)
            assert (found is not None) is expected
            assert (uow.deliveries.visible(actor, delivery.uid) is not None) is (user is cast.family_doctor)
            assert len(uow.deliveries.inbox(actor, 10, open_only=True)) == (user is cast.family_doctor)


def test_a_township_sees_its_study_before_there_is_a_case(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast))
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        for user, expected in ((cast.technician, True), (cast.other_technician, False), (cast.doctor, False)):
            found = uow.studies.visible_study(cast.actor(user), study.study_instance_uid)
            assert (found is not None) is expected
            lines = uow.studies.exams(cast.actor(user), instant(-60), 10)
            assert [line.study.id for line in lines] == ([study.id] if expected else [])


def test_counts_are_those_of_the_views(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        add_case(uow, cast, deadline=instant(-1))
        mine = add_case(uow, cast)
        mine.claim(cast.doctor.id, NOON)
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        counts = uow.cases.counts(cast.actor(cast.doctor), NOON)
    assert (counts["waiting"], counts["mine"], counts["overdue"], counts["all"]) == (2, 1, 1, 2)


def test_a_site_sees_what_it_is_to_make_again_until_it_is_settled(world: World, cast: Cast) -> None:
    back = {"state": CaseState.REPEAT_REQUESTED, "repeat_asked_at": instant(-60 * 24 * 9)}
    with world.unit_of_work() as uow:
        younger = add_case(uow, cast, **{**back, "repeat_asked_at": instant(-60 * 24 * 3)})
        older = add_case(uow, cast, **back)
        recent = add_case(uow, cast, **back, repeat_closed_at=instant(-5), repeat_answer_id=younger.study_id)
        add_case(uow, cast, **back, repeat_closed_at=instant(-60 * 24 * 2))
        add_case(uow, cast, state=CaseState.FINAL, repeat_answer_id=older.study_id)
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        lines = uow.studies.repeats(cast.actor(cast.technician), instant(-60), 10)
        assert [line.study.id for line in lines] == [older.study_id, younger.study_id, recent.study_id]
        assert [line.repeat.repeat_is_open for line in lines if line.repeat] == [True, True, False]
        assert [line.answer and line.answer.id for line in lines] == [None, None, younger.study_id]
        assert uow.studies.repeats(cast.actor(cast.other_technician), instant(-60), 10) == []
        asked = uow.cases.open_repeats(cast.township.id, cast.patient.id, "ECG")
        assert [case.id for case in asked] == [younger.id, older.id]
        assert uow.cases.open_repeats(cast.township.id, cast.patient.id, "DX") == []
        assert [case.id for case in uow.cases.repeats_answered_by(younger.study_id)] == [recent.id]
