"""What machines said they made of a study, held against what came: nobody reads a part for the whole unwarned."""

from collections.abc import Iterable, Sequence

from telemed.application.notifying import notify, resolve
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.notice import Notice
from telemed.domain.scheduling import PerformedState, PerformedStep
from telemed.domain.study import SHOWN, Study

MISSING = "notice.objects_missing"


def promised_by(performed: Iterable[PerformedStep]) -> frozenset[str]:
    """The SOP Instance UIDs of everything that ended steps are said to have made."""
    ended = (one for one in performed if one.state is PerformedState.COMPLETED)
    return frozenset(uid for one in ended for uid in one.promised)


def tell_missing(world: World, uow: UnitOfWork, study: Study) -> None:
    """On a study that is shown as complete: a notice on it and its case while something promised has not come.

    One that was told before and no longer fits is resolved; the next tells the present figures.
    """
    steps = uow.steps.performed_of_studies(study.institution_id, [study.study_instance_uid])
    promised = promised_by(steps)
    if not promised:
        return
    uow.flush()
    missing = promised - {stored.sop_instance_uid for stored in uow.studies.objects(study.id)}
    if missing:
        # What a person moved to somebody else's study has come all the same; what is held back has not.
        elsewhere = uow.studies.held_under_any(study.institution_id, sorted(missing))
        missing -= {stored.sop_instance_uid for stored in elsewhere if stored.role in SHOWN}
    cause = f"missing:{study.uid}:{len(promised)}:{len(missing)}"
    _settle(world, uow, uow.notices.of_study(study.id), cause)
    if not missing:
        return
    cases = uow.cases.of_study(study.id)
    case, count = cases[-1] if cases else None, len(promised)
    notify(world, uow, MISSING, cause, study, case=case, promised=count, here=count - len(missing))


def _settle(world: World, uow: UnitOfWork, told: Sequence[Notice], still_true: str) -> None:
    for notice in told:
        if notice.code == MISSING and notice.cause_key != still_true:
            resolve(world, uow, None, notice)
