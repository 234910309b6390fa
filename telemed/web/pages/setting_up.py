"""Where an administrator sets a centre up: who reads what, contracts with family doctors."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from telemed.application import administer
from telemed.application.contracts import contracts
from telemed.application.orders import MODALITIES
from telemed.application.proposals import PROPOSED
from telemed.application.reading_groups import readers
from telemed.application.triage_rules import triage_rules
from telemed.domain.access import Action
from telemed.domain.people import Role
from telemed.i18n import catalogue
from telemed.web.api.admin import sites_of
from telemed.web.api.contracts import contract_out
from telemed.web.api.reading_groups import arrangement_out, triage_out
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.pages.render import page
from telemed.web.pages.rooms import Spoken
from telemed.web.security import CurrentActor

router = APIRouter(include_in_schema=False)


@router.get("/admin/reading", response_class=HTMLResponse, **guard(Action.ADMINISTER))
def show_reading(request: Request, world: TheWorld, actor: CurrentActor, language: Spoken) -> HTMLResponse:
    sites, found = sites_of(world, actor), arrangement_out(world, actor)
    return page(
        request,
        "setting_up.html",
        sites=[{"id": one.uid, "name": one.name} for one in sites.values()],
        groups=[one.model_dump(mode="json") for one in found.groups],
        rules=[one.model_dump(mode="json") for one in found.rules],
        duties=[one.model_dump(mode="json") for one in found.duties],
        readers={one.uid: one.display_name for one in readers(world, actor=actor)},
        triage=[triage_out(one).model_dump(mode="json") for one in triage_rules(world, actor=actor)],
        findings=[PROPOSED, *_findings(language)],
        modalities=MODALITIES,
    )


def _findings(language: str) -> list[str]:
    """What models flag, as far as it has a name."""
    return sorted(key.removeprefix("finding.") for key in catalogue(language) if key.startswith("finding."))


@router.get("/admin/contracts", response_class=HTMLResponse, **guard(Action.ADMINISTER))
def show_contracts(
    request: Request,
    world: TheWorld,
    actor: CurrentActor,
    _: Spoken,
    doctor: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    people = administer.users(world, actor=actor)
    return page(
        request,
        "contracts.html",
        doctor=doctor,
        doctors=[
            {"id": one.uid, "name": one.display_name}
            for one in people
            if one.active and one.role is Role.FAMILY_DOCTOR
        ],
        contracts=[
            contract_out(one).model_dump(mode="json")
            for one in contracts(world, actor=actor, doctor_uid=doctor or None)
        ],
        today=world.clock.now(),
    )
