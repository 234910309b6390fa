"""The lists of critical values, as an administrator sees and changes them: a change is a new edition."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from telemed.application.administer import site_of
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.critical import CriticalPolicy, CriticalRule, EscalationStep, Tier, policy_for
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind


@dataclass(frozen=True)
class Lists:
    rules: Sequence[CriticalRule]
    steps: Sequence[EscalationStep]
    policy: CriticalPolicy | None


@dataclass(frozen=True, kw_only=True)
class Line:
    code: str
    modality: str
    tier: Tier
    text_zh: str
    text_en: str
    findings: list[str] = field(default_factory=list)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    ended: bool = False
    # Of one reading centre alone; else of the whole consortium.
    institution_uid: str = ""


def lists(world: World, *, actor: Actor) -> Lists:
    """Every edition of every line, the ladder, and the consortium's own policy."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return Lists(
            uow.critical.rules(actor.consortium_id, ended=True),
            uow.critical.steps(actor.consortium_id),
            policy_for(uow.critical.policies(actor.consortium_id), None),
        )


def change_rule(world: World, *, actor: Actor, line: Line) -> CriticalRule:
    """A new line, the next edition of one, or its end. The same content again changes nothing."""
    demand(actor, Action.ADMINISTER)
    now = world.clock.now()
    with world.unit_of_work() as uow:
        centre = site_of(uow, actor, line.institution_uid).id if line.institution_uid else None
        known = [r for r in uow.critical.rules(actor.consortium_id, ended=True) if r.code == line.code]
        editions = [r for r in known if r.institution_id == centre]
        latest = max(editions, key=lambda r: r.edition, default=None)
        in_force = latest is not None and latest.ended_at is None
        if line.ended and not in_force:
            if latest is None:
                raise InvalidInput("error.critical_unknown_finding", field="code")
            return latest
        if latest is not None and in_force:
            if not line.ended and _same(latest, line):
                return latest
            latest.ended_at = now
        changed = latest
        if not line.ended or changed is None:
            changed = CriticalRule(
                uid=world.identifiers.uid(),
                consortium_id=actor.consortium_id,
                code=line.code,
                # Counted over the consortium and its centres: an edition of a code is one text.
                edition=1 + max((r.edition for r in known), default=0),
                institution_id=centre,
                modality=line.modality,
                tier=line.tier,
                text_zh=line.text_zh,
                text_en=line.text_en,
                created_at=now,
                findings=line.findings,
                limits=line.limits,
            )
            uow.critical.add(changed)
        record(
            world,
            uow,
            Kind.CRITICAL_RULE_CHANGED,
            actor=actor,
            code=changed.code,
            edition=changed.edition,
            ended=line.ended,
        )
        uow.commit()
    return changed


def _same(rule: CriticalRule, line: Line) -> bool:
    return (rule.modality, rule.tier, rule.text_zh, rule.text_en, rule.findings, rule.limits) == (
        line.modality,
        line.tier,
        line.text_zh,
        line.text_en,
        line.findings,
        line.limits,
    )
