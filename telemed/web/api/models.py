"""The models of a site: their cards, and whether an administrator let them read."""

from typing import Annotated

from fastapi import APIRouter, Query

from telemed.application import administer
from telemed.application.administer import SiteModel
from telemed.domain.access import Action
from telemed.web.api.shapes import ApproveIn, ModelOut, WithdrawApprovalIn
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/models", tags=["models"])


def model_out(found: SiteModel, language: str) -> ModelOut:
    model, approval = found.model, found.approval
    return ModelOut(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        task=model.task,
        card=model.card(language),
        approved=approval is not None,
        approved_at=approval.approved_at if approval else None,
    )


@router.get("", **guard(Action.ADMINISTER))
def read(
    world: TheWorld, actor: CurrentActor, institution: Annotated[str | None, Query()] = None
) -> list[ModelOut]:
    found = administer.models(world, actor=actor, institution_uid=institution)
    return [model_out(one, actor.language) for one in found]


@router.post("/{name}/approve", **guard(Action.ADMINISTER))
def approve(world: TheWorld, actor: CurrentActor, name: str, body: ApproveIn) -> ModelOut:
    found = administer.open_card(
        world, actor=actor, name=name, sha256=body.sha256, institution_uid=body.institution
    )
    return model_out(found, actor.language)


@router.post("/{name}/withdraw", status_code=204, **guard(Action.ADMINISTER))
def withdraw(world: TheWorld, actor: CurrentActor, name: str, body: WithdrawApprovalIn | None = None) -> None:
    institution = body.institution if body else None
    administer.withdraw_model(world, actor=actor, name=name, institution_uid=institution)
