"""Errors as a person meets them: RFC 9457 problem+json for programs, a page for people."""

from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from telemed.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    OutOfResources,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from telemed.i18n import text
from telemed.web.context import language_of
from telemed.web.pages.render import page
from telemed.web.words import explain, has, label, say


class BadAddress(InvalidInput):
    """What DICOMweb (PS3.18 8.5) calls a bad request: a resource or query that is not written as one."""


STATUS: dict[type[DomainError], int] = {
    InvalidInput: 422,
    BadAddress: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Unreadable: 422,
    OutOfResources: 507,
    Unavailable: 503,
}
_HEADERS: dict[int, dict[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
_HTTP_CODES = {404: "error.page_not_found", 405: "error.method_not_allowed", 413: "error.body_too_large"}


def status_of(error: DomainError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


_FOR_PROGRAMS = (
    "/api/",
    "/auth/",
    "/dicom-web/",
    "/static/",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
)


def for_people(request: Request) -> bool:
    """A browser that navigates gets a page, a program gets problem+json, whatever the path."""
    return request.method in ("GET", "POST") and "text/html" in request.headers.get("accept", "")


def _is_page(request: Request) -> bool:
    return request.method == "GET" and not request.url.path.startswith(_FOR_PROGRAMS)


def problem(
    request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    language = language_of(request)
    title = say(f"problem.{status}" if has(f"problem.{status}", language) else "problem.other", language)
    if for_people(request):
        context = {"status": status, "code": code, "title": title, "detail": detail}
        return page(request, "error.html", status_code=status, headers=headers, **context, **more)
    body = {"type": f"urn:telemed:{code}", "title": title, "status": status, "detail": detail, "code": code}
    return JSONResponse(
        body | {name: value for name, value in more.items() if value is not None},
        status_code=status,
        headers={"Content-Language": language, "Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


def sign_in_first(request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse("/sign-in?" + urlencode({"next": request.url.path + query}), status_code=303)


def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    status = status_of(error)
    if status == 401 and (_is_page(request) or (for_people(request) and request.method == "GET")):
        return sign_in_first(request)
    return problem(
        request,
        status,
        error.code,
        explain(error, language_of(request)),
        _HEADERS.get(status),
        field=getattr(error, "field", None),
        params=dict(error.params) or None,
    )


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "error.request_refused")
    headers = dict(error.headers or {})
    return problem(
        request, error.status_code, code, say(code, language_of(request), {"path": request.url.path}), headers
    )


_KINDS = {
    "missing": "validation.missing",
    "string_too_long": "validation.too_long",
    "string_too_short": "validation.too_short",
    "json_invalid": "validation.not_json",
    "extra_forbidden": "validation.unknown",
}


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    faults = [_fault(one, language) for one in error.errors()]
    listed = text("list.semicolon", language).join(
        f"{label('field', one['field'].rpartition('.')[2], language)}: {one['problem']}" for one in faults
    )
    return problem(
        request,
        422,
        "error.request_invalid",
        say("error.request_invalid", language, {"faults": listed}),
        field=faults[0]["field"] if faults else None,
        errors=faults,
    )


def _fault(one: dict[str, Any], language: str) -> dict[str, str]:
    kind, facts = str(one["type"]), dict(one.get("ctx") or {})
    # Positions in malformed JSON are no field.
    where = [str(part) for part in one["loc"][1:]] if kind != "json_invalid" else []
    facts = {name: value for name, value in facts.items() if isinstance(value, str | int | float)}
    return {
        "field": ".".join(where) or str(one["loc"][0]),
        "problem": say(_KINDS.get(kind, "validation.invalid"), language, facts),
    }


def install(app: FastAPI) -> None:
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
