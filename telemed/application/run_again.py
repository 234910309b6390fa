"""A job that was given up, started again by an administrator once its cause is mended."""

from typing import Protocol

from telemed.application.jobs import Job, JobKind
from telemed.application.notifying import Place, resolve
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import Kind

JOB_FAILED = "notice.job_failed"


def run_again(world: World, *, actor: Actor, uid: str) -> None:
    """By the notice that tells of its failure, with all its attempts; one that is no longer failed stays."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        notice = uow.notices.visible(actor, uid)
        if notice is None or notice.code != JOB_FAILED:
            raise NotFound("error.notice_not_found")
        number = notice.facts["job"]
        job = next((one for one in uow.jobs.failed() if one.id == number), None)
        if job is not None:
            uow.jobs.start_again(job.id, world.clock.now())
            record(
                world,
                uow,
                Kind.JOB_STARTED_AGAIN,
                actor=actor,
                institution_id=notice.institution_id,
                job=job.id,
                job_kind=job.kind.value,
                error=job.last_error,
            )
        resolve(world, uow, actor, notice)
        uow.commit()
    world.waker.wake()


def place_of(uow: UnitOfWork, job: Job) -> Place:
    """Whom a job's failure concerns. Raises NotFound where the row it was for is no longer there."""
    match job.kind:
        case JobKind.PLACE_OBJECT:
            stored = uow.studies.object(job.subject_id)
            return _place(stored, study_id=stored.study_id, object_id=stored.id)
        case JobKind.COMPLETE_STUDY | JobKind.PREPARE_PICTURES:
            study = uow.studies.get(job.subject_id)
            return _place(study, study_id=study.id)
        case JobKind.INFER_CASE | JobKind.REINFER_CASE | JobKind.FILE_MADE:
            case = uow.cases.get(job.subject_id)
            return _place(case, study_id=case.study_id, case_id=case.id)
        case JobKind.APPLY_SIGNATURE | JobKind.DELIVER_REPORT:
            report = uow.reports.get(job.subject_id)
            return _place(report, case_id=report.case_id)
        case JobKind.REPORT_COMMITMENT:
            return _place(uow.commitments.get(job.subject_id))
        case JobKind.FORWARD_OBJECTS:
            return _place(uow.remote_nodes.get(job.subject_id))
        case JobKind.ESCALATE_CRITICAL:
            value = uow.critical.get(job.subject_id)
            return _place(value, case_id=value.case_id)


class _Housed(Protocol):
    institution_id: int
    consortium_id: int


def _place(row: _Housed, **about: int) -> Place:
    return Place(institution_id=row.institution_id, consortium_id=row.consortium_id, **about)
