"""The one task. It carries an id and nothing else: what to do stands in the row."""

from collections.abc import Callable
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from telemed.adapters.queue.celery import RUN_JOB
from telemed.application.handlers import HANDLERS
from telemed.application.run_jobs import Handlers, run_claimed
from telemed.application.world import World

MakeWorld = Callable[[], World]


def register(celery: Celery, make_world: MakeWorld, handlers: Handlers = HANDLERS) -> None:
    # Each child makes its own, after the fork: connections and threads do not survive one.
    world = cache(make_world)

    @worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
    def _prepare(**_: object) -> None:
        world()

    @celery.task(name=RUN_JOB, bind=True)  # type: ignore[untyped-decorator]
    def run_job(task: Any, job_id: int) -> None:
        # A message that comes again has the same id, and with it the right to the lease of its lost worker.
        run_claimed(world(), handlers, job_id=job_id, token=task.request.id)
