"""Objects of several associations share a commit, and none of them waits for one that never comes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from dicom_node.intake import Intake
from telemed.application.arrival import Incoming
from telemed.application.receive import Received
from telemed.domain.errors import Unavailable
from telemed.domain.study import Reception
from tests.factories.dicom import ecg_bytes
from tests.receiving import Site

_seeds = count(1)


def another() -> bytes:
    return ecg_bytes(seed=next(_seeds))


class Counting:
    """Units of work as the house gives them; how many were asked for, and failing on demand."""

    def __init__(self, town: Site, *, failing: bool = False) -> None:
        self._of, self.opened, self._failing = town.world.unit_of_work, 0, failing

    def __call__(self, *, write: bool = True, synced: bool = True) -> Any:
        self.opened += 1
        if self._failing:
            raise Unavailable("error.database_unavailable")
        return self._of(write=write, synced=synced)


def counted(town: Site, **how: Any) -> tuple[Intake, Counting]:
    units = Counting(town, **how)
    return Intake(replace(town.world, unit_of_work=units)), units


def test_objects_made_safe_at_the_same_moment_share_one_commit(town: Site) -> None:
    intake, units = counted(town)
    together = threading.Barrier(6)

    def prepare() -> Incoming:
        item = town.incoming(another())
        together.wait()
        return item

    with ThreadPoolExecutor(6) as pool:
        received: list[Received] = [
            one.result() for one in [pool.submit(intake.receive, prepare) for _ in range(6)]
        ]
    assert [one.reception for one in received] == [Reception.NEW] * 6
    assert len({one.object_id for one in received}) == 6
    assert units.opened < 6


def test_a_lone_object_waits_for_nobody(town: Site) -> None:
    intake, units = counted(town)
    for _ in range(3):
        assert intake.receive(lambda: town.incoming(another())).reception is Reception.NEW
    assert units.opened == 3


def test_one_that_cannot_be_prepared_keeps_nobody_waiting(town: Site) -> None:
    intake, _ = counted(town)

    def broken() -> Incoming:
        raise ValueError("no such object")

    with pytest.raises(ValueError, match="no such object"):
        intake.receive(broken)
    assert intake.receive(lambda: town.incoming(another())).reception is Reception.NEW


def test_one_that_hangs_before_it_is_safe_holds_the_others_up_for_a_moment_only(town: Site) -> None:
    intake, _ = counted(town)
    hanging, go_on = threading.Event(), threading.Event()

    def slow() -> Incoming:
        hanging.set()
        assert go_on.wait(30)
        return town.incoming(another())

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(intake.receive, slow)
        assert hanging.wait(30)
        assert intake.receive(lambda: town.incoming(another())).reception is Reception.NEW
        assert not other.done()
        go_on.set()
        assert other.result().reception is Reception.NEW


def test_a_commit_that_fails_is_everybodys_failure_and_the_next_one_is_led_again(town: Site) -> None:
    intake, units = counted(town, failing=True)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(intake.receive, lambda: town.incoming(another())) for _ in range(4)]
        for one in asked:
            with pytest.raises(Unavailable):
                one.result(30)
    units._failing = False
    assert intake.receive(lambda: town.incoming(another())).reception is Reception.NEW
