"""A PostgreSQL of the benchmark's own, on a socket alone; loads without syncing, serves with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

_LOADING = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_ALWAYS = (
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=1GB",
    "maintenance_work_mem=512MB",
    # Indexes are built two tables at a time: more would share the same cores.
    "max_parallel_maintenance_workers=0",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=16GB",
    "checkpoint_timeout=30min",
    "effective_cache_size=8GB",
    # A virtual disk on flash, as PostgreSQL's own manual advises for one.
    "random_page_cost=1.1",
)


class Postgres:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The server refuses root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = Path(_program("postgres")).parent
        folder.mkdir(parents=True, exist_ok=True)
        if self._user:
            shutil.chown(folder, self._user)
        if not (folder / "data" / "PG_VERSION").exists():
            self._call(
                "initdb", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync"
            )

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def start(self, *, loading: bool) -> None:
        options = [o for value in (*_ALWAYS, *(_LOADING if loading else ())) for o in ("-c", value)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder),
                    *options,
                ],
                user=self._user, stdout=log, stderr=log, cwd="/",
            )  # fmt: skip
        for _ in range(600):
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    raise SystemExit((self.folder / "log").read_text("utf-8")[-2000:]) from None
                time.sleep(0.1)
        raise SystemExit("PostgreSQL did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def create(self, database: str) -> None:
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{database}"'.encode())

    def drop(self, database: str) -> None:
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}"'.encode())

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/")


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found:
        return str(found[-1])
    path = shutil.which(name)
    if path is None:
        raise FileNotFoundError("PostgreSQL is absent: install the package postgresql")
    return path
