"""`python -m telemed.drill.child FOLDER SHARE SHARES EVERY`: walks the way, dying at each boundary of its share
(at each EVERY-th one of all for the short form).

This process imports everything once and then only forks: it holds no engine, no session and no thread, so that
every walk starts like a fresh process, in milliseconds. One JSON object a line.
"""

import contextlib
import importlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from telemed.application.jobs import LEASE
from telemed.bootstrap import Application, build
from telemed.domain.delivery import RecipientKind
from telemed.drill import house
from telemed.drill.boundaries import BOUNDARIES, Boundaries, Boundary, Observer, Side, die_at
from telemed.drill.clock import ShiftedClock
from telemed.drill.invariants import Promised, faults
from telemed.drill.objects import dataset_sha256
from telemed.drill.way import STEPS, Walker, the_object
from telemed.settings import Settings

AFTER_RESTART = LEASE + timedelta(seconds=1)
_KILLED = 9
# What a walk would else import anew each time. (onnxruntime stays out: importing it starts a thread.)
_WARM = ("ai_models.ecg.reader", "pydicom.encoders", "telemed.imaging.machine_objects.report", "typst")

Tell = Callable[[str, Any], None]


def main(folder: Path, share: int, shares: int, every: int) -> None:
    for module in _WARM:
        importlib.import_module(module)
    template = folder / f"template-{share}"
    _forked(lambda _tell: _provision(template))
    if share == 0:
        _print({"dry_run": _dry_run(_copy(template, folder / "dry-run"))})
    for number, (boundary, side) in enumerate(targets(every)):
        if number % shares == share:
            _print(_scenario(_copy(template, folder / f"{number}"), boundary, side))


def targets(every: int) -> list[tuple[Boundary, Side]]:
    """All, or a part; the commit behind the sender's success is always among them."""
    found = [(boundary, side) for boundary in BOUNDARIES for side in Side]
    received = found.index((Boundary("receive", "receive._transaction"), Side.AFTER))
    return found[received % every :: every]


def _scenario(folder: Path, boundary: Boundary, side: Side) -> dict[str, Any]:
    """Dies once, starts again two minutes later, goes on where somebody saw no success."""
    status, told = _forked(lambda tell: _walk(folder, 0, die_at(boundary, side), timedelta(), tell))
    answer: dict[str, Any] = {"boundary": str(boundary), "side": side.value, "killed": status == -_KILLED}
    passed = [number for what, number in told if what == "passed"]
    start = passed[-1] + 1 if passed else 0
    status, told = _forked(lambda tell: _walk(folder, start, _watch_nothing, AFTER_RESTART, tell))
    found = [value for what, value in told if what == "faults"]
    answer["faults"] = found[0] if found and status == 0 else [f"the way broke: {told[-1:]}"]
    answer["again"] = STEPS[start][0] if start < len(STEPS) else ""
    shutil.rmtree(folder)
    return answer


def _dry_run(folder: Path) -> dict[str, Any]:
    seen: list[tuple[str, str]] = []

    def run(tell: Tell) -> None:
        _walk(folder, 0, lambda b, side: tell("seen", (str(b), side.value)), timedelta(), tell)

    status, told = _forked(run)
    seen = [tuple(value) for what, value in told if what == "seen"]
    found = [value for what, value in told if what == "faults"]
    listed = [(str(boundary), side.value) for boundary in BOUNDARIES for side in Side]
    problems = found[0] if found and status == 0 else [f"the way broke: {told[-1:]}"]
    problems += [
        f"not listed: {name}" for name, side in seen if (name, side) not in listed and side == Side.AFTER
    ]
    problems += [
        f"listed, but not on the way: {name}"
        for name, side in listed
        if (name, side) not in seen and side == Side.AFTER
    ]
    if not problems and seen != listed:
        problems.append("the list is not in the order of the way")
    return {"seen": len(seen) // 2, "faults": problems}


def _walk(folder: Path, start: int, observe: Observer, ahead: timedelta, tell: Tell) -> None:
    application = build(_settings(folder))
    boundaries = Boundaries(observe)
    world = replace(
        application.world,
        unit_of_work=boundaries.factory(application.world.unit_of_work),
        clock=ShiftedClock(ahead),
    )
    Walker(world, boundaries).walk(start, lambda number: tell("passed", number))
    application.close()
    # What a process sees that has just come.
    after = build(_settings(folder))
    tell("faults", faults(after, promised(after)))
    after.close()


def promised(application: Application) -> Promised:
    township = house.actor(application.world, house.TECHNICIAN)
    family = house.actor(application.world, house.FAMILY)
    sent = the_object()
    return Promised(
        objects={(str(sent.SOPInstanceUID), dataset_sha256(sent))},
        recipients=frozenset(
            {f"{RecipientKind.INSTITUTION}:{township.institution_id}", f"user:{family.user_id}"}
        ),
    )


def _watch_nothing(_boundary: Boundary, _side: Side) -> None:
    """The second walk is not disturbed."""


def _provision(folder: Path) -> None:
    application = build(_settings(folder))
    house.provision(application.world)
    application.close()


def _settings(folder: Path) -> Settings:
    return replace(Settings(), data_dir=folder).complete()


def _copy(template: Path, folder: Path) -> Path:
    """Rows and key; spool and store are made anew, empty as they were."""
    folder.mkdir()
    for path in template.iterdir():
        if path.is_file():
            shutil.copy2(path, folder / path.name)
    return folder


def _forked(work: Callable[[Tell], None]) -> tuple[int, list[tuple[str, Any]]]:
    """Runs in a child of its own; returns its exit status (negative: the signal) and what it told before."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        os.close(reading)
        status = 1
        try:
            work(lambda what, value: _tell(writing, what, value))
            status = 0
        except BaseException as fault:  # noqa: BLE001 - the parent is told, whatever it was
            traceback.print_exc()
            with contextlib.suppress(OSError):
                _tell(writing, "broke", f"{type(fault).__name__}: {fault}")
        finally:
            os._exit(status)
    os.close(writing)
    told = list(_lines(reading))
    _, raw = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(raw), told


def _tell(pipe: int, what: str, value: Any) -> None:
    # One write below PIPE_BUF or not: there is one writer, and a line cut by its death is left out.
    os.write(pipe, json.dumps([what, value]).encode() + b"\n")


def _lines(pipe: int) -> Iterator[tuple[str, Any]]:
    with os.fdopen(pipe, "rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                what, value = json.loads(line)
                yield what, value


def _print(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
