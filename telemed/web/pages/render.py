"""Templates and what every page is given: see the head of templates/base.html."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from telemed.domain.access import Action, may
from telemed.domain.people import Role
from telemed.i18n import catalogue, languages, text
from telemed.web.api.session import session_out
from telemed.web.context import application_of, language_of
from telemed.web.language import LANGUAGE_COOKIE
from telemed.web.pages.assets import asset
from telemed.web.security import Signed

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_DOORS = (
    ("/reading", "page.nav.reading", Action.SEE_WORKLIST),
    ("/township", "page.nav.township", Action.SEE_EXAMS),
    ("/corrections", "page.nav.corrections", Action.CORRECT),
    ("/inbox", "page.nav.inbox", Action.SEE_INBOX),
    ("/admin", "page.nav.admin", Action.ADMINISTER),
)
_YEAR = 365 * 24 * 3600

environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


def page(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    settings = application_of(request.app).settings
    chosen = request.query_params.get("language", "")
    language = chosen if chosen in languages else language_of(request)
    given = {**_person(request, language), **context}
    given |= {
        "language": language,
        "languages": languages,
        "asset": asset,
        "zone": ZoneInfo(settings.time_zone),
        "home": "/",
        "t": lambda key, **params: text(key, language, **params),
        "has_text": lambda key: key in catalogue(language),
        "page_data": {
            "texts": {key: value for key, value in catalogue(language).items() if key.startswith("ui.")},
            "csrf": given["csrf_token"],
            "language": language,
            "user": given["user"],
            "zone": settings.time_zone,
            "viewer": bool(settings.ohif_url),
        },
    }
    answer = HTMLResponse(
        environment.get_template(template).render(given),
        status_code=status_code,
        headers={"Content-Language": language, "Vary": "Accept-Language, Cookie", **(headers or {})},
    )
    if chosen in languages:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR, samesite="lax", path="/")
    return answer


def _person(request: Request, language: str) -> dict[str, Any]:
    signed: Signed | None = getattr(request.state, "signed", None)
    if signed is None:
        return {"user": None, "institution": None, "csrf_token": "", "nav": []}
    about = session_out(application_of(request.app).world, signed, language).model_dump(mode="json")
    return {
        "user": about["user"],
        "institution": about["institution"],
        "csrf_token": signed.csrf_token,
        "nav": doors(signed.actor.role, request.url.path),
    }


def doors(role: Role, path: str = "") -> list[dict[str, Any]]:
    """Where this role works."""
    return [
        {"href": href, "key": key, "active": path == href or path.startswith(f"{href}/")}
        for href, key, action in _DOORS
        if may(role, action)
    ]


@pass_context
def _local(context: Context, value: str | datetime | None) -> str:
    """An instant in the site's zone, as the field writes it: 2026-11-21 14:05."""
    if not value:
        return ""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    zone: ZoneInfo = context["zone"]
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")


environment.filters["local"] = _local
