"""New members of a consortium."""

from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telemed.application.install import add_institution
from telemed.application.usual_critical_values import begin_critical_values
from telemed.application.world import World
from telemed.domain.access import Action, Actor, demand
from telemed.domain.errors import InvalidInput
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
