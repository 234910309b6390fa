"""Rules of signing and of what a report must say, for the administrator."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from telemed.application import writing
from telemed.domain.access import Action
from telemed.domain.writing import Demanded, Part, RequiredPart
from telemed.web.api.admin import institution_out, sites_of
from telemed.web.api.shapes import Body, InstitutionOut
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["administration"])


class SigningRulesIn(Body):
    signing_minutes: int
    hold_seconds: int
    second_signature: bool


class RequiredPartIn(Body):
    part: Part
    demanded: Demanded = Demanded.ALWAYS
    modality: str = Field("", max_length=16)
    body_part: str = Field("", max_length=64)


class RequiredPartOut(BaseModel):
    id: str
    part: Part
    demanded: Demanded
    modality: str
    body_part: str


def required_out(row: RequiredPart) -> RequiredPartOut:
    return RequiredPartOut(
        id=row.uid, part=row.part, demanded=row.demanded, modality=row.modality, body_part=row.body_part
    )


@router.put("/institutions/{institution_id}/signing", **guard(Action.ADMINISTER))
def set_signing(
    world: TheWorld, actor: CurrentActor, institution_id: str, body: SigningRulesIn
) -> InstitutionOut:
    rules = writing.SigningRules(**body.model_dump())
    site = writing.set_signing_rules(world, actor=actor, institution_uid=institution_id, rules=rules)
    return institution_out(site, sites_of(world, actor))


@router.get("/required-parts", **guard(Action.ADMINISTER))
def read_required(world: TheWorld, actor: CurrentActor) -> list[RequiredPartOut]:
    return [required_out(row) for row in writing.required_parts(world, actor=actor)]


@router.post("/required-parts", status_code=201, **guard(Action.ADMINISTER))
def require_part(world: TheWorld, actor: CurrentActor, body: RequiredPartIn) -> RequiredPartOut:
    return required_out(writing.require_part(world, actor=actor, **body.model_dump()))


@router.delete("/required-parts/{part_id}", status_code=204, **guard(Action.ADMINISTER))
def no_longer_require(world: TheWorld, actor: CurrentActor, part_id: str) -> None:
    writing.no_longer_require(world, actor=actor, uid=part_id)
