"""Who sends a request: a browser by its session cookie, a program by its bearer token.

A cookie travels by itself, so a page of somebody else could make a browser act. Every unsafe request that a
cookie vouches for must therefore come from our own origin and carry the session's CSRF token.
"""

import hmac
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from telemed.application.identity import SignedIn, find_session
from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.domain.errors import Forbidden, Unauthenticated
from telemed.web.context import TheWorld, application_of

COOKIE = "telemed_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
DICOM_WEB = "/dicom-web/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Signed:
    """The person behind a request and the session that vouches for them."""

    actor: Actor
    token: str
    kind: str
    csrf_token: str


def credentials(request: Request) -> tuple[str, str]:
    """(token, kind of session). A bearer token wins: who sends one means it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip(), "bearer"
    return request.cookies.get(COOKIE, ""), "cookie"


def signed_in(world: World, token: str, kind: str, *, viewing: bool = False) -> Signed:
    if not token:
        raise Unauthenticated("error.sign_in_first")
    actor, session = find_session(world, token=token, kind=kind, viewing=viewing)
    return Signed(actor, token, kind, session.csrf_token)


async def _csrf_sent(request: Request) -> str:
    sent = request.headers.get(CSRF_HEADER, "")
    by_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if not sent and by_form and request.method not in _SAFE:
        sent = str((await request.form()).get(CSRF_FIELD, ""))
    return sent


def current_session(request: Request, world: TheWorld, csrf: Annotated[str, Depends(_csrf_sent)]) -> Signed:
    viewing = request.method in _SAFE and request.url.path.startswith(DICOM_WEB)
    signed = signed_in(world, *credentials(request), viewing=viewing)
    if signed.kind == "cookie" and request.method not in _SAFE:
        demand_own_origin(request)
        if not hmac.compare_digest(csrf.encode(), signed.csrf_token.encode()):
            raise Forbidden("error.csrf_token")
    remember(request, signed)
    return signed


def remember(request: Request, signed: Signed) -> None:
    """Pages and error answers are written outside of the dependencies, in this person's language too."""
    request.state.actor, request.state.signed = signed.actor, signed


CurrentSession = Annotated[Signed, Depends(current_session)]


async def current_actor(signed: CurrentSession) -> Actor:
    return signed.actor


CurrentActor = Annotated[Actor, Depends(current_actor)]


def demand_own_origin(request: Request) -> None:
    """Browsers name the origin with every unsafe request; a program that sends none is held by the token."""
    origin = request.headers.get("origin")
    if origin is None:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Forbidden("error.foreign_origin")
        return
    public = application_of(request.app).settings.public_url
    own = {request.headers.get("host", "").lower(), urlsplit(public).netloc.lower()} - {""}
    if urlsplit(origin).netloc.lower() not in own:
        raise Forbidden("error.foreign_origin")


def set_session_cookie(request: Request, response: Response, signed: SignedIn) -> None:
    response.set_cookie(
        COOKIE,
        signed.token,
        # Relative: a browser with a wrong clock keeps it as long as any other.
        max_age=int((signed.expires_at - application_of(request.app).world.clock.now()).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
        path="/",
    )


def clear_session_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_is_https(request))


def _is_https(request: Request) -> bool:
    public = application_of(request.app).settings.public_url
    return request.url.scheme == "https" or public.startswith("https://")
