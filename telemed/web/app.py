"""The web application: pages, API, DICOMweb, tokens, health."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from telemed.application.order_csv import MAX_CSV_BYTES
from telemed.web import api, dicomweb, health, problems, tokens
from telemed.web.context import Application
from telemed.web.dicomweb.store import MOST_BODY_BYTES as MOST_STORED_BYTES
from telemed.web.foreign_viewer import ForeignViewer
from telemed.web.guard import demand_rules, public
from telemed.web.intake import MOST_BYTES
from telemed.web.live.hub import Hub
from telemed.web.metrics import Counted, Metrics
from telemed.web.middleware import LastResort, Limited, SafeHeaders
from telemed.web.pages import critical, doors, nodes, rooms, setting_up, static, verify

# Texts and forms; files are larger. Beside the content there is its envelope.
MOST_BODY_BYTES = 1 << 20
LARGER_BODIES = {
    "/api/v1/uploads": MOST_BYTES,
    "/api/v1/orders/csv": MAX_CSV_BYTES + MOST_BODY_BYTES,
    "/dicom-web/studies": MOST_STORED_BYTES,
    "/dicom-web/studies/": MOST_STORED_BYTES,
}

_about = APIRouter(include_in_schema=False)


@_about.get("/openapi.json", **public("the description of the interface, and nobody's data"))
def openapi(request: Request) -> JSONResponse:
    described: dict[str, Any] = request.app.openapi()
    described.setdefault("components", {})["securitySchemes"] = {
        "cookie": {"type": "apiKey", "in": "cookie", "name": "telemed_session"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    return JSONResponse(described)


def create_app(application: Application) -> FastAPI:
    app = FastAPI(
        title="telemed",
        version="1",
        lifespan=_lifespan,
        # The ready-made documentation pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.application = application
    app.state.metrics = Metrics()
    app.state.hub = Hub(application.world)
    app.state.metrics.streams.set_function(lambda: app.state.hub.open_lines)
    for router in (
        api.router,
        dicomweb.router,
        tokens.router,
        health.router,
        _about,
        static.router,
        doors.router,
        rooms.router,
        critical.router,
        nodes.router,
        setting_up.router,
        verify.router,
    ):
        app.include_router(router)
    problems.install(app)
    demand_rules(app)
    app.add_middleware(LastResort)
    app.add_middleware(Limited, most=MOST_BODY_BYTES, larger=LARGER_BODIES)
    app.add_middleware(SafeHeaders)
    app.add_middleware(ForeignViewer, url=application.settings.ohif_url)
    app.add_middleware(Counted, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    hub: Hub = app.state.hub
    following = asyncio.create_task(hub.run())
    yield
    hub.close()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
