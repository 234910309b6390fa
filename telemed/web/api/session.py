"""The own session: who one is, the signing period, the language, the way out."""

from fastapi import APIRouter, Request, Response

from telemed.application import identity
from telemed.application.own_password import change_password
from telemed.application.world import World
from telemed.domain.access import Action
from telemed.web.api.shapes import (
    InstitutionRef,
    LanguageIn,
    OwnPasswordIn,
    PasswordIn,
    SessionOut,
    SigningOut,
    UserOut,
)
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.security import CurrentSession, Signed, clear_session_cookie

router = APIRouter(prefix="/session", tags=["session"])


def session_out(world: World, signed: Signed, language: str) -> SessionOut:
    actor = signed.actor
    account = identity.account(world, actor=actor)
    site = account.institution
    return SessionOut(
        user=UserOut(
            id=actor.user_uid,
            username=actor.username,
            display_name=actor.display_name,
            role=actor.role,
            language=language,
            licensed=bool(actor.license_number),
        ),
        institution=InstitutionRef(
            id=site.uid, name=site.name_en if language == "en" and site.name_en else site.name
        ),
        csrf_token=signed.csrf_token,
        signing_until=account.signing_until,
    )


@router.get("", **guard(Action.SEE_SELF))
def read(world: TheWorld, signed: CurrentSession) -> SessionOut:
    return session_out(world, signed, signed.actor.language)


@router.post("/reauthenticate", **guard(Action.SEE_SELF))
def reauthenticate(world: TheWorld, signed: CurrentSession, body: PasswordIn) -> SigningOut:
    until = identity.reauthenticate(world, actor=signed.actor, token=signed.token, password=body.password)
    return SigningOut(signing_until=until)


@router.put("/password", status_code=204, **guard(Action.SEE_SELF))
def set_own_password(world: TheWorld, signed: CurrentSession, body: OwnPasswordIn) -> None:
    """Every other session of this person ends."""
    change_password(world, actor=signed.actor, token=signed.token, **body.model_dump())


@router.post("/language", status_code=204, **guard(Action.SEE_SELF))
def set_language(world: TheWorld, signed: CurrentSession, body: LanguageIn) -> None:
    identity.set_language(world, actor=signed.actor, language=body.language)


@router.post("/sign-out", status_code=204, **guard(Action.SEE_SELF))
def sign_out(world: TheWorld, request: Request, response: Response, signed: CurrentSession) -> None:
    identity.sign_out(world, actor=signed.actor, token=signed.token)
    clear_session_cookie(request, response)
