"""Recordings go to the person they are of, with everything that hangs on them, in the transaction of the caller."""

from collections.abc import Sequence

from telemed.application.complete import open_case
from telemed.application.corrected_cases import Outcome, by_speech, carry, close, correct, outdate_draft
from telemed.application.corrected_orders import free_step, settle_order, take_along
from telemed.application.jobs import JobKind
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.separate import separate
from telemed.application.withdraw import met_by, tell_people
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.case import Case
from telemed.domain.correction import Reassignment, written_number
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.resident import Patient
from telemed.domain.study import ObjectRole, StoredObject, Study


def move_study(
    world: World, uow: UnitOfWork, actor: Actor, study: Study, target: Patient, accession: str, reason: str
) -> Outcome:
    """The whole study with everything that hangs on it."""
    before, cases = uow.patients.get(study.patient_id), uow.cases.of_study(study.id)
    spoken, silent = by_speech(uow, cases)
    made = uow.corrections.of_study(study.id)
    number = written_number(study.id, before.patient_id, made)
    remember(world, uow, actor, study, study, None, before, target, reason, received_as=number)
    if not spoken:
        take_along(uow, study, target)
    free_step(world, uow, study, target)
    study.patient_id = target.id
    order, procedure = settle_order(world, uow, study, target, accession)
    outcome = Outcome(study, target)
    for case in spoken:
        close(world, uow, actor, case, reason, outcome)
    for case in silent:
        correct(world, uow, actor, study, case, order, procedure, outcome)
    if spoken:
        study.procedure_id = procedure.id
        new = silent[-1] if silent else open_case(world, uow, study, follows=spoken[-1])
        objects = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
        for case in spoken:
            carry(world, uow, actor, case, new, objects, reason, outcome, keep=True)
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
    spoken, silent = by_speech(uow, cases)
    sops = sorted({stored.sop_instance_uid for stored in objects})
    own, fresh = separate(world, uow, study, objects, target)
    for stored in objects:
        remember(world, uow, actor, study, own, stored.id, before, target, reason)
    study.shed(len(sops))
    outcome = Outcome(own, target)
    new = _open_own(world, uow, own, target, accession) if fresh else uow.cases.of_study(own.id)[-1]
    for case in spoken:
        close(world, uow, actor, case, reason, outcome)
    if new is not None:
        for case in spoken:
            carry(world, uow, actor, case, new, sops, reason, outcome, keep=True)
        for case in silent:
            carry(world, uow, actor, case, new, sops, reason, outcome, keep=False)
    for case in silent:
        people = met_by(uow, case)
        case.take_back()
        case.generation = study.generation
        outcome.told += tell_people(world, uow, actor, case, people, code="notice.recording_moved")
        outdate_draft(world, uow, case)
        record(world, uow, Kind.CASE_CORRECTED, actor=actor, case=case, moved=sops)
    if spoken and not silent:
        rest = open_case(world, uow, study, follows=spoken[-1])
        left = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
        for case in spoken:
            carry(world, uow, actor, case, rest, left, reason, outcome, keep=True)
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


def _open_own(world: World, uow: UnitOfWork, own: Study, target: Patient, accession: str) -> Case:
    own.complete()
    settle_order(world, uow, own, target, accession)
    record(world, uow, Kind.STUDY_COMPLETE, study=own, generation=own.generation, objects=own.object_count)
    return open_case(world, uow, own)


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
