"""How a centre hangs its exams: followed by readers, chosen by the administrator."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from telemed.application import hanging
from telemed.domain.access import Action
from telemed.domain.hanging import HangingRule
from telemed.web.api.admin import Sites, sites_of
from telemed.web.api.shapes import Body
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(tags=["administration"])


class HangingIn(Body):
    institution: str = ""
    modality: str = Field("", max_length=16)
    body_part: str = Field("", max_length=64)
    prior: bool
    window: int


class HangingOut(BaseModel):
    modality: str
    body_part: str
    prior: bool
    window: int


class HangingRuleOut(HangingOut):
    id: str
    institution: str


def rule_out(rule: HangingRule, sites: Sites) -> HangingRuleOut:
    site = sites[rule.institution_id].name
    return HangingRuleOut(id=rule.uid, institution=site, **_plain(rule).model_dump())


def _plain(rule: HangingRule) -> HangingOut:
    return HangingOut(modality=rule.modality, body_part=rule.body_part, prior=rule.prior, window=rule.window)


@router.get("/hanging", **guard(Action.WRITE_REPORT))
def read_hanging(world: TheWorld, actor: CurrentActor) -> list[HangingOut]:
    """Of the reader's own centre: the first that fits an exam is the one."""
    return [_plain(one) for one in hanging.hanging_here(world, actor=actor)]


@router.get("/admin/hanging", **guard(Action.ADMINISTER))
def read_rules(world: TheWorld, actor: CurrentActor) -> list[HangingRuleOut]:
    sites = sites_of(world, actor)
    return [rule_out(one, sites) for one in hanging.hanging_rules(world, actor=actor)]


@router.post("/admin/hanging", status_code=201, **guard(Action.ADMINISTER))
def hang(world: TheWorld, actor: CurrentActor, body: HangingIn) -> HangingRuleOut:
    given = body.model_dump(exclude={"institution"})
    rule = hanging.hang(world, actor=actor, institution_uid=body.institution, **given)
    return rule_out(rule, sites_of(world, actor))


@router.delete("/admin/hanging/{hanging_id}", status_code=204, **guard(Action.ADMINISTER))
def hang_as_usual(world: TheWorld, actor: CurrentActor, hanging_id: str) -> None:
    hanging.hang_as_usual(world, actor=actor, uid=hanging_id)
