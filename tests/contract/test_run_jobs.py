"""What becomes of a job whose handler ends, fails, or takes its worker down."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from telemed.application.jobs import LAST_ATTEMPT, LEASE, RANK, Job, JobKind, JobState
from telemed.application.run_jobs import run_claimed, run_due, run_one
from telemed.application.world import World
from telemed.domain.case import AiState
from telemed.domain.errors import Unavailable
from telemed.domain.events import Kind
from tests.contract.cast import Cast, a_study, add_case
from tests.contract.world import NOON, MovingClock

KIND = JobKind.COMPLETE_STUDY


def ask(world: World, subject: int = 1, kind: JobKind = KIND) -> int:
    with world.unit_of_work() as uow:
        uow.jobs.ask(kind, subject, world.clock.now(), world.clock.now())
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        (due,) = uow.jobs.due(world.clock.now(), 10)
        return due.id


def job_of(world: World, job_id: int) -> Job:
    with world.unit_of_work(write=False) as uow:
        return uow.jobs.get(job_id)


def failing(fault: Exception) -> Callable[[World, int], None]:
    def handler(_world: World, _subject: int) -> None:
        raise fault

    return handler


def test_a_job_runs_its_handler_once_and_is_done(world: World) -> None:
    seen: list[int] = []
    job_id = ask(world, 17)
    assert run_due(world, {KIND: lambda _world, subject: seen.append(subject)}) == 1
    assert seen == [17] and run_due(world, {}) == 0
    done = job_of(world, job_id)
    assert (done.state, done.done_at, done.lease_token) == (JobState.DONE, NOON, "")


def test_the_end_of_a_job_takes_the_most_urgent_of_what_is_due(world: World) -> None:
    with world.unit_of_work() as uow:
        for kind in (JobKind.PLACE_OBJECT, JobKind.INFER_CASE, KIND):
            uow.jobs.ask(kind, 1, NOON, NOON)
        uow.commit()
    with world.unit_of_work() as uow:
        (first,) = uow.jobs.claim(world.clock.now(), 1, "mine")
        uow.commit()
    handlers = {kind: lambda *_: None for kind in JobKind}
    second = run_one(world, first, handlers, onward=True)
    assert second is not None and (second.kind, second.attempts) == (JobKind.INFER_CASE, 1)
    assert job_of(world, second.id).lease_token == second.lease_token not in ("", "mine")
    assert (
        run_one(world, second, {second.kind: failing(Unavailable("error.objects_unavailable"))}, onward=True)
        is None
    )
    with world.unit_of_work(write=False) as uow:
        (left,) = uow.jobs.due(world.clock.now(), 10)
    assert left.rank == RANK[JobKind.PLACE_OBJECT] and job_of(world, first.id).state is JobState.DONE


def test_a_job_that_ends_alone_takes_nothing(world: World) -> None:
    ask(world, 1)
    with world.unit_of_work() as uow:
        (job,) = uow.jobs.claim(world.clock.now(), 1, "mine")
        uow.jobs.ask(KIND, 2, NOON, NOON)
        uow.commit()
    assert run_one(world, job, {KIND: lambda *_: None}) is None
    with world.unit_of_work(write=False) as uow:
        assert len(uow.jobs.due(world.clock.now(), 10)) == 1


def test_an_announced_job_that_another_worker_has_is_left_to_it(world: World) -> None:
    job_id = ask(world)
    with world.unit_of_work() as uow:
        uow.jobs.claim(world.clock.now(), 1, "another")
        uow.commit()
    assert not run_claimed(world, {KIND: failing(AssertionError())}, job_id=job_id, token="mine")
    assert job_of(world, job_id).lease_token == "another"


def test_a_job_of_a_study_that_asks_for_itself_later_comes_then(world: World, clock: MovingClock) -> None:
    def not_yet(world: World, subject: int) -> None:
        with world.unit_of_work() as uow:
            uow.jobs.ask(KIND, subject, NOON + timedelta(seconds=30), NOON)
            uow.commit()

    job_id = ask(world)
    run_due(world, {KIND: not_yet})
    assert (job_of(world, job_id).state, job_of(world, job_id).attempts) == (JobState.PENDING, 0)
    clock.pass_by(seconds=31)
    assert run_due(world, {KIND: lambda *_: None}) == 1
    assert job_of(world, job_id).state is JobState.DONE


def test_a_failing_job_is_put_off_longer_each_time(world: World, clock: MovingClock) -> None:
    job_id = ask(world)
    waits = []
    for _ in range(4):
        assert run_due(world, {KIND: failing(Unavailable("error.objects_unavailable"))}) == 1
        job = job_of(world, job_id)
        waits.append((job.due_at - clock.now()).total_seconds())
        clock.instant = job.due_at
    assert waits == [1, 4, 16, 64]
    assert job_of(world, job_id).last_error == "error.objects_unavailable"


def test_the_row_and_the_log_of_a_failure_hold_no_patient(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = ask(world)
    fault = IntegrityError("INSERT INTO patient ...", {"name": "测试甲"}, ValueError("name=(测试甲)"))
    with caplog.at_level(logging.DEBUG):
        run_due(world, {KIND: failing(fault)})
    assert job_of(world, job_id).last_error == "sqlalchemy.exc.IntegrityError"
    assert "测试甲" not in caplog.text and "INSERT" not in caplog.text
    # Where it happened is what the log is for.
    assert "raise fault" in caplog.text


def exhaust(world: World, clock: MovingClock, kind: JobKind, fault: Exception) -> None:
    for _ in range(LAST_ATTEMPT):
        assert run_due(world, {kind: failing(fault)}) == 1
        clock.pass_by(hours=2)
    assert run_due(world, {kind: failing(fault)}) == 0


def test_after_the_last_attempt_an_administrator_is_told_once(
    world: World, cast: Cast, clock: MovingClock
) -> None:
    with world.unit_of_work() as uow:
        study = uow.studies.ensure(a_study(cast))
        uow.commit()
    job_id = ask(world, study.id)
    exhaust(world, clock, KIND, Unavailable("error.database_unavailable"))
    assert job_of(world, job_id).state is JobState.FAILED
    with world.unit_of_work(write=False) as uow:
        (notice,) = uow.notices.open_for(cast.actor(cast.administrator), 10)
        kinds = [event.kind for event in uow.events.after(0, 100)]
        assert [job.id for job in uow.jobs.failed()] == [job_id]
    assert (notice.code, notice.study_id, notice.institution_id) == (
        "notice.job_failed",
        study.id,
        cast.township.id,
    )
    assert notice.facts == {
        "job": job_id,
        "kind": "complete_study",
        "error": "error.database_unavailable",
        "attempts": LAST_ATTEMPT,
    }
    assert kinds == [Kind.NOTICE_RAISED]


def test_a_case_whose_inference_is_given_up_says_so_to_its_reader(
    world: World, cast: Cast, clock: MovingClock
) -> None:
    with world.unit_of_work() as uow:
        case = add_case(uow, cast)
        uow.commit()
    ask(world, case.id, JobKind.INFER_CASE)
    exhaust(world, clock, JobKind.INFER_CASE, RuntimeError("no engine"))
    with world.unit_of_work(write=False) as uow:
        assert uow.cases.get(case.id).ai_state is AiState.FAILED
        (notice,) = uow.notices.open_for(cast.actor(cast.administrator), 10)
        assert notice.case_id == case.id


def test_a_given_up_job_about_nothing_fails_without_a_notice(world: World, clock: MovingClock) -> None:
    job_id = ask(world, 404)
    exhaust(world, clock, KIND, RuntimeError("no such study"))
    assert job_of(world, job_id).state is JobState.FAILED


def test_a_job_that_takes_its_worker_down_each_time_is_given_up(world: World, clock: MovingClock) -> None:
    job_id = ask(world)
    for _ in range(LAST_ATTEMPT):
        with world.unit_of_work() as uow:
            assert uow.jobs.claim(clock.now(), 1, "killed later")
            uow.commit()
        clock.instant += LEASE + timedelta(seconds=1)
    assert run_due(world, {KIND: failing(AssertionError("must not run again"))}) == 1
    job = job_of(world, job_id)
    assert (job.state, job.last_error) == (JobState.FAILED, "error.worker_lost")


def test_a_given_up_job_asked_for_again_runs_again(world: World, clock: MovingClock) -> None:
    first = ask(world)
    exhaust(world, clock, KIND, RuntimeError("broken for now"))
    second = ask(world)
    assert second != first and run_due(world, {KIND: lambda *_: None}) == 1
    assert job_of(world, second).state is JobState.DONE
