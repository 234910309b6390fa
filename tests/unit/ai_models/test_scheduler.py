"""Who runs next, and who is refused: held with works that end when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from ai_models.errors import EngineBusy
from ai_models.scheduler import Scheduler
from telemed.domain.inference import Urgency

STAT, ROUTINE, BACKFILL = Urgency.STAT, Urgency.ROUTINE, Urgency.BACKFILL


class Stage:
    """A scheduler whose works wait on a gate, and note their names in the order in which they began."""

    def __init__(self, slots: int, bound: int = 128) -> None:
        self.now = 0.0
        self.scheduler = Scheduler(slots, bound=bound, clock=lambda: self.now)
        self.begun: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.running = threading.Semaphore(0)

    def ask(
        self, name: str, urgency: Urgency = ROUTINE, within: float = 60.0, cost: float = 0.0
    ) -> Future[Any]:
        gate = self.gates[name] = threading.Event()

        def work() -> str:
            self.begun.append(name)
            self.running.release()
            assert gate.wait(30)
            return name

        return self.scheduler.submit(work, urgency=urgency, within=within, cost=cost)

    def one_more_runs(self) -> None:
        assert self.running.acquire(timeout=30)

    def end(self, *names: str) -> None:
        for name in names or tuple(self.gates):
            self.gates[name].set()


@pytest.fixture
def stages() -> Iterator[list[Stage]]:
    made: list[Stage] = []
    yield made
    for stage in made:
        stage.end()
        stage.scheduler.close()


def staged(stages: list[Stage], slots: int, bound: int = 128) -> Stage:
    stages.append(Stage(slots, bound))
    return stages[-1]


def test_the_urgent_go_first_and_within_a_class_the_first(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    stage.ask("running")
    stage.one_more_runs()
    order = [("b1", BACKFILL), ("r1", ROUTINE), ("s1", STAT), ("r2", ROUTINE), ("s2", STAT)]
    futures = [stage.ask(name, urgency) for name, urgency in order]
    stage.end()
    assert [future.result(30) for future in futures] == [name for name, _ in order]
    assert stage.begun == ["running", "s1", "s2", "r1", "r2", "b1"]


def test_backfill_leaves_a_slot_free_for_the_urgent(stages: list[Stage]) -> None:
    stage = staged(stages, 2)
    for number in range(5):
        stage.ask(f"b{number}", BACKFILL)
    stage.one_more_runs()
    urgent = stage.ask("s", STAT)
    stage.one_more_runs()  # beside a running backfill and before four waiting ones, with nothing ended
    assert stage.begun == ["b0", "s"]
    stage.end("s")
    assert urgent.result(30) == "s"
    assert stage.scheduler.waiting()[BACKFILL] == 4


def test_a_flood_of_one_class_closes_no_other(stages: list[Stage]) -> None:
    stage = staged(stages, 1, bound=2)
    stage.ask("running")
    stage.one_more_runs()
    stage.ask("b1", BACKFILL)
    stage.ask("b2", BACKFILL)
    with pytest.raises(EngineBusy) as error:
        stage.ask("b3", BACKFILL)
    assert error.value.code == "model.busy"
    assert isinstance(error.value.params["seconds"], int)
    stage.ask("s1", STAT)


def test_what_cannot_be_answered_in_time_is_refused_at_once(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    stage.ask("running", cost=2.0)
    stage.one_more_runs()
    stage.ask("next", cost=2.0, within=5.0)
    with pytest.raises(EngineBusy) as error:
        stage.ask("late", cost=2.0, within=5.0)
    assert error.value.code == "model.too_late"
    assert error.value.params["seconds"] == 1
    stage.ask("urgent", STAT, cost=2.0, within=5.0)  # it waits for the running one alone


def test_time_that_runs_out_in_line_is_an_error_and_not_a_run(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    stage.ask("running")
    stage.one_more_runs()
    late, patient = stage.ask("late", within=5.0), stage.ask("patient", within=50.0)
    stage.now = 6.0
    stage.end()
    with pytest.raises(EngineBusy):
        late.result(30)
    assert patient.result(30) == "patient"
    assert "late" not in stage.begun


def test_time_that_runs_out_in_line_is_told_while_the_one_before_still_runs() -> None:
    scheduler, go = Scheduler(1), threading.Event()
    try:
        running = scheduler.submit(lambda: go.wait(30), urgency=ROUTINE, within=60.0, cost=0.0)
        patient = scheduler.submit(lambda: "done", urgency=ROUTINE, within=60.0, cost=0.0)
        late = scheduler.submit(lambda: "too late", urgency=STAT, within=0.05, cost=0.0)
        with pytest.raises(EngineBusy) as error:
            late.result(30)
        assert error.value.code == "model.too_late"
        assert not running.done()
        # It counts no more for those who come.
        assert scheduler.waiting() == {STAT: 0, ROUTINE: 1, BACKFILL: 0}
        go.set()
        assert patient.result(30) == "done"
    finally:
        go.set()
        scheduler.close()


def test_what_is_before_one_in_line_counts_by_its_own_cost(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    stage.ask("running", cost=1.0)
    stage.one_more_runs()
    for number in range(10):
        stage.ask(f"long-{number}", cost=2.0)
    with pytest.raises(EngineBusy) as error:
        stage.ask("short", cost=0.003, within=2.0)
    assert (error.value.code, error.value.params["seconds"]) == ("model.too_late", 20)
    stage.ask("urgent", STAT, cost=0.003, within=2.0)


def test_a_whole_line_that_ran_out_of_time_is_passed_over(stages: list[Stage]) -> None:
    stage = staged(stages, 1, bound=5000)
    stage.ask("running")
    stage.one_more_runs()
    late = [stage.ask(f"late-{number}", within=5.0) for number in range(3000)]
    last = stage.ask("patient", within=50.0)
    stage.now = 6.0
    stage.end()
    assert last.result(30) == "patient"
    assert all(isinstance(future.exception(30), EngineBusy) for future in late)


def test_a_cancelled_caller_frees_its_place(stages: list[Stage]) -> None:
    stage = staged(stages, 1, bound=1)
    stage.ask("running")
    stage.one_more_runs()
    gone = stage.ask("gone")
    with pytest.raises(EngineBusy):
        stage.ask("refused")
    assert gone.cancel()
    assert stage.scheduler.waiting()[ROUTINE] == 0
    taken = stage.ask("taken")
    stage.end()
    assert taken.result(30) == "taken"
    assert "gone" not in stage.begun


def test_a_slot_in_ones_own_thread_is_one_of_the_slots(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    with stage.scheduler.slot(urgency=ROUTINE, within=60.0, cost=0.0):
        waiting = stage.ask("waits")
        assert stage.scheduler.waiting()[ROUTINE] == 1
        assert not stage.begun
    stage.end("waits")
    assert waiting.result(30) == "waits"


def test_a_slot_is_waited_for_in_line(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    stage.ask("running")
    stage.one_more_runs()
    got = threading.Event()

    def own() -> None:
        with stage.scheduler.slot(urgency=STAT, within=60.0, cost=0.0):
            stage.begun.append("own")
            got.set()

    thread = threading.Thread(target=own)
    thread.start()
    while not stage.scheduler.waiting()[STAT]:
        assert thread.is_alive()
    behind = stage.ask("behind")
    stage.end()
    assert got.wait(30)
    thread.join(30)
    assert behind.result(30) == "behind"
    assert stage.begun == ["running", "own", "behind"]
    assert stage.scheduler.running() == 0


def test_an_error_of_the_work_reaches_its_caller_and_nobody_else(stages: list[Stage]) -> None:
    stage = staged(stages, 2)

    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        stage.scheduler.run(broken, urgency=ROUTINE, within=1.0, cost=0.0)
    failed = stage.scheduler.submit(broken, urgency=ROUTINE, within=1.0, cost=0.0)
    assert isinstance(failed.exception(30), ValueError)
    well = stage.ask("well")
    stage.end()
    assert well.result(30) == "well"
    assert stage.scheduler.running() == 0


def test_all_slots_are_taken_only_when_nothing_else_wants_one(stages: list[Stage]) -> None:
    stage = staged(stages, 2)
    assert stage.scheduler.take_all()
    waiting = stage.ask("waits")
    assert not stage.scheduler.take_all()
    stage.scheduler.give_all()
    stage.one_more_runs()
    assert not stage.scheduler.take_all()
    stage.end()
    assert waiting.result(30) == "waits"


def test_closing_refuses_what_waits_and_lets_what_runs_end(stages: list[Stage]) -> None:
    stage = staged(stages, 1)
    running = stage.ask("running")
    stage.one_more_runs()
    waiting = stage.ask("waits")
    closer = threading.Thread(target=stage.scheduler.close)
    closer.start()
    assert isinstance(waiting.exception(30), EngineBusy)
    stage.end()
    assert running.result(30) == "running"
    closer.join(30)
    with pytest.raises(EngineBusy):
        stage.ask("after")


def test_many_callers_at_once_never_use_more_than_the_slots() -> None:
    scheduler, lock = Scheduler(3, bound=1000), threading.Lock()
    here = most = 0

    def work() -> None:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        threading.Event().wait(0.0005)
        with lock:
            here -= 1

    def caller(number: int) -> None:
        urgency = tuple(Urgency)[number % 3]
        for turn in range(40):
            if (number + turn) % 2:
                scheduler.run(work, urgency=urgency, within=60.0, cost=0.0)
            else:
                with scheduler.slot(urgency=urgency, within=60.0, cost=0.0):
                    work()

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 3
    assert scheduler.running() == 0
    assert not any(scheduler.waiting().values())
    scheduler.close()
