"""The order of SQLite's writers: one at a time, over all processes of the house.

SQLite lets a writer that finds the way taken sleep, longer each time, up to a tenth of a second; two busy processes
spend their time asleep beside a free database. Here whoever waits looks again within a millisecond. A process that
writes one thing after the other may take the lock anew before anybody else has woken, which costs the database no
time; but whoever was passed over for long stands at a gate, through which everybody passes who asks for a turn.
"""

import fcntl
import os
import sqlite3
import time
from pathlib import Path
from threading import Lock
from weakref import WeakSet

from sqlalchemy.exc import OperationalError

# Waiting for another process begins with this and doubles up to the second.
_FIRST, _LONGEST = 5e-5, 1e-3
# So long somebody may be passed over.
_PASSED_OVER_SECONDS = 0.05


class Turn:
    """Of one process: its threads among each other; shared by all its connections to one file."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + "-writers")
        self.gate = database.with_name(database.name + "-next-writer")
        self.renew()
        _turns.add(self)

    def renew(self) -> None:
        self.threads = Lock()


_turns: WeakSet[Turn] = WeakSet()


def _renew() -> None:
    """A forked child has none of its parent's threads: what they held would never be given back."""
    for turn in _turns:
        turn.renew()


os.register_at_fork(after_in_child=_renew)


class WritingConnection(sqlite3.Connection):
    """Asks for its turn before it writes and gives it back when the transaction is over, however it ended."""

    turn: Turn
    _handle = _gate = -1
    _mine = False
    _synced = True

    def join(self, turn: Turn) -> None:
        """Once, after connecting. Of its own open files: the system tells holders apart by that."""
        self.turn = turn
        self._handle, self._gate = _opened(turn.path), _opened(turn.gate)

    def await_turn(self, seconds: float) -> None:
        """Raises SQLAlchemy's OperationalError, as a database that stays locked does."""
        until = time.monotonic() + seconds
        if not self.turn.threads.acquire(timeout=seconds):
            raise _locked()
        self._mine = True
        try:
            _lock(self._gate, until)
            fcntl.flock(self._gate, fcntl.LOCK_UN)
            if not _locked_within(self._handle, min(until, time.monotonic() + _PASSED_OVER_SECONDS)):
                self._insist(until)
        except OperationalError:
            self._give_back()
            raise

    def _insist(self, until: float) -> None:
        _lock(self._gate, until)
        try:
            _lock(self._handle, until)
        finally:
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def sync(self, whole: bool) -> None:
        """From the next transaction on: whether a commit waits for the disk."""
        if whole != self._synced:
            self.execute(f"PRAGMA synchronous={'FULL' if whole else 'NORMAL'}")
            self._synced = whole

    def commit(self) -> None:
        super().commit()
        self._give_back()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._give_back()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._give_back()
            for handle in (self._handle, self._gate):
                if handle >= 0:
                    os.close(handle)
            self._handle = self._gate = -1

    def _give_back(self) -> None:
        if self._mine:
            self._mine = False
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            self.turn.threads.release()


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(handle: int, until: float) -> None:
    if not _locked_within(handle, until):
        raise _locked()


def _locked_within(handle: int, until: float) -> bool:
    pause = _FIRST
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
        else:
            return True
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST)


def _locked() -> OperationalError:
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
