"""Every place on the way where a transaction ends, and a unit of work that dies at a chosen one of them.

Use cases know nothing of it: the factory in their world is exchanged. A commit that the list does not name is
found by the dry run, and fails the drill until somebody has listed it.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, NoReturn, cast

from telemed.application.ports import UnitOfWork, UnitOfWorkFactory


class Side(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, order=True)
class Boundary:
    """The `number`-th commit that `place` ("module.function") makes in a step of the way."""

    step: str
    place: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.step}:{self.place}#{self.number}"


def _job(kind: str, *places: str) -> tuple[Boundary, ...]:
    """A job's claim, its own commits, its end."""
    return (
        Boundary(kind, "run_jobs.run_claimed"),
        *(Boundary(kind, place) for place in places),
        Boundary(kind, "run_jobs.run_one"),
    )


# In the order of the way of one ECG; the order of the jobs among themselves is that of their ranks.
BOUNDARIES: tuple[Boundary, ...] = (
    Boundary("place_order", "orders.place_order"),
    Boundary("receive", "receive._transaction"),
    *_job("complete_study", "complete._complete"),
    *_job("infer_case", "infer._settle"),
    *_job("place_object", "objects.place_object"),
    Boundary("open_case", "read.open_case"),
    Boundary("claim", "read.claim"),
    Boundary("save_draft", "read.save_draft"),
    Boundary("sign", "sign.sign"),
    Boundary("review", "sign.review"),
    *_job("deliver_report", "deliver.deliver_report"),
    Boundary("open_delivery", "deliver._mark"),
    Boundary("read_document", "deliver.report_pdf"),
    Boundary("acknowledge_institution", "deliver._mark"),
    Boundary("acknowledge_family_doctor", "deliver._mark"),
    Boundary("seal", "seal.seal_events"),
)

Observer = Callable[[Boundary, Side], None]


class Boundaries:
    """Counts the commits of each place; the walker says which step it is in."""

    def __init__(self, observe: Observer) -> None:
        self.step = ""
        self._observe = observe
        self._seen: Counter[tuple[str, str]] = Counter()

    def factory(self, inner: UnitOfWorkFactory) -> UnitOfWorkFactory:
        def make(*, write: bool = True, synced: bool = True) -> AbstractContextManager[UnitOfWork]:
            return cast(
                "AbstractContextManager[UnitOfWork]", _Watched(inner(write=write, synced=synced), self)
            )

        return make

    def next(self, place: str) -> Boundary:
        key = (self.step, place)
        self._seen[key] += 1
        return Boundary(*key, self._seen[key])

    def observe(self, boundary: Boundary, side: Side) -> None:
        self._observe(boundary, side)


class _Watched:
    """A unit of work in every respect; its commits are told of."""

    def __init__(self, inner: AbstractContextManager[UnitOfWork], boundaries: Boundaries) -> None:
        self._manager, self._boundaries = inner, boundaries
        self._uow: Any = None

    def __enter__(self) -> "_Watched":
        self._uow = self._manager.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._manager.__exit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uow, name)

    def commit(self) -> None:
        caller = sys._getframe(1)
        module = caller.f_globals["__name__"].rpartition(".")[2]
        boundary = self._boundaries.next(f"{module}.{caller.f_code.co_name}")
        self._boundaries.observe(boundary, Side.BEFORE)
        self._uow.commit()
        self._boundaries.observe(boundary, Side.AFTER)


def die_at(target: Boundary, side: Side) -> Observer:
    def observe(boundary: Boundary, where: Side) -> None:
        if (boundary, where) == (target, side):
            die()

    return observe


def die() -> NoReturn:
    """As a power cut or the kernel's killer does it: no handler, no cleaning up."""
    os.kill(os.getpid(), signal.SIGKILL)
    while True:
        signal.pause()


def parse(text: str) -> Boundary:
    step, _, rest = text.partition(":")
    place, _, number = rest.partition("#")
    return Boundary(step, place, int(number))
