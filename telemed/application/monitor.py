"""How the house is: does each part answer, and how much work waits."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from telemed.application.world import World
from telemed.domain.errors import DomainError

log = logging.getLogger(__name__)

Answer = Literal["ok", "unavailable"]


@dataclass(frozen=True, kw_only=True)
class Load:
    jobs_due: int
    jobs_failed: int
    oldest_due_seconds: float
    objects_in_spool: int


def load(world: World) -> Load:
    now = world.clock.now()
    with world.unit_of_work(write=False) as uow:
        due, oldest = uow.jobs.waiting(now)
        return Load(
            jobs_due=due,
            jobs_failed=len(uow.jobs.failed()),
            oldest_due_seconds=max((now - oldest).total_seconds(), 0.0) if oldest else 0.0,
            objects_in_spool=uow.studies.unplaced(),
        )


def ready(world: World) -> dict[str, Answer]:
    """Each part by name. Why a part does not answer is for the log, not for whoever asks."""
    return {
        "database": _answers(lambda: _read(world)),
        "objects": _answers(world.objects.check),
        "models": _answers(world.analyser.check),
    }


def _read(world: World) -> None:
    with world.unit_of_work(write=False) as uow:
        uow.events.last_id()


def _answers(check: Callable[[], None]) -> Answer:
    try:
        check()
    except DomainError as fault:
        log.warning("a part does not answer: %s", fault)
        return "unavailable"
    return "ok"
