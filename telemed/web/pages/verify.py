"""What a printed verification code stands for: for everyone who holds the paper."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from telemed.application.verification import Verified, verified
from telemed.web.context import TheWorld, language_of
from telemed.web.guard import public
from telemed.web.pages.doors import visitor
from telemed.web.pages.render import page

router = APIRouter(include_in_schema=False)


@router.get("/verify/", response_class=HTMLResponse, **public("whoever holds a printed report may check it"))
def ask(request: Request, world: TheWorld, code: str = "") -> Response:
    if code.strip():
        return RedirectResponse(f"/verify/{_cleaned(code)}", status_code=303)
    visitor(request, world)
    return page(request, "verify.html", code="", found=None)


@router.get("/verify/{code}", response_class=HTMLResponse, **public("the code on the paper is the key"))
def show(request: Request, world: TheWorld, code: str) -> HTMLResponse:
    visitor(request, world)
    cleaned = _cleaned(code)
    found: Verified | None = verified(world, code=cleaned, language=language_of(request))
    return page(request, "verify.html", status_code=200 if found else 404, code=cleaned, found=found)


def _cleaned(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isascii() and letter.isalnum())[:32] or "-"
