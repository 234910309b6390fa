"""New members of a consortium."""

from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telemed.application.administer import site_of
from telemed.application.install import add_institution
from telemed.application.record import record
from telemed.application.usual_critical_values import begin_critical_values
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import InvalidInput
from telemed.domain.events import Kind
from telemed.domain.people import Institution, InstitutionKind


@dataclass(frozen=True, kw_only=True)
class NewSite:
    code: str
    name: str
    kind: InstitutionKind
    name_en: str = ""
    time_zone: str = "Asia/Shanghai"
    quiet_seconds: int = 30
    second_signature: bool = True


def add_site(world: World, *, actor: Actor, new: NewSite) -> Institution:
    """A new member of the administrator's own consortium."""
    demand(actor, Action.ADMINISTER)
    if new.kind in (InstitutionKind.CITY, InstitutionKind.CONSORTIUM):
        raise InvalidInput("error.field_invalid", field="kind")
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise InvalidInput("error.field_invalid", field="time_zone") from fault
    with world.unit_of_work() as uow:
        site = add_institution(world, uow, parent=uow.institutions.get(actor.consortium_id), **asdict(new))
        begin_critical_values(world, uow, site)
        uow.commit()
    return site


@dataclass(frozen=True, kw_only=True)
class MachineRules:
    """What a site's machines are held to; see `Institution`."""

    issuer_names: str
    worklist_days: int
    step_hours: int
    commitment_days: int


def set_machine_rules(
    world: World, *, actor: Actor, institution_uid: str, rules: MachineRules
) -> Institution:
    """From now on; patients already told apart by an issuer stay so, and are joined by a person."""
    demand(actor, Action.ADMINISTER)
    names = "\n".join(filter(None, (" ".join(line.split()) for line in rules.issuer_names.splitlines())))
    with world.unit_of_work() as uow:
        site = site_of(uow, actor, institution_uid)
        wanted: dict[str, Any] = {**asdict(rules), "issuer_names": names}
        changed = {name: value for name, value in wanted.items() if getattr(site, name) != value}
        for name, value in changed.items():
            setattr(site, name, value)
        if changed:
            told = {"what": "machine_rules", **changed}
            record(world, uow, Kind.SITE_CHANGED, actor=actor, institution_id=site.id, **told)
        uow.commit()
    return site
