"""Contracts of residents with their family doctors: the administrator's."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from telemed.application import contracts
from telemed.domain.access import Action
from telemed.web.api.admin import Uid
from telemed.web.api.shapes import Body, EmptyIsNone
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])


class ContractIn(Body):
    id_card_number: str = Field(max_length=18)
    name: str = Field(max_length=64)
    doctor: str = Field(max_length=64)
    valid_from: date
    valid_to: EmptyIsNone[date] = None


class EndIn(Body):
    # The last day.
    valid_to: date


class ContractOut(BaseModel):
    id: str
    # The family name alone, and the last four digits: whoever keeps the list can tell the papers apart.
    name: str
    id_last4: str
    doctor: str
    doctor_id: str
    valid_from: date
    valid_to: date | None


def contract_out(found: contracts.Signed) -> ContractOut:
    return ContractOut(
        id=found.contract.uid,
        name=f"{found.resident.name[:1]}**",
        id_last4=found.resident.id_card_last4,
        doctor=found.doctor.display_name,
        doctor_id=found.doctor.uid,
        valid_from=found.contract.valid_from,
        valid_to=found.contract.valid_to,
    )


@router.get("/contracts", **guard(Action.ADMINISTER))
def read_contracts(
    world: TheWorld, actor: CurrentActor, doctor: Annotated[str, Query(max_length=64)] = ""
) -> list[ContractOut]:
    """The latest 200 of the consortium, or of one family doctor."""
    return [contract_out(one) for one in contracts.contracts(world, actor=actor, doctor_uid=doctor or None)]


@router.post("/contracts", status_code=201, **guard(Action.ADMINISTER))
def sign_contract(world: TheWorld, actor: CurrentActor, body: ContractIn) -> ContractOut:
    """The resident by card number and name; the same doctor and first day once more sets the last day."""
    new = contracts.NewContract(
        id_card_number=body.id_card_number,
        name=body.name,
        doctor_uid=body.doctor,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
    )
    return contract_out(contracts.sign_contract(world, actor=actor, new=new))


@router.put("/contracts/{contract_id}", **guard(Action.ADMINISTER))
def end_contract(world: TheWorld, actor: CurrentActor, contract_id: Uid, body: EndIn) -> ContractOut:
    found = contracts.end_contract(world, actor=actor, uid=contract_id, valid_to=body.valid_to)
    return contract_out(found)
