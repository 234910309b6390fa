"""The correction list: what the software will not decide, both sides of it, and what a person decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemed.application.correction import Correction, Outcome
from telemed.application.move import admit, move_study, release_held_back
from telemed.application.notifying import resolve
from telemed.application.objects import read_object
from telemed.application.patients import surrogate_id
from telemed.application.ports import UnitOfWork
from telemed.application.ports.corrections import About, FoundPatient, Mismatch
from telemed.application.reassign import Wish, person_of, study_here
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.correction import DECISIONS, Decision, checked_reason, demand_as_shown, demand_possible
from telemed.domain.errors import Conflict, DomainError, InvalidInput, NotFound, Unavailable
from telemed.domain.events import Kind
from telemed.domain.notice import Notice
from telemed.domain.resident import Patient
from telemed.domain.study import ObjectRole, StoredObject, Study
from telemed.imaging.header import StudyHeader, read_header

SHOWN = 100
FOUND = 20


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One object of a study as its own bytes name it. `header` is None where the bytes cannot be had now."""

    stored: StoredObject
    header: StudyHeader | None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A doubt with both sides: whom it is filed under, and what the recording itself says."""

    mismatch: Mismatch
    received: Recording | None
    # Of a number that an order gave to somebody else: whom that order is of.
    ordered: Patient | None


@dataclass(frozen=True, kw_only=True)
class StudyIdentity:
    study: Study
    patient: Patient
    id_last4: str
    recordings: Sequence[Recording]
    # The reports that would be withdrawn.
    signed: int


def open_mismatches(world: World, *, actor: Actor) -> Sequence[Mismatch]:
    demand(actor, Action.CORRECT)
    with world.unit_of_work(write=False) as uow:
        return uow.corrections.mismatches(actor, DECISIONS, SHOWN)


def compare(world: World, *, actor: Actor, uid: str) -> Compared:
    """Both sides of one doubt; the reading is recorded."""
    demand(actor, Action.CORRECT)
    with world.unit_of_work() as uow:
        found = _find(uow, actor, uid)
        stored = _object_of(uow, found)
        charset = _charset(uow, stored)
        record(world, uow, Kind.CORRECTION_OPENED, actor=actor, study=found.study, code=found.first.code)
        ordered = _ordered_for(uow, found) if found.first.code == "notice.order_mismatch" else None
        uow.commit()
    return Compared(
        mismatch=found,
        received=_recording(world, stored, charset) if stored else None,
        ordered=ordered,
    )


def decide(
    world: World, *, actor: Actor, uid: str, decision: Decision, reason: str, wish: Wish | None = None
) -> Outcome | None:
    """What a person decided about a doubt. None where nothing moved, or where it had been decided before."""
    demand(actor, Action.CORRECT)
    reason = checked_reason(reason)
    number = _number_claimed(world, actor, uid) if decision is Decision.SAME_PERSON else ""
    with world.unit_of_work() as uow:
        found = _find(uow, actor, uid)
        demand_possible(found.first.code, decision)
        if found.first.resolved_at is not None:
            return None
        outcome = _act(world, uow, actor, found, decision, reason, wish, number)
        for notice in found.notices:
            resolve(world, uow, actor, notice)
        record(
            world,
            uow,
            Kind.CORRECTION_DECIDED,
            actor=actor,
            study=found.study,
            code=found.first.code,
            notices=[notice.uid for notice in found.notices],
            decision=decision.value,
            reason=reason,
        )
        uow.commit()
    world.waker.wake()
    return outcome


def _act(
    world: World,
    uow: UnitOfWork,
    actor: Actor,
    found: Mismatch,
    decision: Decision,
    reason: str,
    wish: Wish | None,
    number: str,
) -> Outcome | None:
    held = _held_back(uow, found) if found.first.code == "notice.patient_conflict" else []
    if decision is Decision.LEAVE or (decision is Decision.SAME_PERSON and not held):
        return None
    person = uow.patients.get(found.study.patient_id)
    target = person if decision is Decision.SAME_PERSON else _another(uow, actor, person, wish)
    made = Correction(
        world=world,
        uow=uow,
        actor=actor,
        study=found.study,
        target=target,
        reason=reason,
        accession=wish.accession_number if wish else "",
    )
    if decision is Decision.SAME_PERSON:
        return admit(made, held, number)
    if found.first.code != "notice.patient_conflict":
        return move_study(made)
    if not held:
        raise Conflict("error.changed_meanwhile")
    return release_held_back(made, held)


def _another(uow: UnitOfWork, actor: Actor, person: Patient, wish: Wish | None) -> Patient:
    if wish is None:
        raise InvalidInput("error.field_required", field="patient_id")
    target = person_of(uow, actor, wish.patient_id)
    demand_as_shown(person.patient_id, wish.from_patient_id)
    if target.id == person.id:
        raise InvalidInput("error.reassign_same_person", field="patient_id")
    return target


def find_people(world: World, *, actor: Actor, text: str) -> Sequence[FoundPatient]:
    """Persons of the own institution, by number or name. An empty search finds nobody."""
    demand(actor, Action.CORRECT)
    if not text.strip():
        return []
    with world.unit_of_work() as uow:
        found = uow.corrections.search(actor.institution_id, text, FOUND)
        # Unknown people have numbers of our own making: nobody is moved to one.
        found = [one for one in found if not one.patient.patient_id.startswith("?")]
        if found:
            # What was sought stands in no event: it may be a name.
            record(world, uow, Kind.PATIENTS_SEARCHED, actor=actor, answers=len(found))
            uow.commit()
    return found


def identity_of(world: World, *, actor: Actor, study_instance_uid: str) -> StudyIdentity:
    """Whom a study is filed under and what each of its recordings says; the reading is recorded."""
    demand(actor, Action.CORRECT)
    with world.unit_of_work() as uow:
        study = study_here(uow, actor, study_instance_uid)
        patient = uow.patients.get(study.patient_id)
        resident = uow.residents.get(patient.resident_id) if patient.resident_id else None
        objects = uow.studies.objects(study.id)
        charset = _charset(uow, objects[0]) if objects else None
        reports = [report for case in uow.cases.of_study(study.id) for report in uow.reports.of_case(case.id)]
        record(world, uow, Kind.OBJECT_READ, actor=actor, study=study, what="identity")
        uow.commit()
    signed = [one for one in reports if one.signed_by is not None and one.withdrawn_at is None]
    # The first says whose they all claim to be: of a CT nobody wants four hundred headers.
    first = [_recording(world, objects[0], charset)] if objects else []
    return StudyIdentity(
        study=study,
        patient=patient,
        id_last4=resident.id_card_last4 if resident else "",
        recordings=[*first, *(Recording(stored=stored, header=None) for stored in objects[1:])],
        signed=len(signed),
    )


def _find(uow: UnitOfWork, actor: Actor, uid: str) -> Mismatch:
    found = uow.corrections.mismatch(actor, DECISIONS, uid)
    if found is None or found.study.institution_id != actor.institution_id:
        raise NotFound("error.correction_not_found")
    return found


def _object_of(uow: UnitOfWork, found: Mismatch) -> StoredObject | None:
    """The object that gave rise to the doubt; of a doubt about a whole study its first one."""
    if found.first.object_id is not None:
        return uow.studies.object(found.first.object_id)
    return next(iter(uow.studies.objects(found.study.id)), None)


def _held_back(uow: UnitOfWork, found: Mismatch) -> list[StoredObject]:
    objects = [uow.studies.object(n.object_id) for n in found.notices if n.object_id is not None]
    return [one for one in objects if one.role is ObjectRole.CONFLICT and one.study_id == found.study.id]


def _ordered_for(uow: UnitOfWork, found: Mismatch) -> Patient | None:
    number = str(found.first.facts.get("accession_number", ""))
    order = uow.orders.by_accession(found.study.institution_id, number) if number else None
    if order is None:
        step = uow.steps.by_study_uid(found.study.institution_id, found.study.study_instance_uid)
        order = uow.orders.get(uow.orders.procedure(step.procedure_id).order_id) if step else None
    return uow.patients.get(order.patient_id) if order else None


def _number_claimed(world: World, actor: Actor, uid: str) -> str:
    """The number that machines will go on sending, read from the bytes before the writer's place is taken."""
    with world.unit_of_work(write=False) as uow:
        found = _find(uow, actor, uid)
        stored = _object_of(uow, found)
        charset = _charset(uow, stored)
    read = _recording(world, stored, charset) if stored else None
    if read is None or read.header is None:
        raise Unavailable("error.object_missing", sop_instance_uid=stored.sop_instance_uid if stored else "")
    return read.header.patient_id


def _charset(uow: UnitOfWork, stored: StoredObject | None) -> str | None:
    """What is set for the device: its texts are read as they were when they came."""
    if stored is None or stored.device_id is None:
        return None
    return uow.devices.get(stored.device_id).default_charset


def _recording(world: World, stored: StoredObject, charset: str | None) -> Recording:
    try:
        header = read_header(read_object(world, stored), default_charset=charset)
    except DomainError:
        # The list is to be worked on all the same: what it says is then not shown.
        header = None
    return Recording(stored=stored, header=header)


def subjects(world: World, notices: Sequence[Notice]) -> dict[int, About]:
    """Whom notices are about, for those who are told by name: they have met this person's case before."""
    personal = [notice for notice in notices if notice.user_id is not None]
    if not personal:
        return {}
    with world.unit_of_work(write=False) as uow:
        return uow.corrections.about(personal)


def unknown_number(study: Study, patient: Patient) -> bool:
    """Filed under a number that we made, because none came."""
    return patient.patient_id == surrogate_id(study.study_instance_uid)
