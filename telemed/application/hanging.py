"""A centre's hanging of exams: chosen by its administrator, followed by its readers' station."""

from collections.abc import Sequence
from typing import Any

from telemed.application.administer import site_of
from telemed.application.ports import UnitOfWork
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import NotFound
from telemed.domain.events import Kind
from telemed.domain.hanging import HangingRule, narrowest_first


def hanging_here(world: World, *, actor: Actor) -> Sequence[HangingRule]:
    """Of the reader's own centre, the one that counts first; what it leaves open is hung as usual."""
    demand(actor, Action.WRITE_REPORT)
    with world.unit_of_work(write=False) as uow:
        found = uow.writing.hanging(actor.consortium_id)
    return narrowest_first([one for one in found if one.institution_id == actor.institution_id])


def hanging_rules(world: World, *, actor: Actor) -> Sequence[HangingRule]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return narrowest_first(list(uow.writing.hanging(actor.consortium_id)))


def hang(
    world: World,
    *,
    actor: Actor,
    institution_uid: str,
    prior: bool,
    window: int,
    modality: str = "",
    body_part: str = "",
) -> HangingRule:
    """One rule for an exam of a centre: chosen again, it changes."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        rule = HangingRule(
            uid=world.identifiers.uid(),
            consortium_id=actor.consortium_id,
            institution_id=site_of(uow, actor, institution_uid).id,
            modality=modality.strip().upper(),
            body_part=body_part.strip().upper(),
            prior=prior,
            window=window,
        )
        rule.demand_sound()
        kept = uow.writing.ensure_hanging(rule)
        kept.prior, kept.window = prior, window
        _changed(world, uow, actor, rule.institution_id, modality=kept.modality)
        uow.commit()
    return kept


def hang_as_usual(world: World, *, actor: Actor, uid: str) -> None:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        if not uow.writing.remove_hanging(actor.consortium_id, uid):
            raise NotFound("error.hanging_not_found")
        _changed(world, uow, actor, None, removed=uid)
        uow.commit()


def _changed(world: World, uow: UnitOfWork, actor: Actor, site: int | None, **facts: Any) -> None:
    record(world, uow, Kind.SITE_CHANGED, actor=actor, institution_id=site, what="hanging", **facts)
