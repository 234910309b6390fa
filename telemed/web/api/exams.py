"""What the township asks: did it arrive, is it safe, who reads it, is the report there."""

from typing import Annotated

from fastapi import APIRouter, Query

from telemed.application.repeats import close_repeat
from telemed.application.worklist import exam, exams
from telemed.domain.access import Action
from telemed.web.api import convert
from telemed.web.api.shapes import ExamOut, ExamsOut, ObjectDigest, RepeatClosing, StudyOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(tags=["exams"])


@router.get("/exams", **guard(Action.SEE_EXAMS))
def read_exams(
    world: TheWorld, actor: CurrentActor, days: Annotated[int, Query(ge=1, le=31)] = 1
) -> ExamsOut:
    found = exams(world, actor=actor, days=days)
    return ExamsOut(exams=[convert.exam(one, actor.language) for one in found])


@router.get("/studies/{study_instance_uid}", **guard(Action.SEE_EXAMS))
def read_study(world: TheWorld, actor: CurrentActor, study_instance_uid: str) -> StudyOut:
    found = exam(world, actor=actor, study_instance_uid=study_instance_uid)
    digests = [
        ObjectDigest(sop_instance_uid=one.sop_instance_uid, sha256=one.file_sha256, size=one.size)
        for one in found.objects
    ]
    base = convert.exam(found.overview, actor.language)
    return StudyOut(**dict(base), generation=found.overview.study.generation, digests=digests)


@router.post("/studies/{study_instance_uid}/repeat/close", **guard(Action.SETTLE_REPEAT))
def settle_repeat(
    world: TheWorld, actor: CurrentActor, study_instance_uid: str, body: RepeatClosing
) -> ExamOut:
    """It was made again, or why it will not be."""
    found = close_repeat(world, actor=actor, study_instance_uid=study_instance_uid, reason=body.reason)
    return convert.exam(found, actor.language)
