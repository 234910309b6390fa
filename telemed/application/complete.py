"""A study that is whole becomes a case in somebody's list, at once; AI comes beside it, never before it."""

from collections.abc import Mapping, Sequence

from telemed.application.forward import queue_study
from telemed.application.jobs import JobKind
from telemed.application.notifying import notify
from telemed.application.objects import qualities
from telemed.application.ordered_studies import order_of_study
from telemed.application.ports import UnitOfWork
from telemed.application.promised import tell_missing
from telemed.application.raising import raise_by_stored
from telemed.application.record import record
from telemed.application.repeats import answer_repeats
from telemed.application.world import World
from telemed.domain.case import READABLE, AiState, Case, CaseState
from telemed.domain.errors import Conflict
from telemed.domain.events import Kind
from telemed.domain.order import Order, Procedure
from telemed.domain.routing import Routable, Route, route
from telemed.domain.study import Study, StudyState

_ATTEMPTS = 5


def complete_study(world: World, *, study_id: int) -> None:
    """Idempotent: a study that is already complete, or not yet quiet, is left as it is."""
    with world.unit_of_work(write=False) as uow:
        if uow.studies.get(study_id).state is StudyState.COMPLETE:
            return
        objects = uow.studies.objects(study_id)
    found = qualities(world, objects)
    for attempt in range(_ATTEMPTS):
        try:
            _complete(world, study_id, found)
            break
        except Conflict:
            # An object of it was being placed at this moment.
            if attempt + 1 == _ATTEMPTS:
                raise
    world.waker.wake()


def _complete(world: World, study_id: int, found: Mapping[int, str]) -> None:
    """`found`: what speaks against reading its recordings; of those that came since nothing is said yet."""
    now = world.clock.now()
    with world.unit_of_work() as uow:
        study = uow.studies.get(study_id)
        if study.state is StudyState.COMPLETE:
            return
        for object_id, codes in found.items():
            stored = uow.studies.object(object_id)
            if stored.quality != codes:
                stored.quality = codes
        if study.whole_at is not None and study.whole_at > now:
            # An object came after the job was written: its own job is due when the study is quiet.
            uow.jobs.ask(JobKind.COMPLETE_STUDY, study.id, study.whole_at, now)
            uow.commit()
            return
        become_whole(world, uow, study)
        cases = in_force(uow.cases.of_study(study.id))
        if cases:
            _extend(world, uow, study, cases[-1])
        else:
            open_case(world, uow, study)
        answer_repeats(world, uow, study)
        tell_missing(world, uow, study)
        uow.commit()


def become_whole(world: World, uow: UnitOfWork, study: Study) -> None:
    """Whoever is to have it by rule gets it, and what a reader asks for first is made."""
    study.complete()
    record(
        world, uow, Kind.STUDY_COMPLETE, study=study, generation=study.generation, objects=study.object_count
    )
    queue_study(world, uow, study)
    if study.modality != "ECG":
        now = world.clock.now()
        uow.jobs.ask(JobKind.PREPARE_PICTURES, study.id, now, now)


def in_force(cases: Sequence[Case]) -> list[Case]:
    """Without those that were closed because the recordings were another person's."""
    return [case for case in cases if case.state is not CaseState.CLOSED]


def open_case(world: World, uow: UnitOfWork, study: Study, *, follows: Case | None = None) -> Case:
    """The study's order is found or made, the case routed. `follows` is the case whose place it takes."""
    order, procedure = order_of_study(world, uow, study, study.description or study.modality)
    study.procedure_id = procedure.id
    case = _new_case(world, study, order, procedure, route_study(uow, study, order), uow)
    case.follows_case_id = follows.id if follows else None
    uow.cases.add(case)
    uow.flush()
    if ordered_for_another(uow, study):
        accession = study.accession_number
        cause = f"order_mismatch:{study.uid}"
        notify(world, uow, "notice.order_mismatch", cause, study, case=case, accession_number=accession)
    _after_routing(world, uow, study, case)
    return case


def ordered_for_another(uow: UnitOfWork, study: Study) -> bool:
    """The number or the study UID under which it came was given to somebody else."""
    number = study.accession_number
    held = uow.orders.by_accession(study.institution_id, number) if number else None
    step = uow.steps.by_study_uid(study.institution_id, study.study_instance_uid)
    scheduled = uow.orders.get(uow.orders.procedure(step.procedure_id).order_id) if step else None
    return any(order is not None and order.patient_id != study.patient_id for order in (held, scheduled))


def route_study(uow: UnitOfWork, study: Study, order: Order) -> Route | None:
    return route(
        Routable(
            institution_id=study.institution_id,
            modality=study.modality,
            priority=order.priority,
            arrived_at=study.first_object_at,
        ),
        uow.rules.routing(study.consortium_id),
        uow.rules.roster(study.consortium_id),
    )


def _new_case(
    world: World, study: Study, order: Order, procedure: Procedure, chosen: Route | None, uow: UnitOfWork
) -> Case:
    group = uow.rules.group(chosen.reading_group_id) if chosen else None
    return Case(
        uid=world.identifiers.uid(),
        institution_id=study.institution_id,
        consortium_id=study.consortium_id,
        reporting_institution_id=group.institution_id if group else None,
        reading_group_id=group.id if group else None,
        study_id=study.id,
        procedure_id=procedure.id,
        patient_id=study.patient_id,
        modality=study.modality,
        priority=order.priority,
        effective_priority=order.priority,
        # Without a rule the clock starts at once: an unrouted case must never look patient.
        deadline=chosen.deadline if chosen else study.first_object_at,
        arrived_at=study.first_object_at,
        generation=study.generation,
    )


def _after_routing(world: World, uow: UnitOfWork, study: Study, case: Case) -> None:
    record(
        world,
        uow,
        Kind.CASE_ROUTED,
        case=case,
        group=case.reading_group_id,
        priority=int(case.priority),
        deadline=case.deadline.isoformat(),
    )
    if case.reading_group_id is None:
        notify(world, uow, "notice.unrouted", f"unrouted:{case.uid}", study, case=case)
    uow.jobs.ask(JobKind.INFER_CASE, case.id, world.clock.now(), world.clock.now())


def _extend(world: World, uow: UnitOfWork, study: Study, case: Case) -> None:
    """Late objects: the same case again, or a follow-up for the signer once the report is signed."""
    record(world, uow, Kind.STUDY_EXTENDED, study=study, case=case, generation=study.generation)
    # A signature on hold was given all the same: what came after it is read for itself.
    if case.state not in READABLE:
        follow_up = Case(
            uid=world.identifiers.uid(),
            institution_id=case.institution_id,
            consortium_id=case.consortium_id,
            reporting_institution_id=case.reporting_institution_id,
            reading_group_id=case.reading_group_id,
            study_id=study.id,
            procedure_id=study.procedure_id or case.procedure_id,
            patient_id=study.patient_id,
            modality=case.modality,
            priority=case.priority,
            effective_priority=case.effective_priority,
            raised_because=case.raised_because,
            deadline=world.clock.now() + (case.deadline - case.arrived_at),
            arrived_at=world.clock.now(),
            generation=study.generation,
            follows_case_id=case.id,
        )
        uow.cases.add(follow_up)
        uow.flush()
        raise_by_stored(world, uow, follow_up, of=case)
        late = f"late:{study.uid}:{study.generation}"
        notify(world, uow, "notice.late_after_report", late, study, case=follow_up)
        _after_routing(world, uow, study, follow_up)
        return
    case.generation = study.generation
    case.ai_state = AiState.PENDING
    late = f"late:{study.uid}:{study.generation}"
    notify(world, uow, "notice.late_objects", late, study, case=case)
    uow.jobs.ask(JobKind.INFER_CASE, case.id, world.clock.now(), world.clock.now())
