"""A study, or single recordings of it, goes to the person it was made of. The stored bytes stay as they came.

Before a signature the same case is read again for the right person. After one, the report is withdrawn, its case
closed, everyone who met it told, and a case of the right person opened.
"""

from dataclasses import dataclass

from telemed.application.correction import Correction, Outcome
from telemed.application.move import move_objects, move_study
from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.correction import checked_reason, demand_as_shown
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.resident import Patient
from telemed.domain.study import ObjectRole, Study

# What was made here of a recording goes with it, never alone.
_OWN_FORMS = (ObjectRole.PRIMARY, ObjectRole.ALTERNATE)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person asks for: whose it was on their page, whose it is, and why."""

    from_patient_id: str
    patient_id: str
    reason: str
    # An order of the right person; without one the study makes one of its own.
    accession_number: str = ""


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
        made = Correction(
            world=world,
            uow=uow,
            actor=actor,
            study=study,
            target=target,
            reason=reason,
            accession=wish.accession_number,
        )
        seen = wish.from_patient_id
        outcome = _one(made, seen, sop_instance_uid) if sop_instance_uid else _whole(made, seen)
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


def _whole(made: Correction, seen: str) -> Outcome:
    """`seen`: the number under which the person saw it."""
    current = made.before()
    if current.id == made.target.id and _done_before(made, seen):
        return _as_it_is(made, made.study)
    demand_as_shown(current.patient_id, seen)
    return move_study(made)


def _one(made: Correction, seen: str, sop_instance_uid: str) -> Outcome:
    uow, study = made.uow, made.study
    held = uow.studies.held_under(study.institution_id, sop_instance_uid)
    forms = [one for one in held if one.study_id == study.id and one.role in _OWN_FORMS]
    if not forms:
        moved = {one.object_id: one.study_id for one in uow.corrections.of_study(study.id)}
        for stored in held:
            if moved.get(stored.id) == stored.study_id:
                there = uow.studies.get(stored.study_id)
                if there.patient_id == made.target.id:
                    return _as_it_is(made, there)
        raise NotFound("error.object_not_found")
    shown = [stored.sop_instance_uid for stored in uow.studies.objects(study.id)]
    if shown == [sop_instance_uid]:
        # Nothing would be left: it is the whole study, which keeps its UID.
        return _whole(made, seen)
    demand_as_shown(made.before().patient_id, seen)
    return move_objects(made, forms)


def _done_before(made: Correction, seen: str) -> bool:
    uow = made.uow
    moves = [m for m in uow.corrections.of_study(made.study.id) if m.to_patient_id == made.target.id]
    return bool(moves) and uow.patients.get(moves[-1].from_patient_id).patient_id == seen


def _as_it_is(made: Correction, study: Study) -> Outcome:
    cases = made.uow.cases.of_study(study.id)
    return Outcome(study, made.target, changed=False, case_uid=cases[-1].uid if cases else "")
