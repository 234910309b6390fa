"""Each drill in its short form: real processes, real bytes, and every promise looked up afterwards."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import telemed.application
from telemed.domain.errors import InvalidInput
from telemed.drill.boundaries import BOUNDARIES, Boundaries, Boundary, Side, parse
from telemed.drill.row import Outcome
from telemed.drill.run import DRILLS, in_words, run_drills
from telemed.i18n import languages

# Run by the test of the command below.
BY_COMMAND = "wrong_patient"


@pytest.mark.parametrize("name", [name for name in DRILLS if name != BY_COMMAND])
def test_the_promise_holds_under(name: str) -> None:
    (row,) = run_drills([name], quick=True)
    assert row.ok, row.detail


def test_the_command_prints_a_row_and_says_by_its_status_that_all_held() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telemed.cli", "drill", BY_COMMAND, "--quick", "--json"],
        capture_output=True,
        timeout=300,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    row = json.loads(done.stdout)
    assert set(row) == {"name", "sender_saw", "stored", "told", "ok", "detail"}
    assert (row["name"], row["ok"]) == (BY_COMMAND, True)
    assert "0x0000" in row["sender_saw"]


def test_an_unknown_drill_is_refused_before_any_starts() -> None:
    with pytest.raises(InvalidInput, match=r"^drill.unknown") as refusal:
        run_drills(["same_uid", "earthquake"])
    assert refusal.value.params["names"] == "earthquake"


@pytest.mark.parametrize("language", languages)
def test_a_broken_promise_is_never_put_in_the_words_of_a_kept_one(language: str) -> None:
    facts: dict[str, str | int] = {"statuses": "0x0000 0x0000", "kept": 2, "shown": 1, "notices": 1}
    kept = in_words("same_uid", Outcome([], facts), language)
    broken = in_words("same_uid", Outcome(["object lost"], facts), language)
    assert kept.ok
    assert not broken.ok
    assert not {kept.sender_saw, kept.stored, kept.told} & {broken.sender_saw, broken.stored, broken.told}
    assert "object lost" in broken.detail


def test_every_listed_boundary_is_a_commit_in_the_code() -> None:
    commits = set()
    for path in Path(telemed.application.__path__[0]).glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Attribute) and node.attr == "commit" for node in ast.walk(function)
            ):
                commits.add(f"{path.stem}.{function.name}")
    assert {boundary.place for boundary in BOUNDARIES} <= commits
    assert len(set(BOUNDARIES)) == len(BOUNDARIES)
    assert [parse(str(boundary)) for boundary in BOUNDARIES] == list(BOUNDARIES)


class _Recorded:
    def __init__(self, log: list[str]) -> None:
        self.log, self.jobs = log, "the jobs"

    def __enter__(self) -> "_Recorded":
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append("closed")

    def commit(self) -> None:
        self.log.append("committed")


def test_a_boundary_is_told_of_before_and_after_its_commit_under_the_name_of_who_commits() -> None:
    log: list[str] = []
    boundaries = Boundaries(lambda boundary, side: log.append(f"{side} {boundary}"))
    factory = boundaries.factory(lambda *, write=True, synced=True: _Recorded(log))  # type: ignore[arg-type]
    boundaries.step = "step"

    def use_case() -> None:
        with factory() as uow:
            log.append(str(uow.jobs))
            uow.commit()

    use_case()
    use_case()
    names = [str(Boundary("step", "test_drill.use_case", number)) for number in (1, 2)]
    assert log == [
        line
        for name in names
        for line in ("the jobs", f"{Side.BEFORE} {name}", "committed", f"{Side.AFTER} {name}", "closed")
    ]
