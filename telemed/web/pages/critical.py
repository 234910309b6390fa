"""Where an administrator writes what counts as critical, how long there is to tell it, and who is told next."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from telemed.domain.access import Action
from telemed.domain.people import InstitutionKind
from telemed.web.api.admin import sites_of
from telemed.web.api.critical_lists import all_lists
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.pages.render import page
from telemed.web.pages.rooms import Spoken
from telemed.web.security import CurrentActor

router = APIRouter(include_in_schema=False)
TOLD = ("technician", "family_doctor", "reporting_doctor", "reviewing_doctor")


@router.get("/admin/critical", response_class=HTMLResponse, **guard(Action.ADMINISTER))
def show_lists(request: Request, world: TheWorld, actor: CurrentActor, _: Spoken) -> HTMLResponse:
    sites = sites_of(world, actor)
    found = all_lists(world, actor)
    return page(
        request,
        "critical.html",
        rules=[one.model_dump(mode="json") for one in found.rules if one.ended_at is None],
        steps=[one.model_dump(mode="json") for one in found.steps],
        policies=[one.model_dump(mode="json") for one in found.policies],
        names={site.uid: site.name for site in sites.values()},
        centres=[site.uid for site in sites.values() if site.kind is InstitutionKind.HOSPITAL],
        roles=TOLD,
    )
