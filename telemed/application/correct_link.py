"""A person says which resident a patient is, or that it is not the one it stands under: with a reason, on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.resident_links import NOTHING, LinkedBy, Undone, link, unlink
from telemed.application.residents import register_resident, resident_of_card
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.correction import checked_reason
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.resident import Patient, Resident, card_contradictions, is_id_card_number
from telemed.domain.same_name import names_differ


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whom a patient stands under now, and whom reports go to because of it."""

    patient: Patient
    resident: Resident | None
    doctors: Sequence[str] = ()
    # Reports that family doctors have by this link.
    delivered: int = 0


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Of a card number: who is registered under it (nobody yet), and what speaks against its being the patient."""

    last4: str
    resident: Resident | None
    differing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Relinked:
    standing: Standing
    changed: bool
    undone: Undone = NOTHING


def standing(world: World, *, actor: Actor, uid: str) -> Standing:
    demand(actor, Action.CORRECT)
    with world.unit_of_work() as uow:
        patient = _here(uow, actor, uid)
        record(world, uow, Kind.CORRECTION_OPENED, actor=actor, patient=patient.uid)
        uow.commit()
        return _standing(world, uow, patient)


def find_holder(world: World, *, actor: Actor, uid: str, number: str) -> Holder:
    """Who holds the card that somebody has before them; the whole number is needed, and the search is on record."""
    demand(actor, Action.CORRECT)
    number = _checked(number)
    with world.unit_of_work() as uow:
        patient = _here(uow, actor, uid)
        known = resident_of_card(world, uow, consortium_id=patient.consortium_id, number=number)
        if known is not None and not uow.links.in_use(known.id):
            # Its name came with a wrong number: the next link gives it the right one.
            known = None
        record(
            world,
            uow,
            Kind.RESIDENT_SOUGHT,
            actor=actor,
            patient=patient.uid,
            resident=known.uid if known else "",
        )
        uow.commit()
    against = card_contradictions(number, sex=patient.sex, birth_date=patient.birth_date)
    if known is not None and names_differ(known.name, patient.name, world.names.pinyin):
        against = ["name", *against]
    return Holder(last4=number[-4:], resident=known, differing=against)


def link_patient(world: World, *, actor: Actor, uid: str, number: str, shown: str, reason: str) -> Relinked:
    """To the holder of the card, from nobody or from somebody else. `shown`: the resident on the page, "" for none.

    Raises InvalidInput or Conflict where the card contradicts the patient, or somebody was quicker.
    """
    demand(actor, Action.CORRECT)
    reason, number = checked_reason(reason), _checked(number)
    with world.unit_of_work() as uow:
        patient = _here(uow, actor, uid)
        resident = register_resident(
            world,
            uow,
            consortium_id=patient.consortium_id,
            number=number,
            name=patient.name,
            sex=patient.sex,
            birth_date=patient.birth_date,
        )
        if patient.resident_id == resident.id:
            return Relinked(standing=_standing(world, uow, patient), changed=False)
        _demand_shown(uow, patient, shown)
        undone = unlink(world, uow, actor, patient, reason=reason)
        link(world, uow, patient, resident, by=LinkedBy.PERSON, actor=actor, reason=reason)
        found = Relinked(standing=_standing(world, uow, patient), changed=True, undone=undone)
        uow.commit()
    world.waker.wake()
    return found


def unlink_patient(world: World, *, actor: Actor, uid: str, shown: str, reason: str) -> Relinked:
    """From the resident on the page; once more changes nothing."""
    demand(actor, Action.CORRECT)
    reason = checked_reason(reason)
    with world.unit_of_work() as uow:
        patient = _here(uow, actor, uid)
        if patient.resident_id is None:
            return Relinked(standing=_standing(world, uow, patient), changed=False)
        _demand_shown(uow, patient, shown)
        undone = unlink(world, uow, actor, patient, reason=reason)
        found = Relinked(standing=_standing(world, uow, patient), changed=True, undone=undone)
        uow.commit()
    world.waker.wake()
    return found


def _here(uow: UnitOfWork, actor: Actor, uid: str) -> Patient:
    """Corrected where the number was given out, by those who gave it out."""
    patient = uow.links.patient(actor.institution_id, uid)
    if patient is None:
        raise NotFound("error.patient_not_found")
    return patient


def _checked(number: str) -> str:
    number = number.strip().upper()
    if not is_id_card_number(number):
        raise InvalidInput("error.id_card_invalid", field="id_card_number")
    return number


def _demand_shown(uow: UnitOfWork, patient: Patient, shown: str) -> None:
    current = uow.residents.get(patient.resident_id).uid if patient.resident_id else ""
    if current != shown:
        raise Conflict("error.link_changed_since_shown")


def _standing(world: World, uow: UnitOfWork, patient: Patient) -> Standing:
    uow.flush()
    if patient.resident_id is None:
        return Standing(patient=patient, resident=None)
    zone = ZoneInfo(uow.institutions.get(patient.institution_id).time_zone)
    today = world.clock.now().astimezone(zone).date()
    contracts = uow.residents.contracts(patient.resident_id)
    doctors = [uow.users.get(one.family_doctor_id) for one in contracts if one.valid_on(today)]
    return Standing(
        patient=patient,
        resident=uow.residents.get(patient.resident_id),
        doctors=list(dict.fromkeys(one.display_name for one in doctors)),
        delivered=len({one.report_id for one in uow.links.doctors_copies(patient.id)}),
    )
