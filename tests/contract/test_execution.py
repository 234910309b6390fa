"""Jobs are done: by threads of one process, and by Celery workers over a real broker."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from telemed.adapters.db import tables as t
from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.queue.celery import CeleryWaker, JobPublisher, make_celery
from telemed.adapters.queue.inline import Bell, InlineRunner
from telemed.application.jobs import Job, JobKind, JobState
from telemed.application.world import World
from telemed.group.stop import Stop
from tests.contract.celery_side import WAITS_FROM, handlers
from tests.contract.world import SystemClock, make_world
from tests.engines.postgres import PostgresServer
from tests.engines.processes import stop
from workers.relay import Relay

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where handlers leave their traces."""
    path = tmp_path / "traces"
    path.mkdir()
    return path


@pytest.fixture
def url(sqlite_database: Callable[[], str]) -> str:
    """SQLite, because its processes meet each other harder than PostgreSQL's."""
    return sqlite_database()


@pytest.fixture
def real_world(url: str) -> Iterator[World]:
    engine = make_engine(url)
    yield make_world(SqlUnitOfWorkFactory(engine), SystemClock())
    engine.dispose()


def ask(world: World, *subjects: int, kind: JobKind = JobKind.COMPLETE_STUDY) -> None:
    with world.unit_of_work() as uow:
        for subject in subjects:
            uow.jobs.ask(kind, subject, world.clock.now(), world.clock.now())
        uow.commit()


def until(condition: Callable[[], bool], what: str, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for: {what}"
        time.sleep(0.02)


def runs(folder: Path, subject: int) -> list[int]:
    """The processes in which the job of this subject began, in order."""
    path = folder / str(subject)
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def all_done(world: World) -> bool:
    with world.unit_of_work(write=False) as uow:
        return uow.jobs.next_due() is None


# --- threads of one process --------------------------------------------------------------------------------


def test_threads_run_what_is_due_each_once(real_world: World, folder: Path) -> None:
    ask(real_world, *range(40))
    with InlineRunner(real_world, handlers(folder), threads=3, poll=0.02):
        until(lambda: all_done(real_world), "forty jobs")
    assert Counter(len(runs(folder, subject)) for subject in range(40)) == {1: 40}


def test_a_waiting_job_does_not_hold_up_the_others(real_world: World, folder: Path) -> None:
    (folder / "hold").touch()
    with InlineRunner(real_world, handlers(folder), threads=2, poll=0.02):
        ask(real_world, WAITS_FROM)
        until(lambda: bool(runs(folder, WAITS_FROM)), "the waiting job to begin")
        ask(real_world, 1, 2, 3)
        until(lambda: all(runs(folder, subject) for subject in (1, 2, 3)), "the jobs beside it")
        (folder / "hold").unlink()
        until(lambda: all_done(real_world), "the waiting job to end")


def test_a_bell_wakes_a_runner_that_would_look_too_rarely(real_world: World, folder: Path) -> None:
    bell = Bell()
    with InlineRunner(real_world, handlers(folder), bell=bell, threads=1, poll=3600):
        time.sleep(0.2)
        ask(real_world, 1)
        bell.wake()
        until(lambda: bool(runs(folder, 1)), "the job of the bell")


def test_a_handler_that_crashes_stops_no_thread(real_world: World, folder: Path) -> None:
    good = handlers(folder)[JobKind.COMPLETE_STUDY]

    def crash(_world: World, _subject: int) -> None:
        raise RuntimeError("a fault in a handler")

    ask(real_world, 1, 2, 3, kind=JobKind.PLACE_OBJECT)
    table = {JobKind.PLACE_OBJECT: crash, JobKind.COMPLETE_STUDY: good}
    with InlineRunner(real_world, table, threads=2, poll=0.02):
        until(lambda: faulty(real_world) == 3, "three faults")
        ask(real_world, 4)
        until(lambda: bool(runs(folder, 4)), "a job after the faults")


def faulty(world: World) -> int:
    with world.unit_of_work(write=False) as uow:
        return sum(uow.jobs.get(job_id).last_error == "builtins.RuntimeError" for job_id in (1, 2, 3))


def test_a_runner_outlives_a_database_that_goes_away(real_world: World, folder: Path) -> None:
    class Away:
        """A unit of work that fails the first times it is asked for."""

        def __init__(self) -> None:
            self.left = 2

        def __call__(self, *, write: bool = True, synced: bool = True) -> object:
            if self.left:
                self.left -= 1
                raise ConnectionError("the database is away")
            return real_world.unit_of_work(write=write, synced=synced)

    away = make_world(Away(), SystemClock())  # type: ignore[arg-type]
    ask(real_world, 1)
    with InlineRunner(away, handlers(folder), threads=1, poll=0.02):
        until(lambda: bool(runs(folder, 1)), "the job after the database came back")


def test_stopping_lets_a_running_job_end(real_world: World, folder: Path) -> None:
    (folder / "hold").touch()
    runner = InlineRunner(real_world, handlers(folder), threads=1, poll=0.02)
    runner.start()
    ask(real_world, WAITS_FROM)
    until(lambda: bool(runs(folder, WAITS_FROM)), "the job to begin")
    assert not runner.stop(seconds=0.1)
    (folder / "hold").unlink()
    assert runner.stop()
    assert all_done(real_world)


# --- Celery ------------------------------------------------------------------------------------------------


class Side:
    """A database, a broker and one worker, shared by the tests of this broker: a worker's start costs seconds."""

    def __init__(self, broker_url: str, database_url: str, folder: Path) -> None:
        self.broker_url, self.folder = broker_url, folder
        self._arguments = (broker_url, database_url, str(folder))
        self._engine = make_engine(database_url)
        self._worker: subprocess.Popen[bytes] | None = None
        self.world = make_world(SqlUnitOfWorkFactory(self._engine), SystemClock())

    def publisher(self) -> JobPublisher:
        return JobPublisher(make_celery(self.broker_url), self.world.unit_of_work, self.world.clock)

    def ensure_worker(self) -> None:
        if self._worker is None:
            with (self.folder / "worker.log").open("ab") as output:
                self._worker = subprocess.Popen(
                    [sys.executable, "-m", "tests.contract.celery_side", *self._arguments],
                    cwd=ROOT,
                    stdout=output,
                    stderr=output,
                    # A process group of its own, so that it can be killed whole, as a machine falls.
                    start_new_session=True,
                )

    def job(self, subject: int) -> tuple[JobState, int]:
        with self._engine.connect() as connection:
            row = connection.execute(select(t.job).where(t.job.c.subject_id == subject)).one()
        return row.state, row.attempts

    def kill_worker(self) -> None:
        assert self._worker is not None
        os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker.wait()
        self._worker = None

    def close(self) -> None:
        if self._worker is not None:
            stop(self._worker)
        self._engine.dispose()

    @contextmanager
    def relay(self) -> Iterator[None]:
        stopping = Stop()
        thread = threading.Thread(target=Relay(self.world, self.publisher()).run, args=(stopping,))
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()


@contextmanager
def a_side(broker_url: str, database_url: str, folder: Path) -> Iterator[Side]:
    side = Side(broker_url, database_url, folder)
    try:
        yield side
    finally:
        side.close()


@pytest.fixture(scope="module")
def rabbit(
    rabbitmq_url: str, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Side]:
    with a_side(rabbitmq_url, postgres_server.database(), tmp_path_factory.mktemp("rabbit")) as side:
        yield side


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_jobs_are_done_once_also_when_they_are_announced_twice(rabbit: Side) -> None:
    moving, urgent = range(20), range(20, 40)
    ask(rabbit.world, *moving, kind=JobKind.PLACE_OBJECT)
    ask(rabbit.world, *urgent)
    for _ in range(2):
        # Two publishers know nothing of each other: each announces all forty.
        assert rabbit.publisher().publish_due() == 40
    rabbit.ensure_worker()
    until(lambda: all_done(rabbit.world), "forty jobs")
    # The last announcements may still be on their way to a worker that has nothing left to claim.
    time.sleep(0.5)
    assert Counter(len(runs(rabbit.folder, subject)) for subject in (*moving, *urgent)) == {1: 40}


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_a_wake_up_is_enough(rabbit: Side) -> None:
    rabbit.ensure_worker()
    waker = CeleryWaker(rabbit.publisher())
    ask(rabbit.world, 60)
    waker.wake()
    until(lambda: all_done(rabbit.world), "the job of the wake-up")
    waker.close()
    assert len(runs(rabbit.folder, 60)) == 1


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_the_relay_announces_what_nobody_else_did(rabbit: Side) -> None:
    rabbit.ensure_worker()
    with rabbit.relay():
        ask(rabbit.world, 70, 71, 72)
        until(lambda: all_done(rabbit.world), "three jobs")
    assert [len(runs(rabbit.folder, subject)) for subject in (70, 71, 72)] == [1, 1, 1]


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_a_job_whose_child_process_is_killed_inside_it_is_done_all_the_same(rabbit: Side) -> None:
    subject, hold = WAITS_FROM, rabbit.folder / "hold"
    hold.touch()
    rabbit.ensure_worker()
    ask(rabbit.world, subject)
    rabbit.publisher().publish_due()
    until(lambda: bool(runs(rabbit.folder, subject)), "the job to begin")
    os.kill(runs(rabbit.folder, subject)[0], signal.SIGKILL)
    until(lambda: len(runs(rabbit.folder, subject)) == 2, "the job to begin again in another child")
    hold.unlink()
    until(lambda: all_done(rabbit.world), "the job to be done")
    first, second = runs(rabbit.folder, subject)
    assert first != second
    assert rabbit.job(subject) == (JobState.DONE, 2)


@pytest.mark.postgres
@pytest.mark.rabbitmq
def test_a_job_whose_whole_worker_is_killed_inside_it_is_done_by_another(rabbit: Side) -> None:
    subject, hold = WAITS_FROM + 1, rabbit.folder / "hold"
    hold.touch()
    rabbit.ensure_worker()
    ask(rabbit.world, subject)
    rabbit.publisher().publish_due()
    until(lambda: bool(runs(rabbit.folder, subject)), "the job to begin")
    rabbit.kill_worker()
    assert not all_done(rabbit.world)
    # Nobody announces it again: the broker gives the message back, and the message brings its token, so that
    # the other worker need not wait for the lease to end.
    rabbit.ensure_worker()
    until(lambda: len(runs(rabbit.folder, subject)) == 2, "the job to begin in another worker")
    hold.unlink()
    until(lambda: all_done(rabbit.world), "the job to be done")
    assert rabbit.job(subject) == (JobState.DONE, 2)


@pytest.mark.redis
def test_the_workers_program_runs_the_real_use_cases_over_redis(
    redis_url: str, url: str, real_world: World, tmp_path: Path
) -> None:
    """`python -m workers` as it is deployed: settings, bootstrap, relay, Celery, use case, row."""
    settings = {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": url,
        "BROKER_URL": redis_url,
        "WORKERS": "1",
    }
    log = tmp_path / "workers.log"
    with log.open("ab") as output:
        program = subprocess.Popen(
            [sys.executable, "-m", "workers"],
            cwd=ROOT,
            env={**os.environ, **{f"TELEMED_{name}": value for name, value in settings.items()}},
            stdout=output,
            stderr=output,
        )
    try:
        ask(real_world, 404, kind=JobKind.DELIVER_REPORT)
        # There is no such report: the use case says so, and its word stands in the row.
        until(lambda: bool(only_job(real_world).last_error), "the use case to answer")
        assert only_job(real_world).last_error == "error.not_found"
    finally:
        stop(program)
    assert program.returncode == 0, log.read_text()


def only_job(world: World) -> Job:
    with world.unit_of_work(write=False) as uow:
        return uow.jobs.get(1)


def test_a_job_is_announced_in_its_queue_once_and_then_ever_more_rarely(real_world: World) -> None:
    class Recorder:
        """In the place of Celery: what is sent, and nothing else."""

        def __init__(self) -> None:
            self.sent: list[tuple[str, list[int], str]] = []

        def send_task(self, name: str, args: list[int], queue: str, **_: object) -> None:
            self.sent.append((name, args, queue))

    celery, seconds = Recorder(), [1000.0]
    publisher = JobPublisher(celery, real_world.unit_of_work, real_world.clock, elapsed=lambda: seconds[0])
    ask(real_world, 5, kind=JobKind.PLACE_OBJECT)
    assert publisher.publish_due() == 1
    assert celery.sent == [("workers.run_job", [1], "telemed.rank5")]
    announced = []
    for _ in range(600):
        seconds[0] += 1
        if publisher.publish_due():
            announced.append(seconds[0] - 1000)
    assert announced == [60, 180, 420]


def test_a_job_that_was_taken_and_is_due_anew_is_announced_at_once(real_world: World) -> None:
    sent: list[int] = []

    class Recorder:
        def send_task(self, _name: str, args: list[int], **_: object) -> None:
            sent.extend(args)

    publisher = JobPublisher(Recorder(), real_world.unit_of_work, real_world.clock)
    ask(real_world, 5)
    publisher.publish_due()
    with real_world.unit_of_work() as uow:
        uow.jobs.claim(real_world.clock.now(), 1, "somebody")
        uow.commit()
    assert publisher.publish_due() == 0
    with real_world.unit_of_work() as uow:
        uow.jobs.put_back(1, "somebody", real_world.clock.now(), "error.some")
        uow.commit()
    assert publisher.publish_due() == 1 and sent == [1, 1]


def test_without_a_broker_waking_neither_waits_nor_fails(real_world: World) -> None:
    # Port 9 of this machine: nobody listens.
    celery = make_celery("amqp://guest:a-secret@127.0.0.1:9//")
    waker = CeleryWaker(JobPublisher(celery, real_world.unit_of_work, real_world.clock))
    ask(real_world, 1)
    waker.wake()
    waker.close()
    assert not all_done(real_world)
