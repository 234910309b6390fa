"""Where an administrator manages other nodes: destinations, rules of forwarding, certificates."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from telemed.domain.access import Action
from telemed.web.api.admin import sites_of
from telemed.web.api.nodes import all_nodes, all_rules
from telemed.web.context import TheSettings, TheWorld
from telemed.web.guard import guard
from telemed.web.pages.render import page
from telemed.web.pages.rooms import Spoken
from telemed.web.security import CurrentActor

router = APIRouter(include_in_schema=False)


@router.get("/admin/nodes", response_class=HTMLResponse, **guard(Action.ADMINISTER))
def show_nodes(
    request: Request, world: TheWorld, settings: TheSettings, actor: CurrentActor, _: Spoken
) -> HTMLResponse:
    sites = sites_of(world, actor)
    rules = [one.model_dump(mode="json") for one in all_rules(world, actor, sites)]
    return page(
        request,
        "nodes.html",
        nodes=[one.model_dump(mode="json") for one in all_nodes(world, actor, sites)],
        rules=[one for one in rules if one["active"]],
        sites=[
            {
                "id": site.uid,
                "name": site.name,
                "certificate_authority": site.certificate_authority,
                "certificate_demanded": site.certificate_demanded,
            }
            for site in sites.values()
        ],
        own_tls=bool(settings.dicom_tls_certificate and settings.dicom_tls_key),
    )
