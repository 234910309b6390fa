"""One transaction, and what two of them at the same time may do to each other."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.application.world import World
from telemed.domain.errors import Conflict, NotFound, Unavailable
from telemed.domain.notice import Notice
from telemed.domain.study import Series
from tests.contract.cast import Cast, a_patient, a_study, uid
from tests.contract.world import NOON


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Runs `work` in threads that start together; the first fault of any of them is the test's."""
    start, faults = threading.Barrier(count), list[BaseException]()

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as fault:  # noqa: BLE001 raised again by the test
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def test_what_is_not_committed_is_not_there(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        uow.studies.ensure(a_study(cast, study_instance_uid="2.25.1"))
        uow.flush()
    with world.unit_of_work(write=False) as uow:
        assert uow.studies.by_instance_uid(cast.township.id, "2.25.1") is None


def test_a_row_that_is_not_there_is_not_found(world: World) -> None:
    with world.unit_of_work(write=False) as uow, pytest.raises(NotFound):
        uow.cases.get(404)


def test_instants_come_back_in_utc_whatever_zone_they_went_in(world: World, cast: Cast) -> None:
    shanghai = datetime(2026, 11, 20, 7, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast, first_object_at=shanghai))
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        back = uow.studies.get(study.id).first_object_at
    assert back == shanghai and back.tzinfo is UTC and back.hour == 23


def test_an_instant_without_a_zone_is_refused(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow, pytest.raises(Exception, match="an instant needs its zone"):
        uow.studies.ensure(a_study(cast, first_object_at=datetime(2026, 11, 20)))


def test_chinese_text_and_nested_facts_come_back_as_they_were(world: World, cast: Cast) -> None:
    facts = {"name": "𬭼昇", "list": [1, 2.5, None, True], "nested": {"空": ""}}
    with world.unit_of_work() as uow:
        notice = a_notice(cast, facts=facts)
        assert uow.notices.raise_once(notice)
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        (back,) = uow.notices.open_for(cast.actor(cast.technician), 10)
    assert back.facts == facts


def test_a_notice_is_raised_once(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        assert uow.notices.raise_once(a_notice(cast))
        assert not uow.notices.raise_once(a_notice(cast))
        uow.commit()
    with world.unit_of_work() as uow:
        assert not uow.notices.raise_once(a_notice(cast))


def test_breaking_a_unique_key_is_a_conflict(world: World, cast: Cast) -> None:
    study = a_study(cast)
    with world.unit_of_work() as uow:
        uow.studies.ensure(study)
        uow.commit()
    twin = Series(
        uid=uid(),
        study_id=404,
        institution_id=cast.township.id,
        consortium_id=cast.consortium.id,
        series_instance_uid="2.25.2",
        modality="ECG",
    )
    with pytest.raises(Conflict), world.unit_of_work() as uow:
        # A series of no study: the database itself refuses it.
        uow.studies.ensure_series(twin)
        uow.commit()


def test_sixteen_first_instances_of_one_patient_make_one(world: World, cast: Cast) -> None:
    found: list[tuple[int, int, int]] = []

    def receive(number: int) -> None:
        with world.unit_of_work() as uow:
            patient = uow.patients.ensure(a_patient(cast.township, "P-RACE"))
            study = uow.studies.ensure(a_study(cast, patient, study_instance_uid="2.25.99"))
            series = uow.studies.ensure_series(
                Series(
                    uid=uid(),
                    study_id=study.id,
                    institution_id=cast.township.id,
                    consortium_id=cast.consortium.id,
                    series_instance_uid="2.25.100",
                    modality="ECG",
                    number=number,
                )
            )
            uow.commit()
        found.append((patient.id, study.id, series.id))

    at_once(16, receive)
    assert len(found) == 16 and len(set(found)) == 1


def test_of_many_who_change_one_row_none_overwrites_another_unseen(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast))
        uow.commit()

    def add_an_object(_number: int) -> None:
        while True:
            try:
                with world.unit_of_work() as uow:
                    row = uow.studies.get(study.id)
                    count = row.object_count
                    time.sleep(0.002)
                    row.object_count = count + 1
                    uow.commit()
                return
            except Conflict:
                continue

    at_once(8, add_an_object)
    with world.unit_of_work(write=False) as uow:
        row = uow.studies.get(study.id)
    assert (row.object_count, row.version) == (8, 9)


# PostgreSQL alone: SQLite has one writer at a time, and a second one reads what the first has written.
@pytest.mark.parametrize("engine", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_the_later_of_two_edits_of_one_version_is_a_conflict(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast))
        uow.commit()
    with pytest.raises(Conflict), world.unit_of_work() as slow:
        shown = slow.studies.get(study.id)
        with world.unit_of_work() as quick:
            quick.studies.get(study.id).description = "first"
            quick.commit()
        shown.description = "second"
        slow.commit()
    with world.unit_of_work(write=False) as uow:
        assert uow.studies.get(study.id).description == "first"


def test_a_long_read_holds_no_writer_up(world: World, cast: Cast) -> None:
    with world.unit_of_work(write=False) as reading:
        before = reading.patients.get(cast.patient.id).name
        with world.unit_of_work() as uow:
            uow.patients.get(cast.patient.id).name = "测试乙"
            uow.commit()
        assert before == "测试甲"
    with world.unit_of_work(write=False) as uow:
        assert uow.patients.get(cast.patient.id).name == "测试乙"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////{nowhere}/telemed.db",
        pytest.param("postgresql+psycopg://nobody@/none?host=/{nowhere}", marks=pytest.mark.postgres),
    ],
    ids=["sqlite", "postgres"],
)
def test_a_database_that_is_away_is_unavailable(url: str, tmp_path: Path) -> None:
    engine = make_engine(url.format(nowhere=tmp_path / "nowhere"))
    with pytest.raises(Unavailable), SqlUnitOfWorkFactory(engine)(write=False) as uow:
        uow.cases.get(1)
    engine.dispose()


def a_notice(cast: Cast, facts: dict[str, object] | None = None) -> Notice:
    return Notice(
        uid=uid(),
        institution_id=cast.township.id,
        consortium_id=cast.consortium.id,
        code="notice.unrouted",
        cause_key="cause",
        created_at=NOON,
        facts=facts or {},
    )


def test_only_what_was_promised_waits_for_the_disk(engine: Engine, cast: Cast) -> None:
    sqlite = engine.dialect.name == "sqlite"
    setting = "PRAGMA synchronous" if sqlite else "SHOW synchronous_commit"
    waiting, not_waiting = (2, 1) if sqlite else ("on", "off")

    def found(**how: bool) -> object:
        # One connection for all: none of them leaves the next one less than it was promised.
        with engine.execution_options(**how).begin() as connection:
            return connection.exec_driver_sql(setting).scalar()

    assert [found(), found(synced=False), found(synced=True), found()] == [
        waiting,
        not_waiting,
        waiting,
        waiting,
    ]
    units = SqlUnitOfWorkFactory(engine)
    with units(synced=False) as uow:
        assert uow.notices.raise_once(a_notice(cast))
        uow.commit()
    # Everybody else sees it at once all the same.
    with units() as uow:
        assert not uow.notices.raise_once(a_notice(cast))
