"""A PostgreSQL of its own for a test run: on a socket alone, with a fresh database for each test."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.upgrade import upgrade
from tests.engines.processes import stop, wait_until
from tests.programs import require

_BINARIES = "/usr/lib/postgresql/*/bin"
_TEMPLATE = "template_telemed"
_OPTIONS = [
    option
    # Another zone than UTC, as in the field: an adapter that loses the zone shows it.
    for value in ("listen_addresses=", "fsync=off", "max_connections=200", "timezone=Asia/Shanghai")
    for option in ("-c", value)
]


class PostgresServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = (f"test_{number}" for number in itertools.count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def empty_database(self) -> str:
        """The URL of a database without any table."""
        return self._create("template1")

    def database(self) -> str:
        """The URL of a fresh database with today's tables."""
        return self._create(_TEMPLATE)

    def make_template(self) -> None:
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
        engine = make_engine(self.url(_TEMPLATE))
        try:
            upgrade(engine)
        finally:
            engine.dispose()

    def ready(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self._run(sql.SQL("SELECT 1"))
            return True
        return False

    def _create(self, template: str) -> str:
        name = next(self._names)
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return self.url(name)

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        # Not as a context manager: that would open a transaction, and CREATE DATABASE refuses one.
        connection = psycopg.connect(
            host=str(self._folder), user="postgres", dbname="postgres", autocommit=True
        )
        try:
            connection.execute(statement)
        finally:
            connection.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    initdb = require("initdb", package="postgresql", folders=_BINARIES)
    postgres = require("postgres", package="postgresql", folders=_BINARIES)
    # Short, because a socket's path may not have more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="telemed-pg-"))
    # The server refuses root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    try:
        subprocess.run(
            [
                initdb,
                "-D",
                data,
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--auth=trust",
                "--no-sync",
            ],
            user=user,
            check=True,
            capture_output=True,
            cwd="/",
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                [postgres, "-D", str(data), "-k", str(folder), *_OPTIONS],
                user=user,
                stdout=output,
                stderr=output,
                cwd="/",
            )
        try:
            server = PostgresServer(folder)
            wait_until(server.ready, process, log)
            server.make_template()
            yield server
        finally:
            # SIGINT: ends connections that a test left open, where SIGTERM would wait for them.
            stop(process, signal.SIGINT)
    finally:
        shutil.rmtree(folder)
