"""The OAuth 2.0 token endpoint (RFC 6749 4.3 and 4.4) for programs; browsers have a session instead."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from telemed.application.identity import sign_in
from telemed.domain.errors import DomainError, InvalidInput, Unauthenticated
from telemed.web.context import TheWorld, language_of
from telemed.web.guard import public
from telemed.web.problems import status_of
from telemed.web.words import explain, say

router = APIRouter(tags=["sign-in"])


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the name of a kind of token)
    expires_in: int


@router.post("/auth/token", response_model=Token, **public("whoever asks proves who they are by a secret"))
def token(
    request: Request,
    world: TheWorld,
    grant_type: Annotated[str, Form(max_length=64)] = "password",
    username: Annotated[str, Form(max_length=256)] = "",
    password: Annotated[str, Form(max_length=256)] = "",
    client_id: Annotated[str, Form(max_length=256)] = "",
    client_secret: Annotated[str, Form(max_length=256)] = "",
) -> Response:
    try:
        if grant_type == "password":
            signed = sign_in(world, username=username, password=password, kind="bearer")
        elif grant_type == "client_credentials":
            signed = sign_in(world, username=client_id, password=client_secret, kind="bearer", system=True)
        else:
            raise InvalidInput("error.grant_type", field="grant_type")
    except DomainError as error:
        return _refusal(request, error)
    seconds = int((signed.expires_at - world.clock.now()).total_seconds())
    answer = Token(access_token=signed.token, expires_in=seconds)
    return JSONResponse(answer.model_dump(), headers={"Cache-Control": "no-store"})


def _refusal(request: Request, error: DomainError) -> Response:
    """RFC 6749 5.2 names the members `error` and `error_description`; the rest is as everywhere."""
    language = language_of(request)
    detail = explain(error, language)
    status = status_of(error)
    name = "unsupported_grant_type" if isinstance(error, InvalidInput) else "invalid_grant"
    body = {
        "error": name,
        "error_description": detail,
        "type": f"urn:telemed:{error.code}",
        "title": say(f"problem.{status}", language),
        "status": status,
        "detail": detail,
        "code": error.code,
    }
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
