"""What the statements of the list say is what the domain says, on both engines, for every view."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.application.ports.worklist import Filter
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case, CaseState
from telemed.domain.critical import Tier
from telemed.domain.order import Priority
from telemed.domain.people import Institution
from telemed.domain.routing import Duty, ReadingGroup
from telemed.domain.worklist import COUNT_LIMIT, COUNTED, View, list_key, position, views_of
from tests.contract.cast import Cast, add_case, instant, uid
from tests.contract.world import NOON


def a_mixture(world: World, cast: Cast, count: int, seed: int = 1) -> list[Case]:
    """Cases of all kinds, with few different values: every part of the order has to decide some of them."""
    chance = random.Random(seed)
    cases = []
    with world.unit_of_work() as uow:
        for _ in range(count):
            state = chance.choice(list(CaseState))
            held = state is CaseState.READING
            cases.append(
                add_case(
                    uow,
                    cast,
                    reporting_institution_id=chance.choice(
                        (cast.hospital.id, cast.hospital.id, cast.other_hospital.id)
                    ),
                    modality=chance.choice(("ECG", "DX")),
                    state=state,
                    claimed_by=chance.choice((cast.doctor.id, cast.other_doctor.id)) if held else None,
                    lease_until=instant(15) if held else None,
                    effective_priority=chance.choice(list(Priority)),
                    deadline=instant(chance.choice((-30, -0.0001, 0, 0.0001, 30))),
                    arrived_at=instant(chance.choice((-60, -59))),
                    returned_at=chance.choice((None, None, instant(-5))),
                    critical_tier=chance.choice((None, None, *Tier)),
                )
            )
        uow.commit()
    return cases


def paged(
    world: World, actor: Actor, view: View, size: int, only: Filter | None = None
) -> Iterator[list[int]]:
    cursor = None
    while True:
        with world.unit_of_work(write=False) as uow:
            page = uow.cases.worklist(actor, view, cursor, size, NOON, only or Filter())
        yield [row.case.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return


def plainly(cases: list[Case], actor: Actor, view: View, places: set[int]) -> list[int]:
    seen = [case for case in cases if case.reporting_institution_id in places]
    held = [case for case in seen if view in views_of(case, actor.user_id, NOON)]
    if view is View.DONE:
        return sorted((case.id for case in held), reverse=True)
    return [case.id for case in sorted(held, key=list_key)]


@pytest.mark.parametrize("seed", [1, 2])
def test_each_view_holds_what_the_domain_says_in_its_order(world: World, cast: Cast, seed: int) -> None:
    cases = a_mixture(world, cast, 120, seed)
    actor = cast.actor(cast.doctor)
    for view in View:
        shown = [case_id for page in paged(world, actor, view, 7) for case_id in page]
        assert shown == plainly(cases, actor, view, {cast.hospital.id}), view
    with world.unit_of_work(write=False) as uow:
        counts = uow.cases.counts(actor, NOON)
        held = uow.cases.held([cast.doctor.id, cast.other_doctor.id])
    assert counts == {view: len(plainly(cases, actor, view, {cast.hospital.id})) for view in COUNTED}
    assert held[cast.doctor.id] == sum(
        case.claimed_by == cast.doctor.id and case.state is CaseState.READING for case in cases
    )


def test_a_reader_of_several_institutions_has_one_list_in_one_order(world: World, cast: Cast) -> None:
    cases = a_mixture(world, cast, 80)
    actor = replace(cast.actor(cast.doctor), reads_for=(cast.other_hospital.id, cast.hospital.id))
    places = {cast.hospital.id, cast.other_hospital.id}
    for view in View:
        shown = [case_id for page in paged(world, actor, view, 9) for case_id in page]
        assert shown == plainly(cases, actor, view, places), view
    with world.unit_of_work(write=False) as uow:
        counts = uow.cases.counts(actor, NOON)
    assert counts == {view: len(plainly(cases, actor, view, places)) for view in COUNTED}


def test_a_duty_opens_the_other_house_while_it_lasts(world: World, cast: Cast) -> None:
    def duty(house: Institution, starts: float, ends: float | None) -> None:
        group = ReadingGroup(
            uid=uid(), institution_id=house.id, consortium_id=cast.consortium.id, code=uid()[:30], name="虚构"
        )
        uow.rules.add(group)
        uow.flush()
        end = None if ends is None else instant(ends)
        uow.rules.add(
            Duty(reading_group_id=group.id, user_id=cast.doctor.id, starts_at=instant(starts), ends_at=end)
        )

    with world.unit_of_work() as uow:
        duty(cast.hospital, -60, None)
        duty(cast.other_hospital, -60, 60)
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        found = [
            set(uow.cases.duty_places(cast.doctor.id, consortium, instant(minutes)))
            for consortium, minutes in (
                (cast.consortium.id, 0),
                (cast.consortium.id, 60),
                (cast.consortium.id, -61),
                (cast.hospital.id, 0),
            )
        ]
    assert found == [{cast.hospital.id, cast.other_hospital.id}, {cast.hospital.id}, set(), set()]


def test_a_modality_cuts_every_view(world: World, cast: Cast) -> None:
    cases = a_mixture(world, cast, 60)
    actor = cast.actor(cast.doctor)
    films = [case for case in cases if case.modality == "DX"]
    for view in View:
        shown = [case_id for page in paged(world, actor, view, 4, Filter(modality="DX")) for case_id in page]
        assert shown == plainly(films, actor, view, {cast.hospital.id}), view


def test_rows_that_stand_still_are_shown_once_while_others_move(world: World, cast: Cast) -> None:
    """Between any two pages some cases are raised, finished and added: the others are neither missed nor doubled."""
    chance = random.Random(3)
    with world.unit_of_work() as uow:
        cases = [
            add_case(uow, cast, effective_priority=chance.choice(list(Priority)), deadline=instant(number))
            for number in range(60)
        ]
        uow.commit()
    still = {case.id for case in cases[::3]}
    moving = [case.id for case in cases if case.id not in still]
    shown: list[int] = []
    for page in paged(world, cast.actor(cast.doctor), View.WAITING, 5):
        shown += page
        with world.unit_of_work() as uow:
            for case_id in chance.sample(moving, 4):
                case = uow.cases.get(case_id)
                if not case.raise_to(Priority.STAT, "AFIB"):
                    case.state = CaseState.FINAL
            add_case(uow, cast, deadline=instant(chance.randrange(60)))
            uow.commit()
    kept = [case_id for case_id in shown if case_id in still]
    assert sorted(kept) == sorted(still)
    by_id = {case.id: case for case in cases}
    assert kept == [case.id for case in sorted((by_id[i] for i in still), key=list_key)]


def test_a_position_is_the_cursor_that_continues_after_its_row(world: World, cast: Cast) -> None:
    cases = a_mixture(world, cast, 30)
    actor = cast.actor(cast.doctor)
    order = plainly(cases, actor, View.ALL, {cast.hospital.id})
    by_id = {case.id: case for case in cases}
    positions = [position(list_key(by_id[case_id])) for case_id in order]
    assert positions == sorted(positions)
    with world.unit_of_work(write=False) as uow:
        page = uow.cases.worklist(actor, View.ALL, positions[3], 100, NOON)
    assert [row.case.id for row in page.rows] == order[4:]


def test_a_count_stops_where_it_says(world: World, cast: Cast, engine: Engine) -> None:
    with world.unit_of_work() as uow:
        first = add_case(uow, cast, deadline=instant(-1))
        uow.commit()
    # Follow-ups of one study: as many as wanted, by the database itself.
    columns = [c for c in first_columns(engine) if c not in ("id", "uid", "follows_case_id")]
    numbers = (
        f"(SELECT i FROM generate_series(1, {COUNT_LIMIT + 100}) AS i)"
        if engine.dialect.name == "postgresql"
        else f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT_LIMIT + 100})"
        " SELECT i FROM n)"
    )
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO reading_case (uid, follows_case_id, {', '.join(columns)})"
                f" SELECT 'copy-' || i, {first.id}, {', '.join(columns)} FROM reading_case, {numbers} AS numbers"
                f" WHERE id = {first.id}"
            )
        )
    with world.unit_of_work(write=False) as uow:
        counts = uow.cases.counts(cast.actor(cast.doctor), NOON)
    assert (counts["waiting"], counts["overdue"], counts["all"]) == (COUNT_LIMIT + 1,) * 3
    assert counts["mine"] == 0


def first_columns(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM reading_case")).keys())


# The index each view is the beginning of. With few rows two of open cases alone cost the same.
WALKED = {
    View.CRITICAL: {"ix_case_critical"},
    View.OVERDUE: {"ix_case_open"},
    View.MINE: {"ix_case_mine", "ix_case_waiting"},
    View.RETURNED: {"ix_case_returned", "ix_case_waiting"},
    View.REVIEW: {"ix_case_review"},
    View.WAITING: {"ix_case_waiting"},
    View.ALL: {"ix_case_open"},
    View.DONE: {"ix_case_done"},
}


def test_every_page_and_every_count_walks_the_index_of_its_view(
    world: World, cast: Cast, engine: Engine
) -> None:
    """So that they stay what they are, however long the archive grows."""
    a_mixture(world, cast, 30)
    asked: list[tuple[str, Any]] = []
    rows: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    actor, factory = cast.actor(cast.doctor), SqlUnitOfWorkFactory(engine)
    cursor = position((Priority.ROUTINE, NOON, NOON - timedelta(hours=1), 5))
    for view in View:
        asked.clear()
        event.listen(engine, "before_cursor_execute", note)
        with factory(write=False) as uow:
            uow.cases.worklist(actor, view, "5000" if view is View.DONE else cursor, 5, NOON)
        event.remove(engine, "before_cursor_execute", note)
        statement, parameters = next(one for one in asked if "FROM reading_case" in one[0])
        plan = plan_of(engine, statement, parameters)
        assert WALKED[view] & walked(plan), plan
        assert "SCAN reading_case" not in plan and "Seq Scan on reading_case" not in plan, plan
        rows += [one for one in asked if "JOIN patient ON" in one[0]]
    # What stands around the cases of a page is found by their ids, as many as there are.
    plan = plan_of(engine, *rows[0])
    assert len({statement for statement, _ in rows}) == 1
    assert "SCAN reading_case" not in plan and "Seq Scan on reading_case" not in plan, plan
    asked.clear()
    event.listen(engine, "before_cursor_execute", note)
    with factory(write=False) as uow:
        uow.cases.counts(actor, NOON)
    event.remove(engine, "before_cursor_execute", note)
    plan = plan_of(engine, *next(one for one in asked if "FROM reading_case" in one[0]))
    for view in COUNTED:
        assert WALKED[view] & walked(plan), plan


def walked(plan: str) -> set[str]:
    return set(re.findall(r"\bix_case_\w+", plan))


def plan_of(engine: Engine, statement: str, parameters: Any) -> str:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row[3] for row in rows)
        # Of thirty rows it would read the whole table: here it is asked which index it could use.
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
