"""Recordings go to the person they are of, with everything that hangs on them, in the transaction of the caller."""

from collections.abc import Sequence

from telemed.application.complete import become_whole, in_force, open_case
from telemed.application.corrected_cases import by_speech, carry, close, correct, outdate_draft, say_anew
from telemed.application.corrected_orders import free_step, settle_order, take_along
from telemed.application.correction import Correction, Outcome
from telemed.application.jobs import JobKind
from telemed.application.notifying import resolve
from telemed.application.ports import UnitOfWork
from telemed.application.raising import raise_by_stored
from telemed.application.record import record
from telemed.application.repeats import answer_repeats, doubt_answers
from telemed.application.sent_copies import tell_of_sent_copies
from telemed.application.separate import separate
from telemed.application.withdraw import met_by, tell_people
from telemed.domain.case import READABLE, Case
from telemed.domain.correction import written_number
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.study import ObjectRole, StoredObject, Study


def move_study(made: Correction) -> Outcome:
    """The whole study with everything that hangs on it."""
    world, uow, study, target = made.world, made.uow, made.study, made.target
    before, cases = made.before(), uow.cases.of_study(study.id)
    spoken, silent = by_speech(uow, cases)
    number = written_number(study.id, before.patient_id, uow.corrections.of_study(study.id))
    made.remember(before, received_as=number)
    if not spoken:
        take_along(uow, study, target)
    free_step(world, uow, study, target)
    study.patient_id = target.id
    order, procedure = settle_order(world, uow, study, target, made.accession)
    outcome = Outcome(study, target)
    for case in spoken:
        close(made, case, outcome)
    for case in silent:
        correct(made, case, order, procedure, outcome)
    if cases:
        study.procedure_id = procedure.id
    if spoken:
        new = _still_read(made, silent, spoken)
        _carry_all(made, spoken, new, _shown(uow, study))
        _say_all(made, spoken, [new], outcome)
        silent = [new]
    latest = silent[-1] if silent else None
    tell_of_sent_copies(made, before)
    made.record(Kind.STUDY_REASSIGNED, case=latest, from_patient=before.uid)
    _settle_notices(made)
    doubt_answers(world, uow, study)
    answer_repeats(world, uow, study)
    outcome.case_uid = latest.uid if latest else ""
    return outcome


def move_objects(made: Correction, objects: Sequence[StoredObject]) -> Outcome:
    """Recordings that were shown under the wrong person; the rest of the study stays where it is."""
    world, uow, study = made.world, made.uow, made.study
    before, cases = made.before(), uow.cases.of_study(study.id)
    spoken, silent = by_speech(uow, cases)
    sops = sorted({stored.sop_instance_uid for stored in objects})
    own, new = _into_own_study(made, objects)
    study.shed(len(sops))
    outcome = Outcome(own, made.target, case_uid=new.uid)
    for case in spoken:
        close(made, case, outcome)
    _carry_all(made, spoken, new, sops)
    _carry_all(made, silent, new, sops, keep=False)
    for case in silent:
        people = met_by(uow, case)
        case.take_back()
        case.generation = study.generation
        # What the recording that left had raised is not this person's.
        case.stand_as_ordered(uow.orders.get(uow.orders.procedure(case.procedure_id).order_id).priority)
        raise_by_stored(world, uow, case)
        outcome.told += tell_people(world, uow, made.actor, case, people, code="notice.recording_moved")
        outdate_draft(world, uow, case)
        record(world, uow, Kind.CASE_CORRECTED, actor=made.actor, case=case, moved=sops)
    if spoken:
        rest = _still_read(made, silent, spoken)
        _carry_all(made, spoken, rest, _shown(uow, study))
        _say_all(made, spoken, [new, rest], outcome)
    tell_of_sent_copies(made, before, sops)
    doubt_answers(world, uow, study)
    answer_repeats(world, uow, own)
    for sop in sops:
        origin = {"from_study": study.uid, "from_patient": before.uid}
        made.record(Kind.OBJECT_REASSIGNED, study=own, case=new, sop_instance_uid=sop, **origin)
    return outcome


def release_held_back(made: Correction, objects: Sequence[StoredObject]) -> Outcome:
    """Objects in quarantine go to a study of the person they are of. Nobody has seen them under any name."""
    _demand_first(made.uow, objects)
    own, new = _into_own_study(made, objects)
    for stored in objects:
        sop = stored.sop_instance_uid
        made.record(
            Kind.OBJECT_RELEASED, study=own, case=new, sop_instance_uid=sop, from_study=made.study.uid
        )
    return Outcome(own, made.target, case_uid=new.uid)


def admit(made: Correction, objects: Sequence[StoredObject], number: str) -> Outcome:
    """Objects in quarantine are of the study's person after all: they join it, as later ones under `number` will."""
    uow, study = made.uow, made.study
    _demand_first(uow, objects)
    now = made.world.clock.now()
    for stored in objects:
        stored.role = ObjectRole.PRIMARY
        study.extend(now, now)
        made.remember(made.target, object_id=stored.id, received_as=number)
        made.record(Kind.OBJECT_RELEASED, sop_instance_uid=stored.sop_instance_uid)
    uow.flush()
    uow.jobs.ask(JobKind.COMPLETE_STUDY, study.id, now, now)
    cases = uow.cases.of_study(study.id)
    return Outcome(study, made.target, case_uid=cases[-1].uid if cases else "")


def _into_own_study(made: Correction, objects: Sequence[StoredObject]) -> tuple[Study, Case]:
    """The right person's study with its case."""
    before = made.before()
    own, fresh = separate(made.world, made.uow, made.study, objects, made.target)
    for stored in objects:
        made.remember(before, now_in=own, object_id=stored.id)
    if fresh:
        return own, _open_own(made, own)
    live = in_force(made.uow.cases.of_study(own.id))
    return own, live[-1] if live else open_case(made.world, made.uow, own)


def _still_read(made: Correction, silent: Sequence[Case], spoken: Sequence[Case]) -> Case:
    """The case in which the study is read from now on: one that waits for a repeat is in nobody's list."""
    readable = [case for case in silent if case.state in READABLE]
    return readable[-1] if readable else open_case(made.world, made.uow, made.study, follows=spoken[-1])


def _carry_all(
    made: Correction, old: Sequence[Case], new: Case, sops: Sequence[str], *, keep: bool = True
) -> None:
    for case in old:
        carry(made, case, new, sops, keep=keep)


def _say_all(made: Correction, old: Sequence[Case], heirs: Sequence[Case], outcome: Outcome) -> None:
    for case in old:
        say_anew(made, case, heirs, outcome)


def _shown(uow: UnitOfWork, study: Study) -> Sequence[str]:
    return [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]


def _open_own(made: Correction, own: Study) -> Case:
    world, uow = made.world, made.uow
    settle_order(world, uow, own, made.target, made.accession)
    become_whole(world, uow, own)
    return open_case(world, uow, own)


def _demand_first(uow: UnitOfWork, objects: Sequence[StoredObject]) -> None:
    for stored in objects:
        held = uow.studies.held_under(stored.institution_id, stored.sop_instance_uid)
        if any(one.role is ObjectRole.PRIMARY for one in held):
            raise InvalidInput("error.object_uid_taken", field="decision")


def _settle_notices(made: Correction) -> None:
    """What was asked about the whole study is answered by whose it now is."""
    world, uow, actor = made.world, made.uow, made.actor
    asked = ("notice.patient_differs", "notice.patient_id_missing", "notice.order_mismatch")
    for notice in uow.notices.of_study(made.study.id):
        if notice.code in asked:
            resolve(world, uow, actor, notice)
