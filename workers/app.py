"""The Celery worker as a process: children that run jobs, one at a time each."""

import os
from collections.abc import Sequence

from telemed.adapters.queue.celery import QUEUES, make_celery
from telemed.application.handlers import HANDLERS
from telemed.application.run_jobs import Handlers
from workers.tasks import MakeWorld, register


def run_worker(
    broker_url: str,
    make_world: MakeWorld,
    *,
    children: int,
    handlers: Handlers = HANDLERS,
    queues: Sequence[str] = QUEUES,
) -> None:
    """Blocks until a signal: SIGTERM lets running jobs end."""
    celery = make_celery(broker_url)
    register(celery, make_world, handlers)
    celery.worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={children}",
            f"--queues={','.join(queues)}",
            f"--hostname=telemed-{os.getpid()}@%h",
            "--loglevel=WARNING",
            # Workers know nothing of each other: the rows are all they share.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
