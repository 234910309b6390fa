"""What goes back to be made again: it stands at its site until it was made, or a person there says why not."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from telemed.application.notifying import notify, resolve
from telemed.application.ports import StudyOverview, UnitOfWork
from telemed.application.ports.worklist import RepeatRate
from telemed.application.record import record
from telemed.application.withdraw import tell_people
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case, CaseState
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.repeat import Likeness, likeness
from telemed.domain.study import Study

ASKED = "notice.repeat_requested"


def repeat_rates(world: World, *, actor: Actor, days: int = 30) -> list[RepeatRate]:
    """How often recordings come back, by site, machine and reason: of the cases of the last days in the
    administrator's own consortium."""
    demand(actor, Action.ADMINISTER)
    since = world.clock.now() - timedelta(days=days)
    with world.unit_of_work(write=False) as uow:
        return list(uow.cases.repeat_rates(actor.consortium_id, since))


def tell_site(world: World, uow: UnitOfWork, case: Case, *, again: bool = False) -> None:
    """Whoever can call the patient back; `again`: what had answered it was none."""
    once = f":{world.clock.now().isoformat()}" if again else ""
    study = uow.studies.get(case.study_id)
    notify(world, uow, ASKED, f"repeat:{case.uid}{once}", study, case=case, modality=case.modality)


def settle_site(world: World, uow: UnitOfWork, case: Case, actor: Actor | None = None) -> None:
    for notice in uow.notices.of_study(case.study_id):
        if notice.code == ASKED and notice.case_id == case.id:
            resolve(world, uow, actor, notice)


def answer_repeats(world: World, uow: UnitOfWork, came: Study) -> None:
    """A study became whole: it may be what the site was asked for. Where that is not certain, a person decides."""
    zone = ZoneInfo(uow.institutions.get(came.institution_id).time_zone)
    asked = uow.cases.open_repeats(came.institution_id, came.patient_id, came.modality)
    found = [(case, likeness(case, uow.studies.get(case.study_id), came, zone)) for case in asked]
    # One recording answers one request: which of several it is, is seen by whoever made it.
    alone = sum(like is Likeness.CERTAIN for _, like in found) == 1
    for case, like in found:
        certain = like is Likeness.CERTAIN and alone
        if like is Likeness.NO or (case.repeat_answer_id == came.id and not certain):
            continue
        case.answer_repeat(came.id, world.clock.now(), certain=certain)
        record(world, uow, Kind.CASE_REPEAT_ANSWERED, case=case, by_study=came.uid, certain=certain)
        if certain:
            settle_site(world, uow, case)


def close_repeat(world: World, *, actor: Actor, study_instance_uid: str, reason: str) -> StudyOverview:
    """It was made, or why it will not be; whoever asked for it is told of the latter."""
    demand(actor, Action.SETTLE_REPEAT)
    because = reason.strip()[:400]
    with world.unit_of_work() as uow:
        case = _found(uow, actor, study_instance_uid).repeat
        if case is None:
            raise Conflict("error.no_repeat_asked")
        if case.repeat_is_open:
            if not because and case.repeat_answer_id is None:
                raise InvalidInput("error.comment_required", field="reason")
            case.close_repeat(actor.user_id, because, world.clock.now())
            record(world, uow, Kind.CASE_REPEAT_CLOSED, actor=actor, case=case, reason=because)
            settle_site(world, uow, case, actor)
            if because and case.repeat_asked_by is not None:
                people = frozenset({case.repeat_asked_by})
                tell_people(world, uow, actor, case, people, code="notice.repeat_closed")
            uow.commit()
    with world.unit_of_work(write=False) as uow:
        return _found(uow, actor, study_instance_uid)


def doubt_answers(world: World, uow: UnitOfWork, study: Study) -> None:
    """Recordings of this study turned out to be another person's: what it settled is asked for again."""
    own = [case for case in uow.cases.of_study(study.id) if case.repeat_answer_id is not None]
    for case in {one.id: one for one in (*own, *uow.cases.repeats_answered_by(study.id))}.values():
        # Closed with a reason, it was settled by that, and not by the recording.
        if case.state is not CaseState.REPEAT_REQUESTED or case.repeat_closed_because:
            continue
        was_open = case.repeat_is_open
        case.reopen_repeat()
        record(world, uow, Kind.CASE_REPEAT_REOPENED, case=case, by_study=study.uid)
        if not was_open:
            tell_site(world, uow, case, again=True)


def _found(uow: UnitOfWork, actor: Actor, study_instance_uid: str) -> StudyOverview:
    found = uow.studies.overview(actor, study_instance_uid)
    if found is None:
        raise NotFound("error.study_not_found")
    return found
