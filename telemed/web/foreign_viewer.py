"""A viewer at an address of its own reads DICOMweb: browsers ask us first whether its page may (CORS).

It proves its right by a bearer token; cookies are never taken from there, so no other page can act through one.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemed.web.security import DICOM_WEB

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, Accept, Content-Type",
    "Access-Control-Max-Age": "600",
}


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


class ForeignViewer:
    def __init__(self, app: ASGIApp, url: str) -> None:
        self.app, self.origin = app, origin_of(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.origin or scope["type"] != "http" or not scope["path"].startswith(DICOM_WEB):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        known = asked.get("origin", "").lower() == self.origin
        if known and scope["method"] == "OPTIONS" and "access-control-request-method" in asked:
            headers = _ALLOWED | {"Access-Control-Allow-Origin": self.origin, "Vary": "Origin"}
            encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 204, "headers": encoded})
            await send({"type": "http.response.body", "body": b""})
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if known:
                    headers["Access-Control-Allow-Origin"] = self.origin
                    headers["Access-Control-Expose-Headers"] = "Content-Location, Warning"
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        await self.app(scope, receive, told)
