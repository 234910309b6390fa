"""A world of a real database and a clock that moves when told; everything else is not there."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from telemed.application.ports import Clock, UnitOfWorkFactory
from telemed.application.world import World

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@dataclass
class MovingClock:
    instant: datetime = NOON

    def now(self) -> datetime:
        return self.instant

    def pass_by(self, **time: float) -> datetime:
        self.instant += timedelta(**time)
        return self.instant


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIdentifiers:
    def uid(self) -> str:
        return str(uuid.uuid4())

    def token(self) -> str:
        return uuid.uuid4().hex


class NobodyToWake:
    def wake(self) -> None:
        """Tests look for due work themselves."""


class NotHere:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a job asked the world for {name}")


def make_world(unit_of_work: UnitOfWorkFactory, clock: Clock) -> World:
    nothing = cast("Any", NotHere())
    return World(
        unit_of_work=unit_of_work,
        clock=clock,
        identifiers=RandomIdentifiers(),
        spool=nothing,
        objects=nothing,
        analyser=nothing,
        renderer=nothing,
        passwords=nothing,
        names=nothing,
        waker=NobodyToWake(),
        secret_key=b"a key for tests alone",
    )
