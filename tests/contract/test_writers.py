"""Writers of one SQLite file, in threads and in processes: each gets its turn, and nobody keeps it beyond an end."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import OperationalError

from telemed.adapters.db import engine as engines
from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.writers import Turn
from tests.contract.test_unit_of_work import at_once

_WRITER = """
import sys
import time
from sqlalchemy import text
from telemed.adapters.db.engine import make_engine
engine = make_engine(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with engine.begin() as connection:
        connection.execute(text("UPDATE counted SET n = n + 1"))
print("done", flush=True)
if len(sys.argv) > 3:
    connection = engine.connect()
    connection.begin()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def url(sqlite_database: Callable[[], str]) -> str:
    url = sqlite_database()
    with make_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))
        connection.execute(text("INSERT INTO counted VALUES (0)"))
    return url


def writer(url: str, count: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, url, str(count), *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def counted(url: str) -> int:
    with make_engine(url).execution_options(write=False).connect() as connection:
        return int(connection.execute(text("SELECT n FROM counted")).scalar_one())


def test_processes_and_threads_all_get_their_turn(url: str) -> None:
    others = [writer(url, 100) for _ in range(2)]
    engine = make_engine(url)

    def write(_: int) -> None:
        for _ in range(50):
            with engine.begin() as connection:
                connection.execute(text("UPDATE counted SET n = n + 1"))

    at_once(4, write)
    assert [other.communicate(timeout=60)[0] for other in others] == ["done\n", "done\n"]
    assert counted(url) == 400


def test_whoever_is_killed_while_writing_keeps_nobody_waiting(url: str) -> None:
    other = writer(url, 1, "hold")
    assert other.stdout is not None
    assert [other.stdout.readline(), other.stdout.readline()] == ["done\n", "writing\n"]
    other.send_signal(signal.SIGKILL)
    other.communicate(timeout=20)
    with make_engine(url).begin() as connection:
        connection.execute(text("UPDATE counted SET n = n + 1"))
    assert counted(url) == 2


def test_a_turn_that_does_not_come_is_a_locked_database(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
    first, second = make_engine(url), make_engine(url)
    with first.begin():
        with pytest.raises(OperationalError, match="locked"), second.begin():
            pass
        with pytest.raises(OperationalError, match="locked"), first.begin():
            pass
    with second.begin(), pytest.raises(OperationalError, match="locked"), first.begin():
        pass


def test_a_transaction_that_fails_gives_its_turn_back(url: str) -> None:
    engine, other = make_engine(url), make_engine(url)
    with pytest.raises(ZeroDivisionError), engine.begin():
        _ = 1 / 0
    with other.begin(), engine.execution_options(write=False).connect() as reader:
        # A reader never asks for a turn.
        assert reader.execute(text("SELECT n FROM counted")).scalar_one() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_writes_though_its_parent_was_writing(url: str) -> None:
    turn = Turn(Path(str(make_url(url).database)))
    with turn.threads:
        child = os.fork()
        if not child:
            os._exit(int(turn.threads.locked()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_stranger_who_writes_is_told_of_as_a_busy_database_and_keeps_nobodys_turn(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that knows no turns, a backup for instance, may hold the file itself."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 10)
    engine = make_engine(url)
    stranger = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), engine.begin():
        pass
    stranger.rollback()
    stranger.close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE counted SET n = 7"))
    assert counted(url) == 7


def test_whoever_writes_next_takes_the_connection_that_wrote_last(url: str) -> None:
    """It still holds the pages; with any other the whole index is read anew for every object."""
    engine = make_engine(url)

    def of_writer() -> object:
        with engine.begin() as connection:
            return connection.connection.driver_connection

    with engine.connect(), engine.connect():
        # Three of them in the pool from now on.
        of_writer()
    assert len({id(of_writer()) for _ in range(4)}) == 1


def test_whoever_was_passed_over_for_long_is_next(url: str) -> None:
    """Two engines stand for two processes: the files tell holders apart by where they were opened."""
    database = make_url(url).database
    assert database is not None
    gate = os.open(Turn(Path(database)).gate, os.O_RDWR | os.O_CREAT)

    def free() -> bool:
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(gate, fcntl.LOCK_UN)
        return True

    def write(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE counted SET n = n + 1"))

    passed_over, newcomer = make_engine(url), make_engine(url)
    with ThreadPoolExecutor(2) as threads:
        with make_engine(url).begin() as busy:
            busy.execute(text("UPDATE counted SET n = n + 1"))
            first = threads.submit(write, passed_over)
            until = time.monotonic() + 20
            while free() and time.monotonic() < until:
                time.sleep(0.005)
            assert not free()
        first.result(timeout=20)
        assert free()
        # And nobody passes the gate while somebody stands there.
        fcntl.flock(gate, fcntl.LOCK_EX)
        second = threads.submit(write, newcomer)
        time.sleep(0.2)
        assert not second.done()
        fcntl.flock(gate, fcntl.LOCK_UN)
        second.result(timeout=20)
    os.close(gate)
    assert counted(url) == 3
