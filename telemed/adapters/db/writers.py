"""The order of SQLite's writers: one at a time, over all processes of the house.

SQLite lets a writer that finds the way taken sleep, longer each time, up to a tenth of a second; two busy processes
spend their time asleep beside a free database. Here whoever waits is next within a millisecond.
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


class Turn:
    """Of one process: its threads among each other; shared by all its connections to one file."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + "-writers")
        self.threads = Lock()
        _turns.add(self)


_turns: WeakSet[Turn] = WeakSet()


def _renew() -> None:
    """A forked child has none of its parent's threads: what they held would never be given back."""
    for turn in _turns:
        turn.threads = Lock()


os.register_at_fork(after_in_child=_renew)


class WritingConnection(sqlite3.Connection):
    """Asks for its turn before it writes and gives it back when the transaction is over, however it ended."""

    turn: Turn
    _handle = -1
    _mine = False
    _synced = True

    def join(self, turn: Turn) -> None:
        """Once, after connecting. Of its own open file: the system tells holders apart by that."""
        self.turn = turn
        self._handle = os.open(turn.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def await_turn(self, seconds: float) -> None:
        """Raises SQLAlchemy's OperationalError, as a database that stays locked does."""
        until = time.monotonic() + seconds
        if not self.turn.threads.acquire(timeout=seconds):
            raise _locked()
        self._mine = True
        pause = _FIRST
        while not self._taken():
            if time.monotonic() > until:
                self._give_back()
                raise _locked()
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)

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
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give_back(self) -> None:
        if self._mine:
            self._mine = False
            fcntl.flock(self._handle, fcntl.LOCK_UN)
            self.turn.threads.release()


def _locked() -> OperationalError:
    return OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
