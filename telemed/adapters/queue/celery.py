"""The Celery side: messages "run job 17". A message is a wake-up; whether there is work, the row says.

Losing a message costs time, never work; a second one finds nothing to claim.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import OperationalError

from telemed.application.faults import trace_of
from telemed.application.jobs import RANK
from telemed.application.ports import Clock, UnitOfWorkFactory

log = logging.getLogger(__name__)

RUN_JOB = "workers.run_job"
# A job that nobody claimed is announced again after this time, then after twice as long, and so on.
ANNOUNCE_AGAIN = 60.0
_LONGEST_SILENCE = 900.0
# Redis gives a message to another worker after this time, whether or not the first still works on it: longer
# than any task. A lost worker's job comes back much earlier, when its lease ends and the relay announces it.
_VISIBILITY_SECONDS = 3600
_AT_ONCE = 500


def queue_of(rank: int) -> str:
    return f"telemed.rank{rank}"


QUEUES = tuple(queue_of(rank) for rank in sorted(set(RANK.values())))


def make_celery(broker_url: str) -> Celery:
    celery = Celery("telemed", broker=broker_url, set_as_current=False)
    celery.conf.update(
        # The answer of a job is its row. Nobody waits for a result.
        result_backend=None,
        task_ignore_result=True,
        # A worker that dies inside a task gives its message back; one message a child, so that it holds no others.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_serializer="json",
        accept_content=["json"],
        # Not written to the broker's disk: the rows are, and the relay announces them again.
        task_default_delivery_mode="transient",
        task_default_queue=QUEUES[-1],
        # Announcements that no worker took in time were repeated meanwhile.
        task_queues=[_queue(name) for name in QUEUES],
        task_create_missing_queues=False,
        worker_detect_quorum_queues=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=4,
        broker_transport_options=_transport_options(broker_url),
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_proc_alive_timeout=60.0,
        enable_utc=True,
    )
    return celery


def _queue(name: str) -> Queue:
    return Queue(name, routing_key=name, message_ttl=_LONGEST_SILENCE)  # type: ignore[no-untyped-call]


def _transport_options(broker_url: str) -> dict[str, object]:
    if broker_url.startswith(("redis:", "rediss:")):
        return {"visibility_timeout": _VISIBILITY_SECONDS, "socket_connect_timeout": 4, "socket_timeout": 30}
    return {}


class JobPublisher:
    """Announces due jobs, each once and then ever more rarely until somebody claims it."""

    def __init__(
        self,
        celery: Celery,
        unit_of_work: UnitOfWorkFactory,
        clock: Clock,
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._celery, self._unit_of_work, self._clock = celery, unit_of_work, clock
        self._elapsed = elapsed
        # Job id -> (when to announce it again, how long the silence is then).
        self._announced: dict[int, tuple[float, float]] = {}

    def publish_due(self, *, overdue: timedelta = timedelta(0)) -> int:
        """Announces what is due (for at least `overdue`). Raises kombu's OperationalError without a broker."""
        with self._unit_of_work(write=False) as uow:
            due = uow.jobs.due(self._clock.now() - overdue, _AT_ONCE)
        ids = {job.id for job in due}
        self._announced = {key: value for key, value in self._announced.items() if key in ids}
        now, sent = self._elapsed(), 0
        for job in due:
            again_at, silence = self._announced.get(job.id, (0.0, ANNOUNCE_AGAIN / 2))
            if now < again_at:
                continue
            self._send(job.id, queue_of(job.rank))
            silence = min(silence * 2, _LONGEST_SILENCE)
            self._announced[job.id] = (now + silence, silence)
            sent += 1
        return sent

    def _send(self, job_id: int, queue: str) -> None:
        self._celery.send_task(
            RUN_JOB,
            args=[job_id],
            queue=queue,
            # Once more on a fresh connection, since a broker that was restarted closed the old one; no waiting.
            retry=True,
            retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1},
        )


class CeleryWaker:
    """Announces from a thread of its own: whoever has just committed never waits for a broker."""

    def __init__(self, publisher: JobPublisher) -> None:
        self._publisher = publisher
        self._bell, self._lock = threading.Event(), threading.Lock()
        self._closing = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        # Not before the first wake-up: a process that forks afterwards would lose the thread.
        if self._thread is None:
            self._start()
        self._bell.set()

    def close(self) -> None:
        self._closing = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join(10)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="job-waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._bell.wait()
            self._bell.clear()
            if self._closing:
                return
            try:
                self._publisher.publish_due()
            except OperationalError:
                log.warning("the broker does not answer: due jobs wait for the relay")
            except Exception as fault:  # noqa: BLE001 a lost wake-up costs time; a lost thread would cost all of them
                log.error("due jobs were not announced:\n%s", trace_of(fault))
