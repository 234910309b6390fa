"""The curves of one ECG, in the form the page draws them from."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from telemed.application.retrieve import open_bytes
from telemed.domain.access import Action
from telemed.imaging.waveform import read_waveform, to_wire
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/objects", tags=["objects"])

CaseQuery = Annotated[str | None, Query(max_length=64, description="the case whose object is meant")]


@router.get(
    "/{sop_instance_uid}/waveform",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
    **guard(Action.SEE_CASE),
)
def read_curves(
    request: Request, world: TheWorld, actor: CurrentActor, sop_instance_uid: str, case: CaseQuery = None
) -> Response:
    """uint32 LE length of the head, the head as JSON, then int16 LE samples, lead after lead."""
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop_instance_uid, case_uid=case)
    headers = kept(opened.stored.file_sha256, "-wave1")
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    head, body = to_wire(read_waveform(opened.read()))
    text = json.dumps(head).encode()
    content = len(text).to_bytes(4, "little") + text + body
    return Response(content, media_type="application/octet-stream", headers=headers)
