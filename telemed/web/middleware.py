"""Around every request: headers that keep a browser safe, and an end for faults nobody foresaw."""

import logging
import secrets
from collections.abc import Mapping

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemed.application.faults import trace_of
from telemed.web.context import language_of
from telemed.web.guard import name_of
from telemed.web.problems import problem
from telemed.web.words import say

log = logging.getLogger(__name__)

# No inline script anywhere; pictures may be made in the page (canvas), a report may be shown in our own frame.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HTTPS_ONLY = "max-age=31536000"


class SafeHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                # What names a patient is kept by nobody; what may be kept says so itself.
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HTTPS_ONLY)
            await send(message)

        await self.app(scope, receive, with_headers)


class Limited:
    """No more of a body is read than its route has use for; the largest by path, else `most`.

    A path that ends in a slash stands for all that lie directly beneath it.
    """

    def __init__(self, app: ASGIApp, most: int, larger: Mapping[str, int]) -> None:
        self.app, self.most, self.larger = app, most, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, read = scope["path"], 0
        limit = self.larger.get(path, self.larger.get(path[: path.rfind("/") + 1], self.most))
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            request = Request(scope, receive)
            detail = say("error.body_too_large", language_of(request))
            answer = problem(request, 413, "error.body_too_large", detail, {"Connection": "close"})
            await answer(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


class LastResort:
    """A fault of ours: the person gets a reference to tell, the log gets the trace under it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as fault:
            reference = secrets.token_hex(4).upper()
            log.error("fault %s at %s %s\n%s", reference, scope["method"], name_of(scope), trace_of(fault))
            if started:
                # Half an answer cannot be taken back; closing the line tells the other side.
                raise
            request = Request(scope, receive)
            detail = say("error.internal", language_of(request), {"reference": reference})
            answer = problem(request, 500, "error.internal", detail, reference=reference)
            await answer(scope, receive, send)
