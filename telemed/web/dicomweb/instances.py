"""Retrieve one instance (PS3.18 10.4), byte for byte as it was received."""

import secrets

from fastapi import APIRouter, Request, Response

from telemed.application.retrieve import open_bytes
from telemed.domain.access import Action
from telemed.web.context import TheWorld
from telemed.web.guard import guard
from telemed.web.http_cache import kept, unchanged
from telemed.web.security import CurrentActor

router = APIRouter(prefix="/studies/{study}/series/{series}/instances/{sop}")


@router.get(
    "",
    response_class=Response,
    responses={200: {"content": {"application/dicom": {}, "multipart/related": {}}}},
    **guard(Action.SEE_CASE),
)
def read_instance(
    request: Request, world: TheWorld, actor: CurrentActor, study: str, series: str, sop: str
) -> Response:
    """`application/dicom`, or one part of `multipart/related` for those who ask for it."""
    opened = open_bytes(world, actor=actor, sop_instance_uid=sop, place=(study, series))
    multipart = "multipart/related" in request.headers.get("accept", "")
    headers = kept(opened.stored.file_sha256, "-multipart" if multipart else "") | {"Vary": "Accept"}
    if unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    data = opened.read()
    if not multipart:
        headers["Content-Disposition"] = f'attachment; filename="{opened.stored.sop_instance_uid}.dcm"'
        return Response(data, media_type="application/dicom", headers=headers)
    syntax, boundary = opened.stored.transfer_syntax_uid, secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: application/dicom; transfer-syntax={syntax}\r\n\r\n"
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    return Response(body, headers=headers | {"Content-Type": kind})
