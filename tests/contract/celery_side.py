"""A Celery worker as the tests start it: the real worker, with handlers that leave a trace in a folder.

    python -m tests.contract.celery_side BROKER_URL DATABASE_URL FOLDER

Each run of a job appends its process id to FOLDER/<subject>. Subjects from 1000 on wait, while FOLDER/hold exists,
inside the job.
"""

import os
import sys
import time
from pathlib import Path

from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.application.jobs import JobKind
from telemed.application.run_jobs import Handlers
from telemed.application.world import World
from tests.contract.world import SystemClock, make_world
from workers.app import run_worker

WAITS_FROM = 1000


def handlers(folder: Path) -> Handlers:
    def trace(_world: World, subject: int) -> None:
        with (folder / str(subject)).open("a", encoding="ascii") as runs:
            runs.write(f"{os.getpid()}\n")
        if subject >= WAITS_FROM:
            while (folder / "hold").exists():
                time.sleep(0.02)

    return dict.fromkeys(JobKind, trace)


def main(broker_url: str, database_url: str, folder: Path) -> None:
    def world() -> World:
        return make_world(SqlUnitOfWorkFactory(make_engine(database_url)), SystemClock())

    run_worker(broker_url, world, children=2, handlers=handlers(folder))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
