"""家庭医生签约: which family doctor looks after a resident, and from when until when.

A resident is named by the number and the name on the paper contract, as an order names them: an administrator
reads no patient's data, so there is no list of residents to choose from, and of a number only its end is shown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from telemed.application.lock_out import user_of
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.residents import register_resident
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import Conflict, InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Role, User
from telemed.domain.resident import Contract, Resident

SHOWN = 200


@dataclass(frozen=True)
class Signed:
    contract: Contract
    resident: Resident
    doctor: User


@dataclass(frozen=True, kw_only=True)
class NewContract:
    id_card_number: str
    name: str
    doctor_uid: str
    valid_from: date
    valid_to: date | None = None


def contracts(world: World, *, actor: Actor, doctor_uid: str | None = None) -> Sequence[Signed]:
    """The latest of the consortium, or of one family doctor."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        doctor = user_of(uow, actor, doctor_uid) if doctor_uid else None
        found = uow.residents.latest_contracts(actor.consortium_id, doctor.id if doctor else None, SHOWN)
        return [_signed(uow, one) for one in found]


def sign_contract(world: World, *, actor: Actor, new: NewContract) -> Signed:
    """From this day the doctor receives the resident's reports; the same doctor and day again sets the end.

    Raises Conflict while another contract of the resident holds, or where the number is another person's.
    """
    demand(actor, Action.ADMINISTER)
    name = new.name.strip()
    if not name:
        raise InvalidInput("error.field_required", field="name")
    if new.valid_to is not None and new.valid_to < new.valid_from:
        raise InvalidInput("error.ends_before_start", field="valid_to")
    with world.unit_of_work() as uow:
        doctor = user_of(uow, actor, new.doctor_uid)
        if doctor.role is not Role.FAMILY_DOCTOR:
            raise InvalidInput("error.contract_needs_family_doctor", field="doctor")
        number = new.id_card_number.strip().upper()
        resident = register_resident(
            world,
            uow,
            consortium_id=actor.consortium_id,
            number=number,
            name=name,
            sex="F" if number[16:17] in set("02468") else "M",
            birth_date=None,
        )
        if _plain(resident.name) != _plain(name):
            raise Conflict("error.card_of_another_name")
        contract = _kept(world, uow, actor, resident, doctor, new)
        found = _signed(uow, contract)
        uow.commit()
    return found


def _kept(
    world: World, uow: UnitOfWork, actor: Actor, resident: Resident, doctor: User, new: NewContract
) -> Contract:
    same = None
    for known in uow.residents.contracts(resident.id):
        if (known.family_doctor_id, known.valid_from) == (doctor.id, new.valid_from):
            same = known
        elif _overlap(known, new):
            raise Conflict("error.contract_holds", since=known.valid_from.isoformat())
    if same is not None and same.valid_to == new.valid_to:
        return same
    contract = same or Contract(
        uid=world.identifiers.uid(),
        resident_id=resident.id,
        family_doctor_id=doctor.id,
        institution_id=doctor.institution_id,
        consortium_id=actor.consortium_id,
        valid_from=new.valid_from,
        valid_to=new.valid_to,
    )
    contract.valid_to = new.valid_to
    if same is None:
        uow.residents.add_contract(contract)
    _record(world, uow, actor, contract)
    return contract


def end_contract(world: World, *, actor: Actor, uid: str, valid_to: date) -> Signed:
    """`valid_to` is the last day. Copies that were handed out stay with whoever has them."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        contract = uow.residents.contract_by_uid(uid)
        if contract is None or contract.consortium_id != actor.consortium_id:
            raise NotFound("error.contract_not_found")
        if valid_to < contract.valid_from:
            raise InvalidInput("error.ends_before_start", field="valid_to")
        if contract.valid_to != valid_to:
            if contract.valid_to is not None and valid_to > contract.valid_to:
                # A later end could reach into the next doctor's contract: that is a contract of its own.
                raise InvalidInput("error.contract_not_longer", field="valid_to")
            contract.valid_to = valid_to
            _record(world, uow, actor, contract)
        found = _signed(uow, contract)
        uow.commit()
    return found


def _overlap(known: Contract, new: NewContract) -> bool:
    starts_before_its_end = known.valid_to is None or new.valid_from <= known.valid_to
    return starts_before_its_end and (new.valid_to is None or known.valid_from <= new.valid_to)


def _signed(uow: UnitOfWork, contract: Contract) -> Signed:
    return Signed(contract, uow.residents.get(contract.resident_id), uow.users.get(contract.family_doctor_id))


def _plain(name: str) -> str:
    return re.sub(r"[\s·・]", "", name)


def _record(world: World, uow: UnitOfWork, actor: Actor, contract: Contract) -> None:
    record(
        world,
        uow,
        Kind.SITE_CHANGED,
        actor=actor,
        institution_id=contract.institution_id,
        what="contract",
        contract=contract.uid,
        valid_to=contract.valid_to.isoformat() if contract.valid_to else None,
    )
