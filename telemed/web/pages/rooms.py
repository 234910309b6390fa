"""Where people work: reading, township, inbox, administration."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from telemed.application import administer
from telemed.application.hanging import hanging_rules
from telemed.application.identity import set_language
from telemed.application.orders import stations
from telemed.application.repeats import repeat_rates
from telemed.application.report_texts import report_texts
from telemed.application.worklist import exams, inbox
from telemed.application.world import World
from telemed.application.writing import required_parts
from telemed.domain.access import Action, Actor, may
from telemed.domain.people import Role
from telemed.i18n import languages
from telemed.web.api import convert
from telemed.web.api.admin import Sites, device_out, institution_out, sites_of, user_out
from telemed.web.api.hanging import rule_out
from telemed.web.api.models import model_out
from telemed.web.api.writing import rate_out, required_out, text_out
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.pages.markdown import to_html
from telemed.web.pages.render import page
from telemed.web.security import CurrentSession
from telemed.web.words import label, say

router = APIRouter(include_in_schema=False)


def spoken(request: Request, world: TheWorld, signed: CurrentSession) -> str:
    """The language of the page; the switch in its head is kept with the person."""
    chosen = request.query_params.get("language", "")
    if chosen in languages and chosen != signed.actor.language:
        set_language(world, actor=signed.actor, language=chosen)
    return chosen if chosen in languages else signed.actor.language


Spoken = Annotated[str, Depends(spoken)]


@router.get("/account", response_class=HTMLResponse, **guard(Action.SEE_SELF))
def show_account(request: Request, _: Spoken) -> HTMLResponse:
    return page(request, "account.html", shortest=administer.SHORTEST_PASSWORD)


@router.get("/reading", response_class=HTMLResponse, **guard(Action.SEE_WORKLIST))
def show_list(request: Request, _: Spoken) -> HTMLResponse:
    return page(request, "reading.html")


@router.get("/reading/cases/{case_id}", response_class=HTMLResponse, **guard(Action.SEE_WORKLIST))
def show_case(request: Request, _: Spoken) -> HTMLResponse:
    # The same page for every id: the case itself is asked for through the API, which knows who may see it.
    return page(request, "reading.html")


@router.get("/township", response_class=HTMLResponse, **guard(Action.SEE_EXAMS))
def show_township(
    request: Request, world: TheWorld, signed: CurrentSession, language: Spoken
) -> HTMLResponse:
    found = [convert.exam(one, language).model_dump(mode="json") for one in exams(world, actor=signed.actor)]
    named = stations(world, actor=signed.actor) if may(signed.actor.role, Action.ORDER) else []
    return page(request, "township.html", exams=found, stations=named)


@router.get("/corrections", response_class=HTMLResponse, **guard(Action.CORRECT))
def show_corrections(request: Request, _: Spoken) -> HTMLResponse:
    # The same page for everyone who may correct: what stands in it comes through the API.
    return page(request, "corrections.html")


@router.get("/inbox", response_class=HTMLResponse, **guard(Action.SEE_INBOX))
def show_inbox(
    request: Request,
    world: TheWorld,
    signed: CurrentSession,
    language: Spoken,
    open_only: Annotated[bool, Query(alias="open")] = True,
) -> HTMLResponse:
    found = inbox(world, actor=signed.actor, open_only=open_only)
    rows = [convert.inbox_row(one, language).model_dump(mode="json") for one in found]
    return page(request, "inbox.html", rows=rows, open_only=open_only)


@router.get("/admin", response_class=HTMLResponse, **guard(Action.ADMINISTER))
def show_admin(request: Request, world: TheWorld, signed: CurrentSession, language: Spoken) -> HTMLResponse:
    return page(request, "admin.html", **_administration(world, signed.actor, language))


def _administration(world: World, actor: Actor, language: str) -> dict[str, Any]:
    sites = sites_of(world, actor)
    notices = administer.notices(world, actor=actor)
    return {
        "roles": [role.value for role in Role],
        "users": [
            _plain(user_out(user, sites).model_dump(mode="json"))
            for user in administer.users(world, actor=actor)
        ],
        "devices": [
            _plain(device_out(device, sites).model_dump(mode="json"))
            for device in administer.devices(world, actor=actor)
        ],
        "institutions": [institution_out(site, sites).model_dump(mode="json") for site in sites.values()],
        "required_parts": [
            required_out(one).model_dump(mode="json") for one in required_parts(world, actor=actor)
        ],
        "hanging": [
            rule_out(one, sites).model_dump(mode="json") for one in hanging_rules(world, actor=actor)
        ],
        "repeat_rates": [rate_out(one).model_dump(mode="json") for one in repeat_rates(world, actor=actor)],
        "report_texts": [text_out(one).model_dump(mode="json") for one in report_texts(world, actor=actor)],
        "models": _models(world, actor, sites, language),
        "notices": [convert.notice(one, language).model_dump(mode="json") for one in notices],
        "failed_jobs": [
            {
                "id": one.uid,
                "kind": label("job", str(one.facts.get("kind", "")), language),
                "attempts": one.facts.get("attempts", 0),
                "problem": _problem(str(one.facts.get("error", "")), language),
                "failed_at": one.created_at,
            }
            for one in notices
            if one.code == "notice.job_failed"
        ],
    }


def _models(world: World, actor: Actor, sites: Sites, language: str) -> list[dict[str, Any]]:
    """Each model once with its card, and each site's decision about it."""
    found: dict[str, dict[str, Any]] = {}
    for site in sites.values():
        for one in administer.models(world, actor=actor, institution_uid=site.uid):
            shown = model_out(one, language).model_dump(mode="json")
            model = found.setdefault(
                one.model.sha256, shown | {"card_html": to_html(shown["card"]), "sites": []}
            )
            model["sites"].append({"id": site.uid, "name": site.name, "approved_at": shown["approved_at"]})
    return list(found.values())


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"institution": row["institution"]["name"]}


def _problem(code: str, language: str) -> str:
    """A code of ours in words; the name of a foreign fault as it stands, for whoever looks into the log."""
    return say(code, language) if "." in code and code.split(".")[0] == "error" else code
