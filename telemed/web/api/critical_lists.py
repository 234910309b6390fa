"""What counts as critical, how long there is to tell it, and who is told next: an administrator's rows."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, field_validator

from telemed.application import critical_ladder as ladder
from telemed.application import critical_rules as lists
from telemed.application.administer import users
from telemed.application.usual_critical_values import take_usual_list
from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.domain.critical import CriticalPolicy, CriticalRule, EscalationStep, Milestone, Tier
from telemed.domain.people import Role
from telemed.web.api.admin import Sites, sites_of
from telemed.web.api.shapes import Body, Instant
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/admin", tags=["critical values"])


class CriticalRuleOut(BaseModel):
    id: str
    code: str
    edition: int
    modality: str
    tier: Tier
    text: str
    text_zh: str
    text_en: str
    findings: list[str]
    limits: dict[str, dict[str, float]]
    ended_at: Instant | None
    # The reading centre whose own line it is; none: of the whole consortium.
    institution: str | None = None
    proposed: bool = False


class StepOut(BaseModel):
    id: str
    rank: int
    code: str
    minutes: int
    tier: Tier
    waits_for: Milestone
    role: Role | None
    institution: str | None
    # By name, where it is a person and no role.
    person: str
    before_check: bool


class PolicyOut(BaseModel):
    institution: str | None
    tell_minutes: int
    same_doctor_at_night: bool
    night_from: str
    night_to: str


class ListsOut(BaseModel):
    rules: list[CriticalRuleOut]
    steps: list[StepOut]
    policies: list[PolicyOut]
    tell_minutes: int | None
    same_doctor_at_night: bool


class CriticalRuleIn(Body):
    code: str = Field(max_length=64, pattern=r"^[a-z0-9_.]+$")
    modality: str = Field("", max_length=16)
    tier: Tier
    text_zh: str = Field(min_length=1, max_length=200)
    text_en: str = Field(min_length=1, max_length=200)
    # As lists; or as a form writes them: "AFIB, ecg.atrial_fibrillation" and "heart_rate_bpm>=200".
    findings: list[str] = Field(default_factory=list, max_length=20)
    limits: dict[str, dict[Literal["at_least", "at_most"], float]] = Field(default_factory=dict)
    # Taken off the list; what was raised keeps it.
    ended: bool = False
    institution: str = Field("", max_length=36)

    @field_validator("findings", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return [one.strip() for one in given.split(",") if one.strip()] if isinstance(given, str) else given

    @field_validator("limits", mode="before")
    @classmethod
    def _limited(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        found: dict[str, dict[str, str]] = {}
        for one in filter(None, (part.strip() for part in given.split(","))):
            sign, word = (">=", "at_least") if ">=" in one else ("<=", "at_most")
            name, _, value = one.partition(sign)
            found.setdefault(name.strip(), {})[word] = value.strip()
        return found


class PolicyIn(Body):
    institution: str = Field("", max_length=36)
    tell_minutes: int
    same_doctor_at_night: bool = False
    night_from: str = Field("22:00", max_length=5)
    night_to: str = Field("06:00", max_length=5)


class StepIn(Body):
    code: str = Field(max_length=32)
    minutes: int
    tier: Tier = Tier.CRITICAL
    waits_for: Milestone = Milestone.ACKNOWLEDGED
    role: Role | None = None
    username: str = Field("", max_length=64)
    institution: str = Field("", max_length=36)
    before_check: bool = False

    @field_validator("role", mode="before")
    @classmethod
    def _chosen(cls, given: Any) -> Any:
        return given or None


def rule_out(
    rule: CriticalRule, language: str, sites: Sites | None = None, *, proposed: bool = False
) -> CriticalRuleOut:
    return CriticalRuleOut(
        id=rule.uid,
        code=rule.code,
        edition=rule.edition,
        modality=rule.modality,
        tier=rule.tier,
        text=rule.text_en if language == "en" else rule.text_zh,
        text_zh=rule.text_zh,
        text_en=rule.text_en,
        findings=rule.findings,
        limits=rule.limits,
        ended_at=rule.ended_at,
        institution=_site(sites, rule.institution_id),
        proposed=proposed,
    )


def _site(sites: Sites | None, institution_id: int | None) -> str | None:
    return sites[institution_id].uid if sites and institution_id in sites else None


def _step(step: EscalationStep, sites: Sites, people: Mapping[int, str]) -> StepOut:
    return StepOut(
        id=step.uid,
        rank=step.rank,
        code=step.code,
        minutes=step.minutes,
        tier=step.tier,
        waits_for=step.waits_for,
        role=step.role,
        institution=_site(sites, step.institution_id),
        person=people.get(step.user_id, "") if step.user_id is not None else "",
        before_check=step.before_check,
    )


def _policy(policy: CriticalPolicy, sites: Sites) -> PolicyOut:
    return PolicyOut(
        institution=_site(sites, policy.institution_id),
        tell_minutes=policy.tell_minutes,
        same_doctor_at_night=policy.same_doctor_at_night,
        night_from=policy.night_from,
        night_to=policy.night_to,
    )


def _people(world: World, actor: Actor) -> dict[int, str]:
    return {user.id: user.display_name for user in users(world, actor=actor)}


def all_lists(world: World, actor: Actor) -> ListsOut:
    found, sites = lists.lists(world, actor=actor), sites_of(world, actor)
    people = _people(world, actor)
    return ListsOut(
        rules=[rule_out(rule, actor.language, sites) for rule in found.rules],
        steps=[_step(step, sites, people) for step in found.steps],
        policies=[_policy(one, sites) for one in ladder.policies(world, actor=actor)],
        tell_minutes=found.policy.tell_minutes if found.policy else None,
        same_doctor_at_night=bool(found.policy and found.policy.same_doctor_at_night),
    )


@router.get("/critical-rules", **guard(Action.ADMINISTER))
def read_rules(world: TheWorld, actor: CurrentActor) -> ListsOut:
    return all_lists(world, actor)


@router.post("/critical-rules", **guard(Action.ADMINISTER))
def change_rule(world: TheWorld, actor: CurrentActor, body: CriticalRuleIn) -> CriticalRuleOut:
    line = lists.Line(**body.model_dump(exclude={"institution"}), institution_uid=body.institution)
    changed = lists.change_rule(world, actor=actor, line=line)
    return rule_out(changed, actor.language, sites_of(world, actor))


@router.post("/critical-rules/usual", **guard(Action.ADMINISTER))
def take_usual(world: TheWorld, actor: CurrentActor) -> ListsOut:
    """Adds the lines of the usual list that the consortium has never had."""
    take_usual_list(world, actor=actor)
    return all_lists(world, actor)


@router.put("/critical-policy", **guard(Action.ADMINISTER))
def set_policy(world: TheWorld, actor: CurrentActor, body: PolicyIn) -> PolicyOut:
    policy = ladder.Policy(**body.model_dump(exclude={"institution"}), institution_uid=body.institution)
    return _policy(ladder.set_policy(world, actor=actor, policy=policy), sites_of(world, actor))


@router.post("/escalation-steps", **guard(Action.ADMINISTER))
def add_step(world: TheWorld, actor: CurrentActor, body: StepIn) -> StepOut:
    step = ladder.Step(**body.model_dump(exclude={"institution"}), institution_uid=body.institution)
    added = ladder.add_step(world, actor=actor, step=step)
    return _step(added, sites_of(world, actor), _people(world, actor))


@router.delete("/escalation-steps/{step_id}", status_code=204, **guard(Action.ADMINISTER))
def remove_step(world: TheWorld, actor: CurrentActor, step_id: str) -> Response:
    ladder.remove_step(world, actor=actor, uid=step_id)
    return Response(status_code=204)
