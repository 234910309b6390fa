"""Which person a local patient identity is: by a verified card number, never by name."""

import hashlib
import hmac
from datetime import date

from telemed.application.ports import UnitOfWork
from telemed.application.world import World
from telemed.domain.errors import Conflict, InvalidInput
from telemed.domain.resident import Patient, Resident, birth_of, card_contradictions, is_id_card_number
from telemed.domain.same_name import names_differ


def card_hash(world: World, number: str) -> str:
    """Keyed, so that the eighteen digits cannot be found by trying them all."""
    return hmac.new(world.secret_key, number.upper().encode(), hashlib.sha256).hexdigest()


def resident_of_card(world: World, uow: UnitOfWork, *, consortium_id: int, number: str) -> Resident | None:
    return uow.residents.by_card_hash(consortium_id, card_hash(world, number))


def register_resident(
    world: World,
    uow: UnitOfWork,
    *,
    consortium_id: int,
    number: str,
    name: str,
    sex: str,
    birth_date: date | None,
) -> Resident:
    """Finds or adds the person of a card number. Refused where it is plainly somebody else's card: a spouse's, say,
    whose family doctor would be sent these reports."""
    if not is_id_card_number(number):
        raise InvalidInput("error.id_card_invalid", field="id_card_number")
    if against := card_contradictions(number, sex=sex, birth_date=birth_date):
        raise InvalidInput("error.id_card_contradicts", field="id_card_number", fields=" ".join(against))
    known = resident_of_card(world, uow, consortium_id=consortium_id, number=number)
    if known is not None:
        if names_differ(known.name, name, world.names.pinyin):
            if uow.links.in_use(known.id):
                raise Conflict("error.card_of_another_name")
            # The name came with a wrong number that was taken back since: nothing speaks for it any more.
            known.name, known.sex, known.birth_date = name, sex, birth_of(number)
        return known
    resident = Resident(
        uid=world.identifiers.uid(),
        consortium_id=consortium_id,
        name=name,
        sex=sex,
        birth_date=birth_date or birth_of(number),
        id_card_keyed_hash=card_hash(world, number),
        id_card_last4=number[-4:].upper(),
    )
    uow.residents.add(resident)
    uow.flush()
    return resident


def new_patient(
    world: World,
    *,
    institution_id: int,
    consortium_id: int,
    patient_id: str,
    name: str,
    sex: str,
    birth_date: date | None,
) -> Patient:
    return Patient(
        uid=world.identifiers.uid(),
        institution_id=institution_id,
        consortium_id=consortium_id,
        patient_id=patient_id,
        name=name,
        name_pinyin=world.names.pinyin(name),
        name_initials=world.names.initials(name),
        sex=sex,
        birth_date=birth_date,
    )
