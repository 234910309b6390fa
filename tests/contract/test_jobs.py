"""The table as the queue."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from telemed.application.jobs import LEASE, Job, JobKind, JobState
from telemed.application.world import World
from tests.contract.cast import Cast, add_case
from tests.contract.world import NOON, MovingClock

KIND = JobKind.PLACE_OBJECT


def ask(world: World, subject: int = 1, kind: JobKind = KIND, *, seconds: float = 0) -> None:
    now = world.clock.now()
    with world.unit_of_work() as uow:
        uow.jobs.ask(kind, subject, now + timedelta(seconds=seconds), now)
        uow.commit()


def claim(world: World, token: str = "first", limit: int = 10) -> list[Job]:
    with world.unit_of_work() as uow:
        jobs = list(uow.jobs.claim(world.clock.now(), limit, token))
        uow.commit()
    return jobs


def claim_one(world: World, job_id: int, token: str) -> Job | None:
    with world.unit_of_work() as uow:
        job = uow.jobs.claim_one(job_id, world.clock.now(), token)
        uow.commit()
    return job


def finish(world: World, job: Job, token: str = "first") -> bool:
    with world.unit_of_work() as uow:
        done = uow.jobs.finish(job.id, token, world.clock.now())
        uow.commit()
    return done


def job_of(world: World, job: Job) -> Job:
    with world.unit_of_work(write=False) as uow:
        return uow.jobs.get(job.id)


def due(world: World) -> list[int]:
    with world.unit_of_work(write=False) as uow:
        return [job.id for job in uow.jobs.due(world.clock.now(), 100)]


def test_asking_twice_makes_one_job_and_moves_its_due_time(world: World, clock: MovingClock) -> None:
    ask(world)
    ask(world, seconds=30)
    assert due(world) == []
    clock.pass_by(seconds=31)
    (job,) = claim(world)
    assert (job.subject_id, job.attempts, job.created_at) == (1, 1, NOON)


def test_what_a_reader_waits_for_is_claimed_before_moving_bytes_about(world: World) -> None:
    ask(world, 1, JobKind.PLACE_OBJECT)
    ask(world, 2, JobKind.INFER_CASE)
    ask(world, 3, JobKind.COMPLETE_STUDY)
    assert [job.subject_id for job in claim(world)] == [3, 2, 1]


def test_a_claimed_job_is_due_for_nobody_until_its_lease_ends(world: World, clock: MovingClock) -> None:
    ask(world)
    (job,) = claim(world)
    assert due(world) == [] and claim(world, "second") == [] and claim_one(world, job.id, "second") is None
    clock.instant += LEASE + timedelta(seconds=1)
    (again,) = claim(world, "second")
    assert again.id == job.id and again.attempts == 2


def test_the_lost_lease_of_a_slow_worker_ends_nothing(world: World, clock: MovingClock) -> None:
    ask(world)
    (job,) = claim(world)
    clock.instant += LEASE + timedelta(seconds=1)
    claim(world, "second")
    assert not finish(world, job, "first")
    assert job_of(world, job).state is JobState.PENDING
    assert finish(world, job, "second")
    assert job_of(world, job).state is JobState.DONE


def test_a_message_that_comes_again_takes_over_the_lease_of_its_lost_worker(world: World) -> None:
    ask(world)
    (job_id,) = due(world)
    first = claim_one(world, job_id, "message")
    again = claim_one(world, job_id, "message")
    assert first and again and again.attempts == 2
    assert finish(world, again, "message")
    assert claim_one(world, job_id, "message") is None


def test_a_job_asked_for_again_while_it_runs_is_not_done_when_it_ends(
    world: World, clock: MovingClock
) -> None:
    ask(world)
    (job,) = claim(world)
    ask(world)
    # Nobody else may start it beside the first: it is the same work.
    assert due(world) == []
    assert not finish(world, job)
    again = job_of(world, job)
    assert (again.state, again.attempts, again.lease_until, again.lease_token) == (
        JobState.PENDING,
        0,
        None,
        "",
    )
    (second,) = claim(world, "second")
    assert second.id == job.id and finish(world, second, "second")


def test_a_job_asked_for_twice_while_it_runs_comes_once_more(world: World) -> None:
    ask(world)
    (job,) = claim(world)
    ask(world)
    ask(world, seconds=60)
    assert not finish(world, job)
    assert job_of(world, job).due_at == NOON + timedelta(seconds=60)


def test_a_job_asked_for_again_whose_worker_dies_is_claimed_after_the_lease(
    world: World, clock: MovingClock
) -> None:
    ask(world)
    (job,) = claim(world)
    ask(world)
    clock.instant += LEASE + timedelta(seconds=1)
    (again,) = claim(world, "second")
    assert again.id == job.id and finish(world, again, "second")


def test_asking_for_a_finished_job_makes_a_new_one(world: World) -> None:
    ask(world)
    (job,) = claim(world)
    assert finish(world, job)
    ask(world)
    (new,) = claim(world, "second")
    assert new.id != job.id


@pytest.mark.parametrize("ending", ["put_back", "give_up"])
def test_a_failed_job_asked_for_again_meanwhile_keeps_the_new_due_time(world: World, ending: str) -> None:
    ask(world)
    (job,) = claim(world)
    ask(world, seconds=5)
    with world.unit_of_work() as uow:
        if ending == "put_back":
            uow.jobs.put_back(job.id, "first", NOON + timedelta(hours=1), "error.some")
        else:
            assert not uow.jobs.give_up(job.id, "first", "error.some")
        uow.commit()
    row = job_of(world, job)
    assert (row.state, row.due_at, row.last_error, row.attempts) == (
        JobState.PENDING,
        NOON + timedelta(seconds=5),
        "error.some",
        0,
    )


def test_next_due_is_when_something_can_be_claimed(world: World) -> None:
    with world.unit_of_work(write=False) as uow:
        assert uow.jobs.next_due() is None
    ask(world, 1)
    claim(world)
    ask(world, 2, seconds=600)
    with world.unit_of_work(write=False) as uow:
        assert uow.jobs.next_due() == NOON + LEASE


def test_finished_jobs_are_cleared_and_open_ones_stay(world: World, clock: MovingClock) -> None:
    ask(world, 1)
    (job,) = claim(world)
    finish(world, job)
    ask(world, 2)
    with world.unit_of_work() as uow:
        assert uow.jobs.remove_done(clock.pass_by(days=8)) == 1
        uow.commit()
    assert len(due(world)) == 1


def test_what_is_asked_for_anew_stands_for_what_was_given_up(world: World, cast: Cast) -> None:
    with world.unit_of_work() as uow:
        ids = [add_case(uow, cast).id for _ in range(3)]
        film = add_case(uow, cast, modality="DX").id
        uow.commit()
    for subject in (*ids, film):
        ask(world, subject, JobKind.REINFER_CASE)
    ask(world, ids[0], JobKind.INFER_CASE)  # another kind is not counted
    with world.unit_of_work() as uow:
        for job in uow.jobs.claim(NOON, 10, "first"):
            if job.kind is JobKind.REINFER_CASE and job.subject_id != ids[2]:
                assert uow.jobs.give_up(job.id, "first", "model.taken_out")
        uow.commit()
    open_one, out = (JobState.PENDING, ""), (JobState.FAILED, "model.taken_out")
    with world.unit_of_work() as uow:
        assert uow.jobs.tally(JobKind.REINFER_CASE, "ECG") == {open_one: 1, out: 2}
        uow.jobs.forget_failed(JobKind.REINFER_CASE, [ids[0], ids[2]])
        uow.commit()
    with world.unit_of_work(write=False) as uow:
        assert uow.jobs.tally(JobKind.REINFER_CASE, "ECG") == {open_one: 1, out: 1}
        assert uow.jobs.tally(JobKind.REINFER_CASE, "DX") == {out: 1}


def test_four_workers_claim_two_hundred_jobs_each_exactly_once(world: World) -> None:
    with world.unit_of_work() as uow:
        for subject in range(200):
            uow.jobs.ask(KIND, subject, NOON, NOON)
        uow.commit()
    start, claimed = threading.Barrier(4), list[int]()

    def work(name: str) -> None:
        start.wait()
        while jobs := claim(world, name, limit=3):
            claimed.extend(job.subject_id for job in jobs)

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(claimed) == Counter(range(200))


def test_two_that_ask_and_one_that_runs_leave_no_request_unheard(world: World) -> None:
    """As a study whose objects arrive while it is completed: the last run sees what the last request was about."""
    wanted, served = list[int](), list[int]()
    no_more = threading.Event()

    def request() -> None:
        for number in range(20):
            wanted.append(number)
            ask(world)

    def run() -> None:
        while True:
            last_look = no_more.is_set()
            jobs = claim(world, "runner", limit=1)
            for job in jobs:
                served.append(len(wanted))
                finish(world, job, "runner")
            if last_look and not jobs:
                return

    runner = threading.Thread(target=run)
    askers = [threading.Thread(target=request) for _ in range(2)]
    for thread in (runner, *askers):
        thread.start()
    for thread in askers:
        thread.join()
    no_more.set()
    runner.join()
    assert served[-1] == len(wanted) == 40
    with world.unit_of_work(write=False) as uow:
        assert uow.jobs.next_due() is None
