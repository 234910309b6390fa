"""Engines as the house needs them: durable SQLite for one machine, PostgreSQL beyond it."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from telemed.adapters.db.writers import Turn, WritingConnection

BUSY_TIMEOUT_MS = 30_000
# 32 MB.
CHECKPOINT_PAGES = 8000
# Rows of one kind are written in one statement, whose text depends on their number: the usual ones stay prepared.
STATEMENTS_KEPT = 512


def make_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    # Values of rows stay out of errors, and so out of logs: they may be a patient's.
    # The one used last first: it holds its statements prepared.
    engine = create_engine(
        url, pool_pre_ping=True, pool_use_lifo=True, pool_size=10, max_overflow=20, hide_parameters=True
    )

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        if not connection.get_execution_options().get("synced", True):
            connection.connection.driver_connection.execute("SET LOCAL synchronous_commit TO OFF")

    return engine


def _sqlite(url: str) -> Engine:
    database = make_url(url).database
    turn = Turn(Path(database)) if database and database != ":memory:" else None
    options = {"factory": WritingConnection} if turn else {}
    engine = create_engine(
        url,
        connect_args={
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "check_same_thread": False,
            "cached_statements": STATEMENTS_KEPT,
            **options,
        },
        pool_size=20,
        max_overflow=40,
        # The one that wrote last still holds the pages and the statements that the next writer needs.
        pool_use_lifo=True,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        if turn is not None:
            connection.join(turn)
        # The driver must not open transactions by itself: `_on_begin` says which kind.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # WAL alone is not durable: NORMAL would lose the last commits of a power cut, after "success".
        cursor.execute("PRAGMA synchronous=FULL")
        # Pages written by many commits go to their place once; the file in front of them stays small enough.
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        # What a statement needs to undo itself is a file otherwise, made and removed for each of them.
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Any) -> None:
        # A read that turns into a write fails at once despite busy_timeout: a writer says so at the start.
        options, driver = connection.get_execution_options(), connection.connection.driver_connection
        write = options.get("write", True)
        if write and turn is not None:
            driver.await_turn(BUSY_TIMEOUT_MS / 1000)
            driver.sync(options.get("synced", True))
        _begin(driver, "BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _begin(connection: sqlite3.Connection, text: str) -> None:
    """As `exec_driver_sql`, without what that does for results: three times the work of the statement itself."""
    try:
        connection.execute(text)
    except sqlite3.OperationalError as error:
        raise OperationalError(text, None, error) from error
