"""A study, or single recordings of it, goes to the person it was made of. The stored bytes stay as they came.

Before a signature the same case is read again for the right person. After one, the report is withdrawn, its case
closed, everyone who met it told, and a case of the right person opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from telemed.application.complete import open_case, route_study
from telemed.application.critical import carry_over
from telemed.application.jobs import JobKind
from telemed.application.modality_worklist import new_dicom_uid
from telemed.application.orders import order_of_study
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.separate import separate
from telemed.application.withdraw import close_case, met_by, tell_people
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.case import Case, CaseState
from telemed.domain.correction import (
    Reassignment,
    checked_reason,
    demand_as_shown,
    written_number,
)
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.order import Order, OrderSource, Procedure
from telemed.domain.resident import Patient
from telemed.domain.study import ObjectRole, StoredObject, Study


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person asks for: whose it was on their page, whose it is, and why."""

    from_patient_id: str
    patient_id: str
    reason: str
    # An order of the right person; without one the study makes one of its own.
    accession_number: str = ""


@dataclass
class Outcome:
    """Where it is now, and what followed. `changed` is False where it had been done before."""

    study: Study
    patient: Patient
    changed: bool = True
    case_uid: str = ""
    withdrawn: int = 0
    told: int = 0


def reassign(
    world: World, *, actor: Actor, study_instance_uid: str, wish: Wish, sop_instance_uid: str = ""
) -> Outcome:
    """The whole study, or the one recording that is named. The same wish again changes nothing.

    Raises NotFound for what this person may not see, InvalidInput for an unknown person or order, Conflict where
    it is no longer whose the person saw.
    """
    demand(actor, Action.CORRECT)
    reason = checked_reason(wish.reason)
    with world.unit_of_work() as uow:
        study = study_here(uow, actor, study_instance_uid)
        target = person_of(uow, actor, wish.patient_id)
        if wish.from_patient_id == target.patient_id:
            raise InvalidInput("error.reassign_same_person", field="patient_id")
        if sop_instance_uid:
            outcome = _one(world, uow, actor, study, target, wish, reason, sop_instance_uid)
        else:
            outcome = _whole(world, uow, actor, study, target, wish, reason)
        if outcome.changed:
            uow.commit()
    world.waker.wake()
    return outcome


def study_here(uow: UnitOfWork, actor: Actor, study_instance_uid: str) -> Study:
    """Corrected where it was made, by those who made it."""
    study = uow.studies.by_instance_uid(actor.institution_id, study_instance_uid)
    if study is None:
        raise NotFound("error.study_not_found")
    return study


def person_of(uow: UnitOfWork, actor: Actor, patient_id: str) -> Patient:
    found = uow.patients.by_local_id(actor.institution_id, patient_id.strip())
    if found is None:
        raise InvalidInput("error.patient_unknown", field="patient_id")
    return found


def _whole(
    world: World, uow: UnitOfWork, actor: Actor, study: Study, target: Patient, wish: Wish, reason: str
) -> Outcome:
    current = uow.patients.get(study.patient_id)
    if current.id == target.id and _done_before(uow, study, target, wish):
        return _as_it_is(uow, study, target)
    demand_as_shown(current.patient_id, wish.from_patient_id)
    return move_study(world, uow, actor, study, target, wish.accession_number, reason)


def _done_before(uow: UnitOfWork, study: Study, target: Patient, wish: Wish) -> bool:
    made = [one for one in uow.corrections.of_study(study.id) if one.to_patient_id == target.id]
    return bool(made) and uow.patients.get(made[-1].from_patient_id).patient_id == wish.from_patient_id


def _as_it_is(uow: UnitOfWork, study: Study, target: Patient) -> Outcome:
    cases = uow.cases.of_study(study.id)
    return Outcome(study, target, changed=False, case_uid=cases[-1].uid if cases else "")


def move_study(
    world: World, uow: UnitOfWork, actor: Actor, study: Study, target: Patient, accession: str, reason: str
) -> Outcome:
    """The whole study with everything that hangs on it."""
    before, cases = uow.patients.get(study.patient_id), uow.cases.of_study(study.id)
    spoken, silent = _by_speech(uow, cases)
    made = uow.corrections.of_study(study.id)
    number = written_number(study.id, before.patient_id, made)
    remember(world, uow, actor, study, study, None, before, target, reason, received_as=number)
    if not spoken:
        _take_along(uow, study, target)
    _free_step(world, uow, study, target)
    study.patient_id = target.id
    order, procedure = _settle_order(world, uow, study, target, accession)
    outcome = Outcome(study, target)
    for case in spoken:
        _close(world, uow, actor, case, reason, outcome)
    for case in silent:
        _correct(world, uow, actor, study, case, order, procedure, outcome)
    if spoken:
        study.procedure_id = procedure.id
        new = silent[-1] if silent else open_case(world, uow, study, follows=spoken[-1])
        objects = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
        for case in spoken:
            _carry(world, uow, actor, case, new, objects, reason, outcome, keep=True)
        silent = [new]
    elif cases:
        study.procedure_id = procedure.id
    latest = silent[-1] if silent else None
    record(
        world,
        uow,
        Kind.STUDY_REASSIGNED,
        actor=actor,
        study=study,
        case=latest,
        from_patient=before.uid,
        to_patient=target.uid,
        reason=reason,
    )
    _settle_notices(world, uow, actor, study)
    outcome.case_uid = latest.uid if latest else ""
    return outcome


def _one(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    target: Patient,
    wish: Wish,
    reason: str,
    sop_instance_uid: str,
) -> Outcome:
    held = uow.studies.held_under(study.institution_id, sop_instance_uid)
    forms = [one for one in held if one.study_id == study.id and one.role is not ObjectRole.CONFLICT]
    if not forms:
        moved = {one.object_id: one.study_id for one in uow.corrections.of_study(study.id)}
        for stored in held:
            if moved.get(stored.id) == stored.study_id:
                there = uow.studies.get(stored.study_id)
                if there.patient_id == target.id:
                    return _as_it_is(uow, there, target)
        raise NotFound("error.object_not_found")
    shown = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
    if shown == [sop_instance_uid]:
        # Nothing would be left: it is the whole study, which keeps its UID.
        return _whole(world, uow, actor, study, target, wish, reason)
    demand_as_shown(uow.patients.get(study.patient_id).patient_id, wish.from_patient_id)
    return move_objects(world, uow, actor, study, forms, target, wish.accession_number, reason)


def move_objects(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    objects: Sequence[StoredObject],
    target: Patient,
    accession: str,
    reason: str,
) -> Outcome:
    """Recordings that were shown under the wrong person; the rest of the study stays where it is."""
    before, cases = uow.patients.get(study.patient_id), uow.cases.of_study(study.id)
    spoken, silent = _by_speech(uow, cases)
    sops = sorted({stored.sop_instance_uid for stored in objects})
    own, fresh = separate(world, uow, study, objects, target)
    for stored in objects:
        remember(world, uow, actor, study, own, stored.id, before, target, reason)
    study.shed(len(sops))
    outcome = Outcome(own, target)
    new = _open_own(world, uow, own, target, accession) if fresh else uow.cases.of_study(own.id)[-1]
    for case in spoken:
        _close(world, uow, actor, case, reason, outcome)
    if new is not None:
        for case in spoken:
            _carry(world, uow, actor, case, new, sops, reason, outcome, keep=True)
        for case in silent:
            _carry(world, uow, actor, case, new, sops, reason, outcome, keep=False)
    for case in silent:
        people = met_by(uow, case)
        case.take_back()
        case.generation = study.generation
        outcome.told += tell_people(world, uow, actor, case, people, code="notice.recording_moved")
        _outdate_draft(world, uow, case)
        record(world, uow, Kind.CASE_CORRECTED, actor=actor, case=case, moved=sops)
    if spoken and not silent:
        rest = open_case(world, uow, study, follows=spoken[-1])
        left = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
        for case in spoken:
            _carry(world, uow, actor, case, rest, left, reason, outcome, keep=True)
    for sop in sops:
        record(
            world,
            uow,
            Kind.OBJECT_REASSIGNED,
            actor=actor,
            study=own,
            case=new,
            sop_instance_uid=sop,
            from_study=study.uid,
            from_patient=before.uid,
            to_patient=target.uid,
            reason=reason,
        )
    outcome.case_uid = new.uid if new else ""
    return outcome


def release_held_back(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    objects: Sequence[StoredObject],
    target: Patient,
    accession: str,
    reason: str,
) -> Outcome:
    """Objects in quarantine go to a study of the person they are of. Nobody has seen them under any name."""
    before = uow.patients.get(study.patient_id)
    _demand_first(uow, objects)
    own, fresh = separate(world, uow, study, objects, target)
    for stored in objects:
        remember(world, uow, actor, study, own, stored.id, before, target, reason)
    new = _open_own(world, uow, own, target, accession) if fresh else uow.cases.of_study(own.id)[-1]
    for stored in objects:
        record(
            world,
            uow,
            Kind.OBJECT_RELEASED,
            actor=actor,
            study=own,
            case=new,
            sop_instance_uid=stored.sop_instance_uid,
            from_study=study.uid,
            to_patient=target.uid,
            reason=reason,
        )
    return Outcome(own, target, case_uid=new.uid if new else "")


def admit(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    objects: Sequence[StoredObject],
    number: str,
    reason: str,
) -> Outcome:
    """Objects in quarantine are of the study's person after all: they join it, as later ones under `number` will."""
    person = uow.patients.get(study.patient_id)
    _demand_first(uow, objects)
    now = world.clock.now()
    for stored in objects:
        stored.role = ObjectRole.PRIMARY
        study.extend(now, now)
        remember(world, uow, actor, study, study, stored.id, person, person, reason, received_as=number)
        record(
            world,
            uow,
            Kind.OBJECT_RELEASED,
            actor=actor,
            study=study,
            sop_instance_uid=stored.sop_instance_uid,
            to_patient=person.uid,
            reason=reason,
        )
    uow.flush()
    uow.jobs.ask(JobKind.COMPLETE_STUDY, study.id, now, now)
    cases = uow.cases.of_study(study.id)
    return Outcome(study, person, case_uid=cases[-1].uid if cases else "")


def remember(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    now_in: Study,
    object_id: int | None,
    before: Patient,
    target: Patient,
    reason: str,
    *,
    received_as: str = "",
) -> None:
    uow.corrections.add(
        Reassignment(
            uid=world.identifiers.uid(),
            institution_id=study.institution_id,
            consortium_id=study.consortium_id,
            from_study_id=study.id,
            study_id=now_in.id,
            object_id=object_id,
            from_patient_id=before.id,
            to_patient_id=target.id,
            received_as=received_as[:64],
            reason=reason,
            made_by=actor.user_id,
            made_at=world.clock.now(),
        )
    )


# --- the pieces ------------------------------------------------------------------------------------------------


def _by_speech(uow: UnitOfWork, cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Cases in which something was signed or told about the wrong person, and those that are only being read."""
    spoken: list[Case] = []
    silent: list[Case] = []
    for case in cases:
        if case.state is CaseState.CLOSED:
            continue
        said = any(report.signed_by is not None for report in uow.reports.of_case(case.id))
        (spoken if said or uow.corrections.open_critical(case.id) else silent).append(case)
    return spoken, silent


def _close(world: World, uow: UnitOfWork, actor: Actor, case: Case, reason: str, outcome: Outcome) -> None:
    withdrawn, told = close_case(world, uow, actor, case, reason)
    outcome.withdrawn += withdrawn
    outcome.told += told


def _correct(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    study: Study,
    case: Case,
    order: Order,
    procedure: Procedure,
    outcome: Outcome,
) -> None:
    outcome.told += tell_people(world, uow, actor, case, met_by(uow, case), code="notice.patient_corrected")
    route = route_study(uow, study, order)
    case.correct(
        patient_id=study.patient_id,
        procedure_id=procedure.id,
        priority=order.priority,
        deadline=route.deadline if route else case.deadline,
    )
    _outdate_draft(world, uow, case)
    record(world, uow, Kind.CASE_CORRECTED, actor=actor, case=case, priority=int(case.effective_priority))


def _outdate_draft(world: World, uow: UnitOfWork, case: Case) -> None:
    latest = uow.reports.latest(case.id)
    if latest is not None:
        latest.outdate(world.clock.now())


def _carry(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    old: Case,
    new: Case,
    sops: Sequence[str],
    reason: str,
    outcome: Outcome,
    *,
    keep: bool,
) -> None:
    """What machines said stays with the recording; what is critical in it is said of the right person."""
    uids = [world.identifiers.uid() for _ in range(uow.corrections.count_analyses(old.id))]
    if uow.corrections.carry_analyses(old, new, uids, sop_instance_uids=sops, keep=keep):
        new.ai_state = old.ai_state
        if old.raised_because and new.raise_to(old.effective_priority, old.raised_because):
            priority, because = int(new.effective_priority), new.raised_because
            record(world, uow, Kind.CASE_RAISED, case=new, priority=priority, because=because)
    told = carry_over(world, uow, actor=actor, old=old, new=new, reason=reason)
    outcome.told += tell_people(world, uow, actor, old, told, code="notice.critical_withdrawn")


def _open_own(world: World, uow: UnitOfWork, own: Study, target: Patient, accession: str) -> Case:
    own.complete()
    _settle_order(world, uow, own, target, accession)
    record(world, uow, Kind.STUDY_COMPLETE, study=own, generation=own.generation, objects=own.object_count)
    return open_case(world, uow, own)


def _settle_order(
    world: World, uow: UnitOfWork, study: Study, target: Patient, accession: str
) -> tuple[Order, Procedure]:
    """The order that is named; else one of the study's own. Never another person's."""
    wanted = accession.strip()
    if wanted:
        named = uow.orders.by_accession(study.institution_id, wanted)
        if named is None:
            raise InvalidInput("error.order_unknown", field="accession_number")
        if named.patient_id != target.id:
            raise InvalidInput("error.order_of_other_patient", field="accession_number")
        study.accession_number = wanted
    elif study.accession_number:
        held = uow.orders.by_accession(study.institution_id, study.accession_number)
        if held is not None and held.patient_id != target.id:
            study.accession_number = ""
    order, procedure = order_of_study(world, uow, study, study.description or study.modality)
    study.accession_number = order.accession_number
    return order, procedure


def _take_along(uow: UnitOfWork, study: Study, target: Patient) -> None:
    """An order that this study made, and that nothing else hangs on, is the right person's as well."""
    if study.procedure_id is None:
        return
    order = uow.orders.get(uow.orders.procedure(study.procedure_id).order_id)
    hanging = sum(uow.corrections.studies_on(one.id) for one in uow.orders.procedures(order.id))
    if order.source is OrderSource.STUDY and hanging == 1:
        order.patient_id, study.accession_number = target.id, order.accession_number


def _free_step(world: World, uow: UnitOfWork, study: Study, target: Patient) -> None:
    """A machine used one person's line of its worklist for another: the first is still to be examined."""
    step = uow.steps.by_study_uid(study.institution_id, study.study_instance_uid)
    if step is None:
        return
    order = uow.orders.get(uow.orders.procedure(step.procedure_id).order_id)
    if order.patient_id != target.id:
        step.reopen(new_dicom_uid(world))
        # Only then is it nobody's study any more, in the eyes of the worklist.
        study.procedure_id = None
        uow.flush()


def _demand_first(uow: UnitOfWork, objects: Sequence[StoredObject]) -> None:
    for stored in objects:
        held = uow.studies.held_under(stored.institution_id, stored.sop_instance_uid)
        if any(one.role is ObjectRole.PRIMARY for one in held):
            raise InvalidInput("error.object_uid_taken", field="decision")


def _settle_notices(world: World, uow: UnitOfWork, actor: Actor, study: Study) -> None:
    """What was asked about the whole study is answered by whose it now is."""
    asked = ("notice.patient_differs", "notice.patient_id_missing", "notice.order_mismatch")
    for notice in uow.notices.of_study(study.id):
        if notice.code in asked and notice.resolved_at is None:
            notice.resolved_at, notice.resolved_by = world.clock.now(), actor.user_id
            record(world, uow, Kind.NOTICE_RESOLVED, actor=actor, notice=notice.uid, code=notice.code)
