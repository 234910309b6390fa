"""One job, from its claim to its end: done, put off, or given up with a notice to a person."""

import logging
from collections.abc import Mapping

from telemed.application.faults import code_of, trace_of
from telemed.application.handlers import AFTER_LAST_ATTEMPT, Handler
from telemed.application.jobs import LAST_ATTEMPT, Job, JobKind, back_off
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.errors import DomainError, NotFound
from telemed.domain.events import Kind
from telemed.domain.notice import Notice

log = logging.getLogger(__name__)

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
    if job.attempts >= LAST_ATTEMPT:
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
        if uow.jobs.give_up(job.id, job.lease_token, error):
            _notify(world, uow, job, error)
        uow.commit()


def _notify(world: World, uow: UnitOfWork, job: Job, error: str) -> None:
    try:
        notice = _notice(world, uow, job)
    except NotFound:
        # Nobody can be told about a row that is no longer there; the failed job itself stays to be seen.
        return
    notice.facts = {"job": job.id, "kind": job.kind.value, "error": error, "attempts": job.attempts}
    if uow.notices.raise_once(notice):
        record(
            world,
            uow,
            Kind.NOTICE_RAISED,
            institution_id=notice.institution_id,
            consortium_id=notice.consortium_id,
            code=notice.code,
            job=job.id,
            job_kind=job.kind.value,
            error=error,
        )


def _notice(world: World, uow: UnitOfWork, job: Job) -> Notice:
    def about(
        subject_institution: int,
        consortium: int,
        *,
        study: int | None = None,
        case: int | None = None,
        stored: int | None = None,
    ) -> Notice:
        return Notice(
            uid=world.identifiers.uid(),
            institution_id=subject_institution,
            consortium_id=consortium,
            code="notice.job_failed",
            cause_key=f"job:{job.id}",
            created_at=world.clock.now(),
            study_id=study,
            case_id=case,
            object_id=stored,
        )

    match job.kind:
        case JobKind.PLACE_OBJECT:
            stored = uow.studies.object(job.subject_id)
            return about(stored.institution_id, stored.consortium_id, study=stored.study_id, stored=stored.id)
        case JobKind.COMPLETE_STUDY | JobKind.PREPARE_PICTURES:
            study = uow.studies.get(job.subject_id)
            return about(study.institution_id, study.consortium_id, study=study.id)
        case JobKind.INFER_CASE | JobKind.REINFER_CASE | JobKind.FILE_MADE:
            case = uow.cases.get(job.subject_id)
            return about(case.institution_id, case.consortium_id, study=case.study_id, case=case.id)
        case JobKind.APPLY_SIGNATURE | JobKind.DELIVER_REPORT:
            report = uow.reports.get(job.subject_id)
            return about(report.institution_id, report.consortium_id, case=report.case_id)
        case JobKind.REPORT_COMMITMENT:
            request = uow.commitments.get(job.subject_id)
            return about(request.institution_id, request.consortium_id)
        case JobKind.FORWARD_OBJECTS:
            node = uow.remote_nodes.get(job.subject_id)
            return about(node.institution_id, node.consortium_id)
        case JobKind.ESCALATE_CRITICAL:
            value = uow.critical.get(job.subject_id)
            return about(value.institution_id, value.consortium_id, case=value.case_id)
