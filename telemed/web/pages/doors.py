"""In and out: sign-in, sign-out, and the way to where one works."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from telemed.application import identity
from telemed.application.world import World
from telemed.domain.access import Action
from telemed.domain.errors import DomainError, Unauthenticated
from telemed.domain.people import Role
from telemed.web.context import TheWorld, language_of
from telemed.web.guard import guard, public
from telemed.web.pages.render import doors, page
from telemed.web.problems import status_of
from telemed.web.security import (
    CurrentSession,
    Signed,
    clear_session_cookie,
    credentials,
    demand_own_origin,
    remember,
    set_session_cookie,
    signed_in,
)
from telemed.web.words import explain

router = APIRouter(include_in_schema=False)


def home_of(role: Role) -> str:
    own = doors(role)
    return str(own[0]["href"]) if own else "/sign-in"


def local_path(target: str) -> str:
    """Where to go after the sign-in: a path of our own, or nothing."""
    parts = urlsplit(target)
    own = not parts.scheme and not parts.netloc and target.startswith("/") and not target.startswith("//")
    return target if own and "\\" not in target and target.isprintable() else ""


def visitor(request: Request, world: World) -> Signed | None:
    """Whoever is signed in, on a page that is for everyone."""
    try:
        signed = signed_in(world, *credentials(request))
    except Unauthenticated:
        return None
    remember(request, signed)
    return signed


@router.get("/", response_class=RedirectResponse, **public("it only leads to where one works"))
def lead(request: Request, world: TheWorld) -> RedirectResponse:
    signed = visitor(request, world)
    return RedirectResponse(home_of(signed.actor.role) if signed else "/sign-in", status_code=303)


@router.get("/sign-in", response_class=HTMLResponse, **public("the door itself"))
def show_sign_in(request: Request, world: TheWorld, next: str = "") -> Response:
    signed = visitor(request, world)
    if signed is not None:
        return RedirectResponse(local_path(next) or home_of(signed.actor.role), status_code=303)
    return page(request, "sign_in.html", problem="", username="", next=local_path(next))


@router.post("/sign-in", response_class=HTMLResponse, **public("whoever enters proves who they are here"))
def sign_in(
    request: Request,
    world: TheWorld,
    username: Annotated[str, Form(max_length=256)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    demand_own_origin(request)
    try:
        signed = identity.sign_in(world, username=username.strip(), password=password, kind="cookie")
    except DomainError as error:
        problem = explain(error, language_of(request))
        given: dict[str, Any] = {"problem": problem, "username": username, "next": local_path(next)}
        return page(request, "sign_in.html", status_code=status_of(error), **given)
    answer = RedirectResponse(local_path(next) or home_of(signed.actor.role), status_code=303)
    set_session_cookie(request, answer, signed)
    return answer


@router.post("/sign-out", response_class=RedirectResponse, **guard(Action.SEE_SELF))
def sign_out(request: Request, world: TheWorld, signed: CurrentSession) -> RedirectResponse:
    identity.sign_out(world, actor=signed.actor, token=signed.token)
    answer = RedirectResponse("/sign-in", status_code=303)
    clear_session_cookie(request, answer)
    return answer
