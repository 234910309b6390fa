"""Which finding of a model brings a case forward: rows of the consortium. There is no rule that puts one back."""

from collections.abc import Sequence

from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.order import Priority
from telemed.domain.triage import TriageRule


def triage_rules(world: World, *, actor: Actor) -> Sequence[TriageRule]:
    """Those in force."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return [one for one in uow.rules.triage(actor.consortium_id) if one.active]


def keep_triage(world: World, *, actor: Actor, modality: str, finding: str, priority: Priority) -> TriageRule:
    """One rule for a finding of a modality; the same finding again changes how far forward it brings."""
    demand(actor, Action.ADMINISTER)
    modality, finding = modality.strip().upper(), finding.strip()
    if not finding or not modality:
        raise InvalidInput("error.field_required", field="finding" if modality else "modality")
    if priority is Priority.ROUTINE:
        # It could raise nothing.
        raise InvalidInput("error.field_invalid", field="priority")
    with world.unit_of_work() as uow:
        known = [r for r in uow.rules.triage(actor.consortium_id) if r.active]
        rule = next((r for r in known if (r.modality, r.finding) == (modality, finding)), None)
        if rule is not None and rule.priority is priority:
            return rule
        if rule is None:
            rule = TriageRule(
                uid=world.identifiers.uid(),
                consortium_id=actor.consortium_id,
                modality=modality,
                finding=finding,
                priority=priority,
            )
            uow.rules.add(rule)
        rule.priority = priority
        record(
            world,
            uow,
            Kind.SITE_CHANGED,
            actor=actor,
            what="triage_rule",
            finding=finding,
            priority=int(priority),
        )
        uow.commit()
    return rule


def end_triage(world: World, *, actor: Actor, uid: str) -> None:
    """Nothing more is raised by it; what was raised stays raised."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        rule = next((r for r in uow.rules.triage(actor.consortium_id) if r.uid == uid), None)
        if rule is None:
            raise NotFound("error.triage_rule_not_found")
        if rule.active:
            rule.active = False
            record(
                world,
                uow,
                Kind.SITE_CHANGED,
                actor=actor,
                what="triage_rule",
                finding=rule.finding,
                active=False,
            )
        uow.commit()
