"""What a request needs of the running application, as named dependencies."""

from typing import Annotated, Protocol

from fastapi import Depends, FastAPI, Request

from telemed.application.world import World
from telemed.domain.access import Actor
from telemed.i18n import languages
from telemed.settings import Settings
from telemed.web.language import LANGUAGE_COOKIE, preferred


class Application(Protocol):
    """The joined house, as `telemed.bootstrap` makes it."""

    @property
    def world(self) -> World: ...
    @property
    def settings(self) -> Settings: ...


def application_of(app: FastAPI) -> Application:
    application: Application = app.state.application
    return application


def the_settings(request: Request) -> Settings:
    return application_of(request.app).settings


# A dependency that is no coroutine is given a thread; these only look.
async def _world(request: Request) -> World:
    return application_of(request.app).world


async def _settings(request: Request) -> Settings:
    return the_settings(request)


def language_of(request: Request) -> str:
    """Who is signed in decides; then what this browser chose last; then what it asks for; then the site."""
    actor: Actor | None = getattr(request.state, "actor", None)
    for choice in (actor.language if actor else "", request.cookies.get(LANGUAGE_COOKIE, "")):
        if choice in languages:
            return choice
    return preferred(request.headers.get("accept-language", ""), the_settings(request).language)


TheWorld = Annotated[World, Depends(_world)]
TheSettings = Annotated[Settings, Depends(_settings)]
