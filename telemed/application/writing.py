"""How a consortium wants its reports written and signed: rules of its sites, and the parts an exam needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemed.application.administer import site_of
from telemed.application.record import record
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import InvalidInput, NotFound
from telemed.domain.events import Kind
from telemed.domain.people import Institution
from telemed.domain.writing import Demanded, Part, RequiredPart

LONGEST_SIGNING = 480
LONGEST_HOLD = 120


@dataclass(frozen=True, kw_only=True)
class SigningRules:
    # How long one authentication may be used for signing.
    signing_minutes: int
    # How long a signature can be taken back before it is applied; 0: at once.
    hold_seconds: int
    second_signature: bool


def set_signing_rules(
    world: World, *, actor: Actor, institution_uid: str, rules: SigningRules
) -> Institution:
    demand(actor, Action.ADMINISTER)
    for name, least, most in (("signing_minutes", 1, LONGEST_SIGNING), ("hold_seconds", 0, LONGEST_HOLD)):
        if not least <= getattr(rules, name) <= most:
            raise InvalidInput("error.number_out_of_range", field=name, least=least, most=most)
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        site.signing_minutes, site.hold_seconds = rules.signing_minutes, rules.hold_seconds
        site.second_signature = rules.second_signature
        record(
            world,
            uow,
            Kind.SITE_CHANGED,
            actor=actor,
            institution_id=site.id,
            what="signing",
            signing_minutes=rules.signing_minutes,
            hold_seconds=rules.hold_seconds,
            second_signature=rules.second_signature,
        )
        uow.commit()
    return site


def required_parts(world: World, *, actor: Actor) -> Sequence[RequiredPart]:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work(write=False) as uow:
        return uow.writing.required(actor.consortium_id)


def require_part(
    world: World, *, actor: Actor, part: Part, demanded: Demanded, modality: str = "", body_part: str = ""
) -> RequiredPart:
    """Of every exam where modality and body part are empty; asked for again, it changes when it is demanded."""
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        row = uow.writing.ensure_required(
            RequiredPart(
                uid=world.identifiers.uid(),
                consortium_id=actor.consortium_id,
                modality=modality.strip().upper(),
                body_part=body_part.strip(),
                part=part,
                demanded=demanded,
            )
        )
        row.demanded = demanded
        record(world, uow, Kind.SITE_CHANGED, actor=actor, what="required_part", part=part.value)
        uow.commit()
    return row


def no_longer_require(world: World, *, actor: Actor, uid: str) -> None:
    demand(actor, Action.ADMINISTER)
    with world.unit_of_work() as uow:
        if not uow.writing.remove_required(actor.consortium_id, uid):
            raise NotFound("error.required_part_not_found")
        record(world, uow, Kind.SITE_CHANGED, actor=actor, what="required_part", removed=uid)
        uow.commit()
