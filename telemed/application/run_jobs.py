"""One job, from its claim to its end: done, put off, or given up with a notice to a person."""

import logging
from collections.abc import Mapping

from telemed.application.faults import code_of, trace_of
from telemed.application.handlers import AFTER_LAST_ATTEMPT, Handler
from telemed.application.jobs import LAST_ATTEMPT, Job, JobKind, back_off
from telemed.application.notifying import raise_notice
from telemed.application.ports import UnitOfWork
from telemed.application.run_again import JOB_FAILED, place_of
from telemed.application.world import World
from telemed.domain.errors import DomainError, NotFound
from telemed.domain.inference import NO_MODEL_READS, TAKEN_OUT

log = logging.getLogger(__name__)

# Faults that no further attempt changes: a person has to.
FINAL = frozenset({TAKEN_OUT, NO_MODEL_READS})

# A handler does its own transactions and may run twice: it finds out for itself what is already done.
Handlers = Mapping[JobKind, Handler]


def run_due(world: World, handlers: Handlers, *, limit: int = 1) -> int:
    """Claims what is due, the most urgent first, and runs it. Returns how many jobs there were."""
    token = world.identifiers.uid()
    with world.unit_of_work() as uow:
        jobs = uow.jobs.claim(world.clock.now(), limit, token)
        uow.commit()
    for job in jobs:
        run_one(world, job, handlers)
    return len(jobs)


def run_claimed(world: World, handlers: Handlers, *, job_id: int, token: str) -> bool:
    """Runs one job by its id. False where it is not due, or another worker has it: no error, the row decides."""
    with world.unit_of_work() as uow:
        job = uow.jobs.claim_one(job_id, world.clock.now(), token)
        uow.commit()
    if job is None:
        return False
    run_one(world, job, handlers)
    return True


def run_one(world: World, job: Job, handlers: Handlers, *, onward: bool = False) -> Job | None:
    """Runs a claimed job. A fault of its handler ends here, in the row and in the log.

    `onward`: the transaction that ends a job that went well also claims the most urgent of what is due, and that
    job is returned: a line of jobs needs one commit for each end and next beginning, not two and a look between.
    """
    if job.attempts > LAST_ATTEMPT:
        # No attempt came to an end of its own: each took its worker down.
        _give_up(world, job, "error.worker_lost")
        return None
    try:
        handlers[job.kind](world, job.subject_id)
    except Exception as fault:  # noqa: BLE001 a fault of any kind ends in the row, never in the runner
        log.error("job %s %s of %s failed:\n%s", job.id, job.kind, job.subject_id, trace_of(fault))
        _failed(world, job, code_of(fault))
        return None
    with world.unit_of_work() as uow:
        now = world.clock.now()
        uow.jobs.finish(job.id, job.lease_token, now)
        following = uow.jobs.claim(now, 1, world.identifiers.uid()) if onward else ()
        uow.commit()
    return following[0] if following else None


def _failed(world: World, job: Job, error: str) -> None:
    if job.attempts >= LAST_ATTEMPT or error in FINAL:
        _give_up(world, job, error)
        return
    with world.unit_of_work() as uow:
        due_at = world.clock.now() + back_off(job.attempts)
        uow.jobs.put_back(job.id, job.lease_token, due_at, error)
        uow.commit()


def _give_up(world: World, job: Job, error: str) -> None:
    log.error("job %s %s of %s given up after %s attempts", job.id, job.kind, job.subject_id, job.attempts)
    try:
        if after := AFTER_LAST_ATTEMPT.get(job.kind):
            after(world, job.subject_id, error)
    except DomainError as fault:
        # The job ends all the same: what comes after it is courtesy, and must not make it run for ever.
        log.error("what follows a given-up %s of %s failed: %s", job.kind, job.subject_id, fault)
    with world.unit_of_work() as uow:
        # A model taken out is told once for all its cases, by whoever met it.
        if uow.jobs.give_up(job.id, job.lease_token, error) and error != TAKEN_OUT:
            _notify(world, uow, job, error)
        uow.commit()


def _notify(world: World, uow: UnitOfWork, job: Job, error: str) -> None:
    try:
        place = place_of(uow, job)
    except NotFound:
        # Nobody can be told about a row that is no longer there; the failed job itself stays to be seen.
        return
    facts = {"job": job.id, "kind": job.kind.value, "error": error, "attempts": job.attempts}
    # Its due time tells one failure from the next, where somebody has started it again in between.
    cause = f"job:{job.id}:{job.due_at:%Y%m%dT%H%M%S}"
    raise_notice(
        world, uow, JOB_FAILED, cause, place, facts, job=job.id, job_kind=job.kind.value, error=error
    )
