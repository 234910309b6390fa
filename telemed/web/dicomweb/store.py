"""STOW-RS (PS3.18 10.5): objects by HTTP, kept by the same promise as those that come by C-STORE."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from telemed.application.world import World
from telemed.domain.access import Action, Actor
from telemed.web.context import TheWorld
from telemed.web.dicomweb.answers import DICOM, DICOM_JSON, base_url, element, refused
from telemed.web.dicomweb.landing import HELD_BACK, TEMPORARY, Landing, Outcome
from telemed.web.dicomweb.multipart import (
    Event,
    MalformedMultipart,
    MultipartReader,
    PartBegan,
    PartData,
    PartEnded,
    media_type,
    valid_boundary,
)
from telemed.web.guard import guard
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies")

# A whole study may come in one request: it is bounded, but no part of it waits in memory.
MOST_BODY_BYTES = 16 << 30
# So much at once goes to a thread that writes it.
_PIECE = 256 << 10

_RULE = guard(Action.UPLOAD)
_RULE["openapi_extra"] |= {
    "requestBody": {
        "required": True,
        "content": {
            'multipart/related; type="application/dicom"': {"schema": {"type": "string", "format": "binary"}},
            DICOM: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "All are kept, and safe"},
    202: {"description": "Some are not kept (FailedSOPSequence), or kept apart for a person (WarningReason)"},
    409: {"description": "None is kept"},
}


@router.post("", response_class=JSONResponse, responses=_ANSWERS, **_RULE)
async def store(request: Request, world: TheWorld, actor: CurrentActor) -> Response:
    return await _store(request, world, actor, "")


@router.post("/{study}", response_class=JSONResponse, responses=_ANSWERS, **_RULE)
async def store_in_study(request: Request, world: TheWorld, actor: CurrentActor, study: str) -> Response:
    """Objects of another study are refused, each with its reason."""
    return await _store(request, world, actor, study)


async def _store(request: Request, world: World, actor: Actor, study: str) -> Response:
    kind, parameters = media_type(request.headers.get("content-type", ""))
    boundary = parameters.get("boundary", "")
    if kind not in (DICOM, "multipart/related") or parameters.get("type", DICOM).lower() != DICOM:
        return refused(request, 415, "error.stow_media_type")
    if kind == "multipart/related" and not valid_boundary(boundary):
        return refused(request, 400, "error.stow_malformed")
    landing = Landing(world, actor, study)
    reader = MultipartReader(boundary) if kind == "multipart/related" else _OneObject()
    try:
        async for piece in _pieces(request):
            await run_in_threadpool(_take, landing, reader, piece)
        await run_in_threadpool(_finish, landing, reader)
    except MalformedMultipart:
        return refused(request, 400, "error.stow_malformed")
    finally:
        # Also where the sender went away in the middle of an object.
        landing.discard()
    if not landing.outcomes:
        return refused(request, 400, "error.stow_empty")
    return _answer(request, landing.outcomes)


class _OneObject:
    """The payload of a single part, as if it were the only part of a multipart body."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, data: bytes) -> Sequence[Event]:
        begin = () if self._begun else (PartBegan({}),)
        self._begun = True
        return (*begin, PartData(data))

    def close(self) -> None:
        pass


def _take(landing: Landing, reader: MultipartReader | _OneObject, piece: bytes) -> None:
    for event in reader.feed(piece):
        landing.take(event)


def _finish(landing: Landing, reader: MultipartReader | _OneObject) -> None:
    reader.close()
    if isinstance(reader, _OneObject):
        landing.take(PartEnded())
    landing.close()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _answer(request: Request, outcomes: Sequence[Outcome]) -> Response:
    """The Store Instances Response Module (PS3.18 annex I)."""
    base = base_url(request)
    kept = [one for one in outcomes if not one.reason]
    named = [one for one in outcomes if one.reason and one.sop_instance_uid]
    nameless = [one for one in outcomes if one.reason and not one.sop_instance_uid]
    held_back = [one for one in kept if one.held_back]
    studies = {one.study_instance_uid for one in kept if not one.held_back}
    body: dict[str, Any] = {}
    if len(studies) == 1:
        body["00081190"] = element("UR", f"{base}/studies/{studies.pop()}")
    if named:
        body["00081198"] = {"vr": "SQ", "Value": [_reference(one) | _reason(one) for one in named]}
    if kept:
        body["00081199"] = {"vr": "SQ", "Value": [_reference(one) | _place(one, base) for one in kept]}
    if nameless:
        body["0008119A"] = {"vr": "SQ", "Value": [_reason(one) for one in nameless]}
    failed = [*named, *nameless]
    status = 200 if not failed and not held_back else 202 if kept else 409
    headers = {"Cache-Control": "no-store"}
    if failed and not kept and all(one.reason in TEMPORARY for one in failed):
        status, headers["Retry-After"] = 503, "5"
    return JSONResponse(body, status_code=status, media_type=DICOM_JSON, headers=headers)


def _reference(one: Outcome) -> dict[str, Any]:
    return {"00081150": element("UI", one.sop_class_uid), "00081155": element("UI", one.sop_instance_uid)}


def _reason(one: Outcome) -> dict[str, Any]:
    return {"00081197": element("US", one.reason)}


def _place(one: Outcome, base: str) -> dict[str, Any]:
    if one.held_back:
        return {"00081190": element("UR"), "00081196": element("US", HELD_BACK)}
    path = f"{one.study_instance_uid}/series/{one.series_instance_uid}/instances/{one.sop_instance_uid}"
    return {"00081190": element("UR", f"{base}/studies/{path}")}
