"""For balancers and monitors: does the process live, can it work, how much waits."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from telemed.application import monitor
from telemed.web.context import TheWorld
from telemed.web.guard import public
from telemed.web.metrics import CONTENT_TYPE, Metrics

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ok", "unavailable"]
    parts: dict[str, str]


@router.get("/healthz", **public("a balancer asks whether the process lives"))
def healthz() -> Health:
    return Health()


@router.get("/readyz", **public("a balancer asks whether the process can work; codes only"))
def readyz(world: TheWorld, response: Response) -> Readiness:
    parts = monitor.ready(world)
    well = all(answer == "ok" for answer in parts.values())
    response.status_code = 200 if well else 503
    return Readiness(status="ok" if well else "unavailable", parts=dict(parts))


@router.get(
    "/metrics", response_class=Response, **public("a monitor reads counts, and nothing that names anyone")
)
def metrics(request: Request, world: TheWorld) -> Response:
    kept: Metrics = request.app.state.metrics
    return Response(kept.text(monitor.load(world)) + world.analyser.metrics(), media_type=CONTENT_TYPE)
